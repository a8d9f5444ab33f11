"""Sources. Their address is the key to post leads, so only who may hand it out sees it; secrets are never shown again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue
from sqlalchemy import Connection

from connectors.kit import registry
from crm_core.access import may
from crm_core.base.errors import Misconfigured, NotFound
from crm_core.base.values import Text, id_text, rfc3339
from ingest.mailbox.source_check import CheckResult, check_source, note_check, would_be
from ingest.sources.changes import change_source, remove_source
from ingest.sources.settings import check_settings, shown_settings
from ingest.sources.sources import (
    SourceRow,
    add_source,
    change_settings,
    list_sources,
    load_source,
    rotate_token,
    set_state,
)
from ingest.sources.states import SourceState, source_states
from webhooks.api.parameters import RowId
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Page, Shape


class SourceError(Shape):
    code: str
    message: str


class SourceStatus(Shape):
    code: Literal[
        "works", "not_understood", "not_authentic", "silent", "refuses", "unreachable", "not_read", "unusable", "paused",
        "waiting", "unchecked",
    ] = Field(description="how it does, as every page and command says it")  # fmt: skip
    trouble: bool = Field(description="a person has something to do about it")
    since: AwareDatetime | None
    count: int = Field(description="events that wait for a person because of it")
    silent_seconds: float | None
    usual_seconds: float | None = Field(description="between two events, when something usually comes")
    error: SourceError | None
    words: str = Field(description="one English sentence")


class SourceFinding(Shape):
    name: str
    ok: bool
    message: str


class SourceCheck(Shape):
    ok: bool
    error: SourceError | None
    advice: list[str] = Field(description="what usually helps")
    findings: list[SourceFinding]


class Source(Shape):
    id: Id
    name: str
    connector: str
    channel: str
    state: Literal["active", "paused"] = Field(description="what a person decided; `status` says how it does")
    status: SourceStatus
    line: str
    pool: Id | None
    allowed_hosts: list[str]
    url: str | None = Field(description="null for connectors that fetch, and for roles that may not see it")
    created_at: AwareDatetime
    last_event_at: AwareDatetime | None


class SourceCard(Source):
    settings: dict[str, Any] | None
    check: SourceCheck | None = Field(None, description="of a mailbox that was just added or changed: what trying it brought")


class NewSource(SourceCard):
    secret: str = Field("", description="only where the hub made one for the provider, only this once")


class SourcePage(Page[Source]):
    pass


def _storable(value: JsonValue) -> JsonValue:
    """jsonb holds no NUL, at any depth."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, str) and "\x00" in part:
            raise ValueError("text cannot hold NUL")
        if isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            left += part
    return value


Settings = Annotated[dict[str, JsonValue], AfterValidator(_storable)]
Hosts = Annotated[list[Text], Field(max_length=100)]


class SourceBody(Body):
    connector: Text = Field(min_length=1, max_length=100)
    name: Text = Field(min_length=1, max_length=200)
    settings: Settings = Field(default_factory=dict, description="as the connector's page says")
    allowed_hosts: Hosts = Field(default_factory=list, description="hosts that a browser form may be sent back to")
    line: Text = Field("", max_length=100, description="product line of its leads")
    pool: RowId | None = Field(None, description="null: the default pool")


class SourcePatch(Body):
    name: Text | None = Field(None, min_length=1, max_length=200)
    state: Literal["active", "paused"] | None = None
    settings: Settings | None = Field(
        None,
        description="single settings; the others and empty secrets stay, but a secret has to be given again when where it is"
        " sent (host, port, user, security, address of an API) changes",
    )
    allowed_hosts: Hosts | None = None
    line: Text | None = Field(None, max_length=100)
    pool: RowId | None = Field(None, description="null: the default pool")


def _shape(ask: Ask, row: SourceRow, state: SourceState) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "connector": row.connector,
        "channel": row.channel,
        "state": row.state,
        "status": state.as_json(),
        "line": row.line,
        "pool": id_text(row.pool_id),
        "allowed_hosts": list(row.allowed_hosts),
        "url": (row.url or None) if may(ask.principal, "sources.address") else None,
        "created_at": rfc3339(row.created_at),
        "last_event_at": rfc3339(row.last_event_at),
    }


def _one(ask: Ask, connection: Connection, source_id: int) -> dict[str, Any]:
    row = next((row for row in list_sources(connection, ask.config) if row.id == source_id), None)
    if row is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.")
    settings: dict[str, Any] | None
    try:
        settings = shown_settings(load_source(connection, ask.config, source_id))
    except (NotFound, Misconfigured):
        settings = None  # its connector is not installed any more
    return _shape(ask, row, _states(ask, connection)[source_id]) | {"settings": settings}


def _states(ask: Ask, connection: Connection) -> dict[int, SourceState]:
    return {one.source_id: one for one in source_states(connection, ask.config, ask.now)}


def _list(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        states = _states(ask, connection)
        rows = list_sources(connection, ask.config)
        return {"items": [_shape(ask, row, states[row.id]) for row in rows], "next": None}


def _get(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        return _one(ask, connection, ask.id("source"))


def _add(ask: Ask) -> Mapping[str, Any]:
    body = cast(SourceBody, ask.body)
    connector = registry.get(body.connector)
    settings = check_settings(connector, body.settings) if connector.pulls else None
    checked = check_source(settings, ask.config) if settings else None
    with ask.engine.begin() as connection:
        made = add_source(
            connection, ask.principal, ask.config, body.connector, body.name, body.settings, body.allowed_hosts,
            line=body.line, pool_id=body.pool,
        )  # fmt: skip
        if settings is not None:
            note_check(connection, made.id, settings, checked, ask.now)
        shown = _one(ask, connection, made.id)
    return shown | _told(checked) | ({"secret": made.secret} if made.secret else {})


def _told(checked: CheckResult | None) -> dict[str, Any]:
    """What trying it brought; it is saved all the same, and its status says so."""
    return {"check": checked.as_json()} if checked is not None else {}


def _columns(body: SourcePatch) -> dict[str, Any]:
    """Only what was sent; null means nothing, except for the pool."""
    columns: dict[str, Any] = body.model_dump(include={"name", "line", "allowed_hosts"}, exclude_unset=True, exclude_none=True)
    if "pool" in body.model_fields_set:
        columns["pool_id"] = body.pool
    return columns


def _change(ask: Ask) -> Mapping[str, Any]:
    source_id = ask.id("source")
    body = cast(SourcePatch, ask.body)
    settings = would_be(ask.engine, ask.principal, ask.config, source_id, body.settings or {})
    checked = check_source(settings, ask.config) if settings else None
    with ask.engine.begin() as connection:
        change_source(connection, ask.principal, source_id, _columns(body))
        if body.settings is not None:
            change_settings(connection, ask.principal, ask.config, source_id, body.settings)
        if settings is not None:
            note_check(connection, source_id, settings, checked, ask.now)
        if body.state is not None:
            set_state(connection, ask.principal, source_id, body.state)
        return _one(ask, connection, source_id) | _told(checked)


def _remove(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        remove_source(connection, ask.principal, ask.id("source"))


def _rotate(ask: Ask) -> Mapping[str, Any]:
    source_id = ask.id("source")
    with ask.engine.begin() as connection:
        rotate_token(connection, ask.principal, ask.config, source_id)
        return _one(ask, connection, source_id)


ROUTES = (
    Route("GET", "/sources", "sources.read", _list, "All sources", SourcePage),
    Route("POST", "/sources", "sources.write", _add, "Add a source; answers its address and, once, its secret",
          NewSource, body=SourceBody, status=201),
    Route("GET", "/sources/<id>", "sources.read", _get, "One source with its settings, secrets masked",
          SourceCard),
    Route("PATCH", "/sources/<id>", "sources.write", _change, "Change, pause or resume a source", SourceCard,
          body=SourcePatch),
    Route("DELETE", "/sources/<id>", "sources.write", _remove, "Remove a source that never received anything", None,
          status=204),
    Route("POST", "/sources/<id>/rotate", "sources.write", _rotate, "Give a source a new address", SourceCard),
)  # fmt: skip
