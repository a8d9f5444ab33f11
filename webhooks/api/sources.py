"""Sources. Their address is the key to post leads, so only who may hand it out sees it; secrets are never shown again."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue
from sqlalchemy import Connection

from connectors.kit import registry
from ingest.mailbox.source_check import CheckResult, check_source, note_check, would_be
from ingest.sources.changes import change_source, remove_source
from ingest.sources.queries import view_source, view_sources
from ingest.sources.settings import check_settings
from ingest.sources.sources import (
    add_source,
    change_settings,
    rotate_token,
    set_state,
)
from webhooks.api.parameters import RowId, Text
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Page, Shape, beside


class SourceError(Shape):
    code: str
    message: str


class SourceStatus(Shape):
    code: Literal[
        "works", "not_understood", "not_authentic", "silent", "refuses", "unreachable", "not_read", "unusable", "paused",
        "waiting", "unchecked", "put_off",
    ] = Field(description="how it does, as every page and command says it")  # fmt: skip
    trouble: bool = Field(validation_alias="in_trouble", description="a person has something to do about it")
    since: AwareDatetime | None
    count: int = Field(
        description="events that wait for a person because of it; put_off: mails that the server does not hand out"
    )
    silent_seconds: float | None = Field(validation_alias="seconds")
    usual_seconds: float | None = Field(description="between two events, when something usually comes")
    error: SourceError | None
    words: str = Field(description="one English sentence")


class SourceFinding(Shape):
    name: str
    ok: bool
    message: str


class SourceCheck(Shape):
    ok: bool
    error: SourceError | None = Field(validation_alias="failure")
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
    pool: Id | None = Field(validation_alias="pool_id")
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


def _one(ask: Ask, connection: Connection, source_id: int, **more: object) -> object:
    """The source as it is now, and what only this answer knows."""
    card = view_source(connection, ask.principal, ask.config, source_id, ask.now)
    return beside(card.source, settings=card.settings, **more)


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": view_sources(connection, ask.principal, ask.config, ask.now), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return _one(ask, connection, ask.id("source"))


def _add(ask: Ask) -> object:
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
        secret = {"secret": made.secret} if made.secret else {}
        return _one(ask, connection, made.id, **_told(checked), **secret)


def _told(checked: CheckResult | None) -> dict[str, CheckResult]:
    """What trying it brought; it is saved all the same, and its status says so."""
    return {"check": checked} if checked is not None else {}


def _columns(body: SourcePatch) -> dict[str, Any]:
    """Only what was sent; null means nothing, except for the pool."""
    columns: dict[str, Any] = body.model_dump(include={"name", "line", "allowed_hosts"}, exclude_unset=True, exclude_none=True)
    if "pool" in body.model_fields_set:
        columns["pool_id"] = body.pool
    return columns


def _change(ask: Ask) -> object:
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
        return _one(ask, connection, source_id, **_told(checked))


def _remove(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        remove_source(connection, ask.principal, ask.id("source"))


def _rotate(ask: Ask) -> object:
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
