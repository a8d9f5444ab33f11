"""What is planned for whom: call-back tasks and the rest, by due time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from crm_core.access import Principal
from crm_core.access.visibility import select_visible
from crm_core.activities.models import Activity
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named, named
from crm_core.contacts.models import Contact
from crm_core.contacts.reach import members_of
from crm_core.people.models import Owner

_Member = aliased(Contact, name="member")
_Root = aliased(Contact, name="root")


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What a list is narrowed by; None: by nothing."""

    state: str | None = None  # open | done | cancelled
    kind: str | None = None  # call_back | call | mail | meeting | task
    owner: int | None = None
    lead: int | None = None
    contact: int | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActivityView:
    id: int
    kind: str
    state: str
    title: str
    due_at: datetime
    owner: Named | None
    contact: Named | None
    lead_id: int | None
    call_id: int | None
    phone: str
    missed: int
    tried: int
    created_at: datetime
    closed_at: datetime | None


def _select(principal: Principal) -> AnySelect:
    return (
        select_visible(
            Activity, principal, Activity.id, Activity.kind, Activity.state, Activity.title, Activity.due_at, Activity.lead_id,
            Activity.owner_id, Owner.name.label("owner_name"), _Root.id.label("root_id"),
            _Root.name.label("contact_name"), Activity.call_id, Activity.phone, Activity.missed, Activity.tried,
            Activity.created_at, Activity.closed_at,
        )
        .outerjoin(Owner, Owner.id == Activity.owner_id)
        .outerjoin(_Member, _Member.id == Activity.contact_id)
        .outerjoin(_Root, _Root.id == _Member.root_id)
    )  # fmt: skip


def list_activities(
    connection: Connection,
    principal: Principal,
    filters: ActivityFilter,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[ActivityView]:
    """By due time, the latest first. A plan that is moved while somebody pages may show twice or not at all."""
    statement = _select(principal)
    equal = {
        Activity.state: filters.state, Activity.kind: filters.kind, Activity.owner_id: filters.owner,
        Activity.lead_id: filters.lead,
    }  # fmt: skip
    for column, value in equal.items():
        if value is not None:
            statement = statement.where(column == value)
    if filters.contact is not None:
        statement = statement.where(Activity.contact_id.in_(members_of(connection, filters.contact)))
    if filters.due_before is not None:
        statement = statement.where(Activity.due_at < filters.due_before)
    rows = connection.execute(newest_first(statement, Activity.due_at, Activity.id, after, limit)).all()
    return page(rows, limit, lambda shown: [_shape(row) for row in shown], lambda row: (row.due_at, row.id))


def get_activity(connection: Connection, principal: Principal, activity_id: int) -> ActivityView:
    row = connection.execute(_select(principal).where(Activity.id == activity_id)).one_or_none()
    if row is None:
        raise NotFound("activity_unknown", f"There is no activity {activity_id}.")
    return _shape(row)


def _shape(row: AnyRow) -> ActivityView:
    return ActivityView(
        id=row.id,
        kind=row.kind,
        state=row.state,
        title=row.title,
        due_at=row.due_at,
        owner=named(row.owner_id, row.owner_name),
        contact=named(row.root_id, row.contact_name),
        lead_id=row.lead_id,
        call_id=row.call_id,
        phone=row.phone,
        missed=row.missed,
        tried=row.tried,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
