"""Reading the journal as the contract shows events, the raw bytes, and a person's word that one needs no lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, literal, select

from connectors.kit import Request
from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named
from crm_core.sources.models import InboundEvent, Source
from ingest.journal import transitions
from ingest.journal.raw_event import safe_text
from ingest.journal.states import DISMISS, OUTCOMES, PENDING, REJECTED, STATES
from ingest.journal.stats import count_captures

RAW_SHOWN = history.Action("event.raw")
EVENT_DISMISSED = history.Action("event.dismiss")

#: What people count as one thing: what a person must look at, and what is on its way.
GROUPS: Mapping[str, tuple[str, ...]] = {"attention": ("needs_attention", "rejected"), "pending": PENDING}

#: Counted no further than this, and shown as "more than": a flood must not slow a page down.
MOST_COUNTED = 10_000

_LONGEST_WHY = 1_000  # characters of a person's reason


@dataclass(frozen=True, slots=True)
class RawEvent:
    """What arrived, byte for byte, with the headers as they were kept (secrets masked)."""

    uid: str
    method: str
    path: str
    query: str
    headers: Mapping[str, Any]
    body: bytes
    received_at: datetime

    @property
    def content_type(self) -> str:
        return str(self.headers.get("content-type", "")) or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class EventError:
    code: str | None
    message: str | None
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    uid: str
    source: Named
    channel: str
    received_at: datetime
    state: str
    outcome: str | None
    reason: Mapping[str, Any]
    lead_id: int | None
    attempts: int
    error: EventError | None
    redeliveries: int
    size: int  # bytes
    sha256: str
    unclaimed: bool
    done_at: datetime | None

    @property
    def is_pending(self) -> bool:
        """On its way: it waits for its turn or is being worked on."""
        return self.state in GROUPS["pending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCard(EventView):
    """With what a person asks next."""

    contact_id: int | None
    provider_key: str | None
    replayed: int


def _statement() -> AnySelect:
    body = InboundEvent.body
    return select(
        InboundEvent.id, InboundEvent.uid, InboundEvent.source_id,
        func.coalesce(Source.name, func.concat("#", InboundEvent.source_id)).label("source_name"),
        InboundEvent.channel, InboundEvent.received_at, InboundEvent.state, InboundEvent.outcome, InboundEvent.reason,
        InboundEvent.lead_id, InboundEvent.contact_id, InboundEvent.attempts, InboundEvent.error,
        InboundEvent.redeliveries, InboundEvent.unclaimed, InboundEvent.replayed, InboundEvent.done_at,
        InboundEvent.provider_key, InboundEvent.rejected_key,
        func.octet_length(body).label("size"), func.encode(func.sha256(body), "hex").label("sha256"),
    ).outerjoin(Source, Source.id == InboundEvent.source_id)  # fmt: skip


def list_events(
    connection: Connection,
    state: str | None = None,
    outcome: str | None = None,
    source_id: int | None = None,
    since: datetime | None = None,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
    *,
    until: datetime | None = None,
    channel: str | None = None,
    lead_id: int | None = None,
) -> Page[EventView]:
    """Newest first. `state` may be one of GROUPS. Invalid for a state or outcome that there is not, and for a foreign cursor."""
    statement = _narrowed(_statement(), state, outcome, source_id, since, until, channel, lead_id)
    rows = connection.execute(newest_first(statement, None, InboundEvent.id, after, limit)).all()
    return page(rows, limit, lambda shown: [EventView(**_facts(row)) for row in shown], lambda row: (None, row.id))


def count_events(
    connection: Connection,
    state: str | None = None,
    outcome: str | None = None,
    source_id: int | None = None,
    since: datetime | None = None,
    *,
    until: datetime | None = None,
    channel: str | None = None,
    most: int = MOST_COUNTED,
) -> int:
    """How many rows `list_events` has for the same filters, at most `most`: the figure that opens the list."""
    some = _narrowed(select(InboundEvent.id), state, outcome, source_id, since, until, channel, None).limit(most)
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0


def _narrowed(
    statement: AnySelect, state: str | None, outcome: str | None, source_id: int | None, since: datetime | None,
    until: datetime | None, channel: str | None, lead_id: int | None,
) -> AnySelect:  # fmt: skip
    if state is not None:
        one_of = GROUPS.get(state) or (_one_of("state", state, tuple(STATES)),)
        # Literals, so that the planner sees that the partial indexes over these states serve.
        statement = statement.where(InboundEvent.state.in_([literal(name, literal_execute=True) for name in one_of]))
    if outcome is not None:
        statement = statement.where(InboundEvent.outcome == _one_of("outcome", outcome, OUTCOMES))
    if channel is not None:
        statement = statement.where(InboundEvent.channel == _one_of("channel", channel, ("form", "call", "mail")))
    if source_id is not None:
        statement = statement.where(InboundEvent.source_id == source_id)
    if lead_id is not None:
        statement = statement.where(InboundEvent.lead_id == lead_id)
    if since is not None:
        statement = statement.where(InboundEvent.received_at >= since)
    if until is not None:
        statement = statement.where(InboundEvent.received_at < until)
    return statement


def get_event(connection: Connection, uid: str) -> EventCard:
    """One event as the contract shows it, with what a person asks next: key, unclaimed, replays. NotFound."""
    row = connection.execute(_statement().where(InboundEvent.uid == safe_text(uid))).one_or_none()
    if row is None:
        raise _unknown()
    return EventCard(**_facts(row), contact_id=row.contact_id, provider_key=row.provider_key, replayed=row.replayed)


def look_at_raw(connection: Connection, principal: Principal, uid: str, how: Literal["page", "file"]) -> RawEvent:
    """The raw event for a person's eyes, and the row of the audit that says who looked. NotFound. The only way to one."""
    demand(principal, "events.raw")
    event = _raw(connection, uid)
    history.record(connection, principal, RAW_SHOWN, event.uid, {"as": how})
    return event


def request_of(connection: Connection, uid: str) -> Request:
    """The event as a connector gets it, to find out what reads it. NotFound. What it holds is not to be shown."""
    event = _raw(connection, uid)
    return Request(event.method, event.path, event.query, event.headers, event.body, event.received_at)


def _raw(connection: Connection, uid: str) -> RawEvent:
    row = connection.execute(
        select(
            InboundEvent.uid, InboundEvent.method, InboundEvent.path, InboundEvent.query, InboundEvent.headers,
            InboundEvent.body, InboundEvent.received_at,
        ).where(InboundEvent.uid == safe_text(uid))
    ).one_or_none()  # fmt: skip
    if row is None:
        raise _unknown()
    return RawEvent(row.uid, row.method, row.path, row.query, row.headers, bytes(row.body), row.received_at)


def dismiss(connection: Connection, principal: Principal, uid: str, why: str, now: datetime) -> EventCard:
    """A person says that this event needs no lead. Invalid without a reason, Conflict if it is done or being worked on."""
    demand(principal, "events.replay")
    why = safe_text(why).strip()[:_LONGEST_WHY]
    if not why:
        raise Invalid("why_missing", "Say why this event needs no lead.", fields=["why"])
    row = connection.execute(
        select(
            InboundEvent.id,
            InboundEvent.state,
            InboundEvent.channel,
            InboundEvent.received_at,
            InboundEvent.done_at,
        )
        .where(InboundEvent.uid == safe_text(uid))
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise _unknown()
    if row.state not in DISMISS.origins:
        raise Conflict(
            "event_not_open",
            f"This event is {row.state.replace('_', ' ')}; there is nothing to dismiss.",
            state=row.state,
        )
    transitions.dismiss(connection, row.id, {"code": "dismissed", "by": principal.actor, "why": why}, now)
    _count_first_outcomes(connection, [row], now)
    history.record(connection, principal, EVENT_DISMISSED, uid)  # the reason may name people: it stands on the event
    return get_event(connection, uid)


def _count_first_outcomes(connection: Connection, rows: Sequence[AnyRow], now: datetime) -> None:
    """For the metrics, in the caller's transaction. An event that was finished before is not counted again."""
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor:
        count_captures(
            cursor,
            (
                (row.channel, "dismissed", max(0.0, (now - row.received_at).total_seconds()))
                for row in rows
                if row.done_at is None
            ),
        )


def _facts(row: AnyRow) -> dict[str, Any]:
    """What a list and a card both show."""
    error = row.error
    return {
        "uid": row.uid,
        "source": Named(row.source_id, row.source_name),
        "channel": row.channel,
        "received_at": row.received_at,
        "state": row.state,
        "outcome": row.outcome,
        "reason": row.reason | ({"provider_key": row.rejected_key} if row.state == REJECTED and row.rejected_key else {}),
        "lead_id": row.lead_id,
        "attempts": row.attempts,
        "error": EventError(error.get("code"), error.get("message"), error.get("path")) if error else None,
        "redeliveries": row.redeliveries,
        "size": row.size,
        "sha256": row.sha256,
        "unclaimed": row.unclaimed,
        "done_at": row.done_at,
    }


def _one_of(what: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise Invalid(f"{what}_unknown", f"There is no {what} {value!r}; choose {', '.join(known)}.", fields=[what])
    return value


def _unknown() -> NotFound:
    return NotFound("event_unknown", "There is no such event.")
