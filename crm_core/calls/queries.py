"""Telephone calls, one row each, however many events told of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from crm_core.access import Principal
from crm_core.access.visibility import select_visible
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named, named
from crm_core.calls.models import Call
from crm_core.contacts.models import Contact
from crm_core.contacts.reach import members_of, members_with, phone_values
from crm_core.people.models import Owner
from crm_core.sources.models import Source

_Member = aliased(Contact, name="member")
_Root = aliased(Contact, name="root")


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What a list is narrowed by; None: by nothing."""

    outcome: str | None = None
    direction: str | None = None
    phase: str | None = None  # ringing | talking | ending | closed
    owner: int | None = None  # who talked
    source: int | None = None
    contact: int | None = None
    lead: int | None = None
    phone: str | None = None  # of the outside party, in any spelling
    since: datetime | None = None  # began at or after
    until: datetime | None = None  # began before


@dataclass(frozen=True, slots=True)
class CallView:
    id: int
    key: str
    source: Named
    direction: str
    phase: str
    outcome: str | None
    remote: str
    our_number: str
    extension: str
    owner: Named | None
    contact: Named | None
    lead_id: int | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    talk_seconds: float | None
    recording: str


def _select(principal: Principal) -> AnySelect:
    return (
        select_visible(
            Call, principal, Call.id, Call.call_key, Call.source_id, Source.name.label("source_name"), Call.direction, Call.phase,
            Call.outcome, Call.remote, Call.our_number, Call.extension, Call.owner_id,
            Owner.name.label("owner_name"), _Root.id.label("root_id"), _Root.name.label("contact_name"),
            Call.lead_id, Call.started_at, Call.answered_at, Call.ended_at, Call.talk_seconds, Call.recording,
        )
        .join(Source, Source.id == Call.source_id)
        .outerjoin(Owner, Owner.id == Call.owner_id)
        .outerjoin(_Member, _Member.id == Call.contact_id)
        .outerjoin(_Root, _Root.id == _Member.root_id)
    )  # fmt: skip


def list_calls(
    connection: Connection,
    principal: Principal,
    filters: CallFilter,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
    region: str = "RU",
) -> Page[CallView]:
    """Calls by the time they began, newest first."""
    statement = _select(principal)
    equal = {
        Call.outcome: filters.outcome, Call.direction: filters.direction, Call.phase: filters.phase,
        Call.owner_id: filters.owner, Call.source_id: filters.source, Call.lead_id: filters.lead,
    }  # fmt: skip
    for column, value in equal.items():
        if value is not None:
            statement = statement.where(column == value)
    if filters.contact is not None:
        statement = statement.where(Call.contact_id.in_(members_of(connection, filters.contact)))
    if filters.phone is not None:
        values = phone_values(filters.phone, region)
        statement = statement.where(Call.contact_id.in_(members_with(connection, "phone", values)) | Call.remote.in_(values))
    if filters.since is not None:
        statement = statement.where(Call.started_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(Call.started_at < filters.until)
    rows = connection.execute(newest_first(statement, Call.started_at, Call.id, after, limit)).all()
    return page(rows, limit, lambda shown: [_shape(row) for row in shown], lambda row: (row.started_at, row.id))


def get_call(connection: Connection, principal: Principal, call_id: int) -> CallView:
    row = connection.execute(_select(principal).where(Call.id == call_id)).one_or_none()
    if row is None:
        raise NotFound("call_unknown", f"There is no call {call_id}.")
    return _shape(row)


def _shape(row: AnyRow) -> CallView:
    return CallView(
        id=row.id,
        key=row.call_key,
        source=Named(row.source_id, row.source_name),
        direction=row.direction,
        phase=row.phase,
        outcome=row.outcome,
        remote=row.remote,
        our_number=row.our_number,
        extension=row.extension,
        owner=named(row.owner_id, row.owner_name),
        contact=named(row.root_id, row.contact_name),
        lead_id=row.lead_id,
        started_at=row.started_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        talk_seconds=row.talk_seconds,
        recording=row.recording,
    )
