"""One search over clients, leads and what was said: for the page with the box, and for lists that are narrowed by words.

What belongs to a colleague is not shown: only that he has somebody of that whole name or number, so that nobody calls twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection, and_, false, func, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.access import Principal, may
from crm_core.access.visibility import select_any, select_visible, visible
from crm_core.base.paging import AnyRow
from crm_core.base.values import Named, named
from crm_core.calls.models import Call
from crm_core.contacts.models import Contact
from crm_core.contacts.queries import ContactView, contacts_by_id
from crm_core.leads.models import Lead
from crm_core.leads.queries import LeadView, leads_by_id
from crm_core.people.models import Owner
from crm_core.search import SearchQuery, catch_up, found_in, read_query
from crm_core.sources.models import InboundEvent, Source
from crm_core.timeline.models import Touch

T = TypeVar("T")

#: Of each group; what is more is counted up to the second and opened as a list.
DEFAULT_LIMIT: Final = 10
MOST_COUNTED: Final = 1_000
_MOST_OWNERS: Final = 5
_EXCERPT_CHARS: Final = 4_000  # of a touch's text, out of which a page shows the place


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEvent:
    event: str | None  # uid of the event that brought it, for roles that may read events
    kind: str  # form | call | mail | comment
    direction: str
    at: datetime
    lead_id: int | None
    contact: Named | None = None
    source: str | None
    title: str = ""
    text: str = ""  # what was said, its beginning
    phone: str = ""  # of a call: the other side's number
    state: str | None = None  # of an event found by its id
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class FoundGroup(Generic[T]):
    items: Sequence[T]
    count: int  # counted up to MOST_COUNTED

    @property
    def more(self) -> bool:
        return self.count > len(self.items)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who has a client that is meant and that the asker does not see."""

    id: int
    name: str
    extension: str


@dataclass(frozen=True, slots=True)
class Found:
    q: str  # what was read of the query
    cut: bool  # only the first words were read
    contacts: FoundGroup[ContactView]
    leads: FoundGroup[LeadView]
    events: FoundGroup[FoundEvent]
    others: Sequence[Colleague]


def search(connection: Connection, principal: Principal, typed: str, region: str, limit: int = DEFAULT_LIMIT) -> Found:
    """Each group newest first."""
    query = read_query(typed, region)
    catch_up(connection)
    return Found(
        query.text,
        query.cut,
        _contacts(connection, principal, query, limit),
        _leads(connection, principal, query, limit),
        _events(connection, principal, query, limit),
        _others(connection, principal, query),
    )


def _group(connection: Connection, ids: Any, limit: int) -> tuple[list[int], int]:
    """The newest ids and how many there are, counted up to MOST_COUNTED."""
    found = list(connection.scalars(ids.limit(MOST_COUNTED)))
    return found[:limit], len(found)


def _contacts(connection: Connection, principal: Principal, query: SearchQuery, limit: int) -> FoundGroup[ContactView]:
    if not may(principal, "contacts.read") or not query.terms:
        return FoundGroup([], 0)
    clause = and_(Contact.id == Contact.root_id, Contact.id.in_(found_in("contact", query)))
    ids, count = _group(
        connection,
        select_visible(Contact, principal, Contact.id).where(clause).order_by(Contact.last_seen_at.desc(), Contact.id.desc()),
        limit,
    )
    return FoundGroup(contacts_by_id(connection, principal, ids), count)


def _leads(connection: Connection, principal: Principal, query: SearchQuery, limit: int) -> FoundGroup[LeadView]:
    if not may(principal, "leads.read") or not query:
        return FoundGroup([], 0)
    clause: ColumnElement[bool] = Lead.id.in_(found_in("lead", query)) if query.terms else false()
    if query.uid:
        clause = or_(clause, Lead.id.in_(select(InboundEvent.lead_id).where(InboundEvent.uid == query.uid)))
    ids, count = _group(
        connection,
        select_visible(Lead, principal, Lead.id).where(clause).order_by(Lead.received_at.desc(), Lead.id.desc()),
        limit,
    )
    return FoundGroup(leads_by_id(connection, principal, ids), count)


def _events(connection: Connection, principal: Principal, query: SearchQuery, limit: int) -> FoundGroup[FoundEvent]:
    """What was written and said, with the event that brought it; and the event whose id was typed."""
    if not may(principal, "leads.read") or not query:
        return FoundGroup([], 0)
    rows: list[FoundEvent] = []
    if query.uid and may(principal, "events.read"):
        rows = [_of_event(row) for row in connection.execute(_event_statement().where(InboundEvent.uid == query.uid))]
    count = len(rows)
    if query.terms and not rows:
        clause = Touch.id.in_(found_in("touch", query))
        ids, count = _group(
            connection, select_visible(Touch, principal, Touch.id).where(clause).order_by(Touch.at.desc(), Touch.id.desc()), limit
        )
        rows = _touches(connection, principal, ids, may(principal, "events.read"))
    return FoundGroup(rows, count)


def _touches(connection: Connection, principal: Principal, ids: Sequence[int], names_event: bool) -> list[FoundEvent]:
    rows = connection.execute(
        select_visible(
            Touch, principal, Touch.id, Touch.kind, Touch.direction, Touch.at, Touch.lead_id, Touch.title, Touch.data, InboundEvent.uid,
            func.left(Touch.text, _EXCERPT_CHARS).label("said"), Contact.root_id, Contact.name, Source.name.label("source_name"),
            Call.remote, Call.talk_seconds,
        )
        .join(Contact, Contact.id == Touch.contact_id)
        .outerjoin(Source, Source.id == Touch.source_id)
        .outerjoin(InboundEvent, InboundEvent.id == Touch.event_id)
        .outerjoin(Call, Call.id == Touch.call_id)
        .where(Touch.id.in_(ids))
        .order_by(Touch.at.desc(), Touch.id.desc())
    )  # fmt: skip
    return [
        FoundEvent(
            event=row.uid if names_event else None,
            kind=row.kind,
            direction=row.direction,
            at=row.at,
            lead_id=row.lead_id,
            contact=named(row.root_id, row.name),
            source=row.source_name,
            title=row.title,
            text=row.said,
            phone=row.remote or "",
        )
        for row in rows
    ]


def _event_statement() -> Any:
    return select(
        InboundEvent.uid, InboundEvent.channel, InboundEvent.received_at, InboundEvent.lead_id, InboundEvent.state,
        InboundEvent.outcome, Source.name.label("source_name"),
    ).join(Source, Source.id == InboundEvent.source_id)  # fmt: skip


def _of_event(row: AnyRow) -> FoundEvent:
    return FoundEvent(
        event=row.uid, kind=row.channel, direction="in", at=row.received_at, lead_id=row.lead_id, source=row.source_name,
        state=row.state, outcome=row.outcome,
    )  # fmt: skip


def _others(connection: Connection, principal: Principal, query: SearchQuery) -> list[Colleague]:
    """Owners of clients that are meant by whole words and are hidden from the principal."""
    if not may(principal, "contacts.read") or not query.whole_words:
        return []
    rows = connection.execute(
        select_any(Owner.id, Owner.name, Owner.extension, because="of hidden clients only whose they are is told")
        .join(Contact, Contact.owner_id == Owner.id)
        .where(
            Contact.id == Contact.root_id, Contact.id.in_(found_in("contact", query, whole=True)),
            not_(visible(Contact, principal)),
        )
        .group_by(Owner.id, Owner.name, Owner.extension)
        .order_by(Owner.name)
        .limit(_MOST_OWNERS)
    )  # fmt: skip
    return [Colleague(row.id, row.name, row.extension) for row in rows]
