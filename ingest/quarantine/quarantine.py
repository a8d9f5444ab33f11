"""What was set aside as spam, for people: look, release, confirm. A release is a replay with a person's verdict above all
rules, so that it makes one lead however often it is pressed. What is held for lack of a consent is released the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, literal, select, text

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, HubError, Invalid, NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named
from crm_core.forms.models import SourceAlert
from crm_core.intake import ParsedEvent
from crm_core.parsed import Inquiry
from crm_core.sources.models import InboundEvent, Source
from ingest.journal import transitions
from ingest.journal.claim import Claimed
from ingest.journal.raw_event import safe_text
from ingest.processing.parse import read
from ingest.sources.settings import LoadedSource, loaded

RELEASED = history.Action("quarantine.release", of="events")
CONFIRMED = history.Action("quarantine.confirm", of="events")
CONSENT_ACCEPTED = history.Action("consent.accept", of="events")

_RIGHT: Final = "quarantine.judge"

SHELVES: Final = ("review", "buried", "confirmed")
MOST_EVENTS: Final = 10_000  # one order releases or confirms at most
REVIEW_DAYS: Final = 30  # as far back as the list and its figures look

_LARGEST_PREVIEW: Final = 256 * 1024  # bytes of body; larger ones are to be opened singly
_PREVIEW_CHARS: Final = 300

_SHELF: Final = """
CASE WHEN verdict->>'spam' = 'spam' THEN 'confirmed' WHEN (reason->>'buried')::boolean THEN 'buried' ELSE 'review' END
"""
_PICK: Final = """
    outcome = 'spam' AND channel = 'form' AND erased_at IS NULL AND lead_id IS NULL
    AND (CAST(:uids AS text[]) IS NULL OR uid = ANY(:uids))
    AND (CAST(:source AS bigint) IS NULL OR source_id = :source)
    AND (CAST(:since AS timestamptz) IS NULL OR received_at >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR received_at < :until)
    AND (NOT :burst OR reason @> '{"reasons": [{"code": "burst"}]}')
"""
_UNCONFIRMED: Final = "verdict->>'spam' IS DISTINCT FROM 'spam'"


@dataclass(frozen=True, slots=True)
class Pick:
    """Which events: by id (uid), or those of a source in a span of time. An empty one is refused."""

    uids: tuple[str, ...] = ()
    source_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    burst: bool = False  # only what came while the source was flooded

    def parameters(self) -> dict[str, Any]:
        if not self.uids and self.source_id is None:
            raise Invalid("nothing_selected", "Name events, or a source.", fields=["ids"])
        return {"uids": list(self.uids) or None, "source": self.source_id, "since": self.since, "until": self.until,
                "burst": self.burst, "most": MOST_EVENTS}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreviewView:
    name: str
    phones: Sequence[str]
    emails: Sequence[str]
    company: str
    message: str  # its beginning
    form: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    by: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    uid: str  # of the event
    source: Named
    received_at: datetime
    score: int
    reasons: Sequence[Mapping[str, Any]]
    shelf: str
    judged: VerdictView | None
    preview: PreviewView | None  # None where the raw bytes are too large or cannot be read any more


def list_quarantine(
    connection: Connection,
    config: HubConfig,
    now: datetime,
    shelf: str | None = "review",
    source_id: int | None = None,
    days: int = REVIEW_DAYS,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[QuarantineItem]:
    """Newest first. `shelf` None: all.

    A preview is read anew from the raw bytes.
    """
    statement = (
        select(
            InboundEvent.id, InboundEvent.uid, InboundEvent.source_id, Source.name.label("source_name"),
            InboundEvent.channel, InboundEvent.received_at, InboundEvent.method, InboundEvent.path, InboundEvent.query,
            InboundEvent.headers, InboundEvent.remote_ip, InboundEvent.reason, InboundEvent.verdict, InboundEvent.verified_at_door,
            func.octet_length(InboundEvent.body).label("size"), text(f"{_SHELF} AS shelf"),
        )
        .join(Source, Source.id == InboundEvent.source_id)
    )  # fmt: skip
    statement = _set_aside(statement, now, source_id, days)
    if shelf is not None:
        if shelf not in SHELVES:
            raise Invalid("shelf_unknown", f"There is no shelf {shelf!r}; choose {', '.join(SHELVES)}.", fields=["shelf"])
        statement = _on_shelf(statement, shelf)
    rows = connection.execute(newest_first(statement, None, InboundEvent.id, after, limit)).all()
    bodies = _bodies(connection, [row.id for row in rows if row.size <= _LARGEST_PREVIEW])
    load = source_loader(connection, config)
    return page(
        rows, limit, lambda shown: [_shown(row, _preview(row, bodies.get(row.id), load)) for row in shown],
        lambda row: (None, row.id),
    )  # fmt: skip


def count_quarantine(
    connection: Connection, now: datetime, days: int = REVIEW_DAYS, most: int = MOST_EVENTS, source_id: int | None = None,
    shelves: Sequence[str] = SHELVES,
) -> dict[str, int]:  # fmt: skip
    """How many rows `list_quarantine` has on each shelf, at most `most`: {"review": 3, "buried": 40, "confirmed": 0}."""
    counts = {}
    for shelf in shelves:
        some = _on_shelf(_set_aside(select(InboundEvent.id), now, source_id, days), shelf).limit(most)
        counts[shelf] = connection.scalar(select(func.count()).select_from(some.subquery())) or 0
    return counts


def count_picked(connection: Connection, pick: Pick) -> int:
    """How many events `release` would send on."""
    return int(connection.execute(text(f"SELECT count(*) FROM inbound_event WHERE {_PICK}"), pick.parameters()).scalar_one())


def _held(connection: Connection, pick: Pick, more: str = "true") -> Sequence[int]:
    """The picked events, locked."""
    statement = f"SELECT id FROM inbound_event WHERE {_PICK} AND {more} ORDER BY id LIMIT :most FOR UPDATE"
    return connection.scalars(text(statement), pick.parameters()).all()


def _set_aside(statement: AnySelect, now: datetime, source_id: int | None, days: int) -> AnySelect:
    statement = statement.where(
        InboundEvent.outcome == literal("spam", literal_execute=True),  # so that the planner knows the partial index
        InboundEvent.channel == literal("form", literal_execute=True), InboundEvent.received_at >= now - timedelta(days=days),
        InboundEvent.erased_at.is_(None),
        InboundEvent.lead_id.is_(None),  # a lead that somebody called spam is brought back on the lead
    )  # fmt: skip
    return statement if source_id is None else statement.where(InboundEvent.source_id == source_id)


def _on_shelf(statement: AnySelect, shelf: str) -> AnySelect:
    """An index over the very same expression finds them, however much was set aside."""
    return statement.where(text(f"{_SHELF} = :shelf").bindparams(shelf=shelf))


def release(connection: Connection, principal: Principal, pick: Pick, now: datetime) -> int:
    """Says that they are genuine and sends them on; returns how many. The caller wakes the workers after the commit.

    Whoever presses second, or in another tab, finds nothing to release: each becomes a lead once. Raises Conflict where
    events are named and none of them is set aside.
    """
    demand(principal, _RIGHT)
    verdict = {"spam": "ham", "by": principal.actor, "at": now.isoformat()}
    sent = transitions.release(connection, _held(connection, pick), verdict)
    _require_some(pick, sent)
    return _told(connection, principal, RELEASED, sent, pick)


def confirm(connection: Connection, principal: Principal, pick: Pick, now: datetime) -> int:
    """Says that they are spam: they stay where they are, and nobody is asked again. Returns how many were not yet. Raises Conflict
    where events are named and none of them is still to be judged."""
    demand(principal, _RIGHT)
    verdict = {"spam": "spam", "by": principal.actor, "at": now.isoformat()}
    confirmed = transitions.confirm(connection, _held(connection, pick, _UNCONFIRMED), verdict)
    _require_some(pick, confirmed)
    return _told(connection, principal, CONFIRMED, confirmed, pick)


def accept_consent(connection: Connection, principal: Principal, uids: Sequence[str], now: datetime) -> int:
    """A person answers for the consent of inquiries that are held for lack of one, and sends them on; returns how many.
    Raises NotFound, or Conflict where none of them is held."""
    demand(principal, _RIGHT)
    uids = [safe_text(uid) for uid in uids]
    verdict = {"consent": "accepted", "consent_by": principal.actor, "consent_at": now.isoformat()}
    sent = transitions.accept_consent(connection, uids, verdict)
    if not sent:
        if connection.scalar(select(InboundEvent.id).where(InboundEvent.uid.in_(uids)).limit(1)) is None:
            raise NotFound("event_unknown", "There is no such event.")
        raise Conflict("consent_not_held", "This inquiry is not held for lack of a consent; somebody may have decided already.")
    return _told(connection, principal, CONSENT_ACCEPTED, sent, Pick(tuple(uids)))


def _require_some(pick: Pick, judged: Sequence[str]) -> None:
    if pick.uids and not judged:
        raise Conflict("nothing_to_judge", "Nothing was done: none of these is set aside and still to be judged.")


def of_alert(connection: Connection, alert_id: int) -> Pick:
    """What stands aside because of a burst. NotFound if there is no such alert."""
    alert = connection.execute(
        select(SourceAlert.source_id, SourceAlert.data).where(SourceAlert.id == alert_id, SourceAlert.code == "burst")
    ).one_or_none()
    if alert is None:
        raise NotFound("alert_unknown", "There is no such burst.")
    since, until = (alert.data.get(name) for name in ("since", "until"))
    return Pick(
        source_id=alert.source_id, burst=True,
        since=datetime.fromisoformat(since) if since else None, until=datetime.fromisoformat(until) if until else None,
    )  # fmt: skip


def _told(connection: Connection, principal: Principal, action: history.Action, uids: Sequence[str], pick: Pick) -> int:
    if uids:
        history.record(
            connection, principal, action if pick.source_id is None else replace(action, of="source"), pick.source_id,
            {"count": len(uids), "first": uids[0]},
        )  # fmt: skip
    return len(uids)


def _bodies(connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
    rows = connection.execute(select(InboundEvent.id, InboundEvent.body).where(InboundEvent.id.in_(ids))).all()
    return {row.id: bytes(row.body) for row in rows}


def source_loader(connection: Connection, config: HubConfig) -> Callable[[int], LoadedSource]:
    """Sources as the workers see them, each asked for once."""
    known: dict[int, LoadedSource] = {}

    def load(source_id: int) -> LoadedSource:
        if source_id not in known:
            row = connection.execute(
                text(
                    "SELECT s.*, m.rules AS mapping, m.version AS mapping_version FROM source s LEFT JOIN source_mapping m"
                    " ON m.source_id = s.id AND m.state = 'published' WHERE s.id = :id"
                ),
                {"id": source_id},
            ).mappings().one()  # fmt: skip
            known[source_id] = loaded(config, dict(row))
        return known[source_id]

    return load


def _preview(row: AnyRow, body: bytes | None, load: Callable[[int], LoadedSource]) -> PreviewView | None:
    if body is None:
        return None
    event = Claimed(
        row.id, row.uid, row.source_id, row.channel, row.received_at, row.method, row.path, row.query, row.headers, body,
        row.remote_ip, unclaimed=False, attempts=0, replayed=1, verified_at_door=row.verified_at_door,
    )  # fmt: skip
    try:
        item = read(event, load)
    except HubError:
        return None
    inquiry = (
        next((one for one in item.parsed_items if isinstance(one, Inquiry)), None) if isinstance(item, ParsedEvent) else None
    )
    if inquiry is None:
        return None
    return PreviewView(
        inquiry.name[:_PREVIEW_CHARS], inquiry.phones[:3], inquiry.emails[:3], inquiry.company[:_PREVIEW_CHARS],
        inquiry.message[:_PREVIEW_CHARS], inquiry.form_name or inquiry.form_id,
    )  # fmt: skip


def _shown(row: AnyRow, preview: PreviewView | None) -> QuarantineItem:
    verdict = row.verdict or {}
    at = verdict.get("at")
    return QuarantineItem(
        row.uid, Named(row.source_id, row.source_name), row.received_at, row.reason.get("score", 0),
        row.reason.get("reasons", []), row.shelf,
        VerdictView(verdict.get("by"), datetime.fromisoformat(at) if at else None) if verdict.get("spam") else None, preview,
    )  # fmt: skip
