"""The journal: events, their raw bytes, replay and dismissal. Raw bytes are handed out for saving, never for showing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal, cast

from flask import Response
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from crm_core.base.errors import Invalid, NotFound
from ingest.journal.queries import dismiss, get_event, list_events, look_at_raw
from ingest.processing.affected import affected
from ingest.processing.replay import ReplayReport as Report
from ingest.processing.replay import Selection, replay
from webhooks.api.parameters import RowId, Text, Time
from webhooks.api.route import Ask, Body, Paging, Route
from webhooks.api.shape import Id, Named, Page, Shape
from webhooks.waking import wake_all


class EventError(Shape):
    code: str | None
    message: str | None
    path: str | None


class Event(Shape):
    id: Id = Field(validation_alias="uid")
    source: Named
    channel: str
    received_at: AwareDatetime
    state: Literal["waiting", "working", "done", "needs_attention", "rejected"]
    outcome: Literal["created", "attached", "repeat", "auto", "spam", "test", "ignored", "dismissed"] | None
    reason: dict[str, Any]
    lead: Id | None = Field(validation_alias="lead_id")
    attempts: int
    error: EventError | None
    redeliveries: int
    size: int = Field(description="bytes")
    sha256: str
    unclaimed: bool
    done_at: AwareDatetime | None


class EventCard(Event):
    contact: Id | None = Field(validation_alias="contact_id")
    provider_key: str | None
    replayed: int


class ReplayChange(Shape):
    event: Id
    before: str
    after: str
    lead: str | None
    reason: Any


class ReplayReport(Shape):
    selected: int
    replayed: int
    dry_run: bool
    truncated: bool
    before: dict[str, int]
    after: dict[str, int]
    changed: int = Field(description="of a dry run: how many would end otherwise; `changes` names the first of them")
    changes: list[ReplayChange]


class EventPage(Page[Event]):
    pass


State = Literal["waiting", "working", "done", "needs_attention", "rejected"]
Outcome = Literal["created", "attached", "repeat", "auto", "spam", "test", "ignored", "dismissed"]

_UID = re.compile(r"[0-9a-f]{32}")


def _check_uid(value: str) -> str:
    if not _UID.fullmatch(value):
        raise ValueError("an event's id is 32 hexadecimal digits")
    return value


class EventQuery(Paging):
    state: State | None = None
    outcome: Outcome | None = None
    source: RowId | None = None
    channel: Literal["form", "call", "mail"] | None = None
    lead: RowId | None = None
    since: Time | None = Field(None, description="received at or after")
    until: Time | None = Field(None, description="received before")


class ReplayOneBody(Body):
    dry_run: bool = Field(False, description="only say what would be different")


class ReplayFilter(Body):
    ids: Annotated[list[Annotated[str, AfterValidator(_check_uid)]], Field(max_length=1000)] | None = None
    state: Literal["needs_attention", "rejected", "done"] | None = None
    outcome: Outcome | None = None
    source: RowId | None = None
    code: Text | None = Field(None, description="code of the error")
    since: Time | None = None
    until: Time | None = None
    affected: bool = Field(
        False, description="of the source's last events those that would be understood otherwise now; only with source"
    )


class ReplayBody(Body):
    model_config = ConfigDict(extra="forbid", frozen=True)

    filter: ReplayFilter = Field(description="at least one condition")
    dry_run: bool = Field(False, description="only say what would be different")


class DismissBody(Body):
    why: Text = Field(min_length=1, max_length=1000)


def _uid(ask: Ask) -> str:
    uid = ask.path["id"]
    if not _UID.fullmatch(uid):
        raise NotFound("event_unknown", "There is no such event.")
    return uid


def _list(ask: Ask) -> object:
    query = cast(EventQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_events(
            connection, query.state, query.outcome, query.source, query.since, query.limit, query.after,
            until=query.until, channel=query.channel, lead_id=query.lead,
        )  # fmt: skip


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_event(connection, _uid(ask))


def _raw(ask: Ask) -> Response:
    uid = _uid(ask)
    with ask.engine.begin() as connection:
        event = look_at_raw(connection, ask.principal, uid, "file")
    answer = Response(event.body, mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="event-{uid}.bin"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _replay_one(ask: Ask) -> Mapping[str, Any]:
    uid = _uid(ask)
    return asdict(_replay(ask, Selection(uids=(uid,)), cast(ReplayOneBody, ask.body).dry_run))


def _replay_many(ask: Ask) -> Mapping[str, Any]:
    body = cast(ReplayBody, ask.body)
    wanted = body.filter
    uids = tuple(wanted.ids or ())
    if wanted.affected:
        uids = _affected(ask, wanted)
        if not uids:
            return asdict(Report(dry_run=body.dry_run))
    selection = Selection(
        uids=uids, is_search=wanted.affected, state=wanted.state, outcome=wanted.outcome, source_id=wanted.source,
        code=wanted.code, since=wanted.since, until=wanted.until,
    )  # fmt: skip
    return asdict(_replay(ask, selection, body.dry_run))


def _affected(ask: Ask, wanted: ReplayFilter) -> tuple[str, ...]:
    if wanted.source is None or wanted.ids:
        raise Invalid("affected_of_a_source", "Give `affected` together with `source`, and without `ids`.", fields=["affected"])
    return tuple(affected(ask.engine, ask.config, wanted.source))


def _replay(ask: Ask, selection: Selection, dry_run: bool) -> Report:
    report = replay(ask.engine, ask.principal, ask.config, selection, dry_run)
    if report.replayed:
        wake_all(ask.config)
    return report


def _dismiss(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return dismiss(connection, ask.principal, _uid(ask), cast(DismissBody, ask.body).why, ask.now)


ROUTES = (
    Route("GET", "/events", "events.read", _list, "Events, newest first", EventPage, query=EventQuery),
    Route("POST", "/events/replay", "events.replay", _replay_many, "Send all events of a filter through again",
          ReplayReport, body=ReplayBody),
    Route("GET", "/events/<id>", "events.read", _get, "One event", EventCard),
    Route("GET", "/events/<id>/raw", "events.raw", _raw, "What arrived, byte for byte", None,
          media_type="application/octet-stream"),
    Route("POST", "/events/<id>/replay", "events.replay", _replay_one, "Send one event through again",
          ReplayReport, body=ReplayOneBody),
    Route("POST", "/events/<id>/dismiss", "events.replay", _dismiss, "Say that an event needs no lead",
          EventCard, body=DismissBody),
)  # fmt: skip
