"""Calls to make, the longest overdue first: a working list, not an archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from crm_core.access import Principal
from crm_core.access.visibility import select_visible
from crm_core.activities.models import Activity
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, oldest_first, page
from crm_core.base.values import Named, named
from crm_core.contacts.models import Contact
from crm_core.people.models import Owner

_Member = aliased(Contact, name="member")
_Root = aliased(Contact, name="root")


@dataclass(frozen=True, slots=True)
class CallBackView:
    id: int  # of the activity
    title: str
    due_at: datetime
    phone: str
    missed: int
    tried: int
    lead_id: int | None
    owner: Named | None
    contact: Named | None


def count_call_backs(connection: Connection, principal: Principal, most: int) -> int:
    """How many rows `list_call_backs` has, at most `most`."""
    some = _open(select_visible(Activity, principal, Activity.id)).limit(most)
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0


def list_call_backs(
    connection: Connection, principal: Principal, limit: int = DEFAULT_LIMIT, after: Position | None = None
) -> Page[CallBackView]:
    """Open call-backs that the principal may see, by due time."""
    statement = (
        select_visible(
            Activity, principal, Activity.id, Activity.title, Activity.due_at, Activity.phone, Activity.missed, Activity.tried,
            Activity.lead_id, Activity.owner_id, Owner.name.label("owner_name"), _Root.id.label("root_id"),
            _Root.name.label("contact_name"),
        )
        .outerjoin(Owner, Owner.id == Activity.owner_id)
        .outerjoin(_Member, _Member.id == Activity.contact_id)
        .outerjoin(_Root, _Root.id == _Member.root_id)
    )  # fmt: skip
    rows = connection.execute(oldest_first(_open(statement), Activity.due_at, Activity.id, after, limit)).all()
    return page(rows, limit, _shape, lambda row: (row.due_at, row.id))


def _open(statement: AnySelect) -> AnySelect:
    return statement.where(Activity.state == "open", Activity.kind == "call_back")


def _shape(rows: Sequence[AnyRow]) -> list[CallBackView]:
    return [
        CallBackView(
            row.id, row.title, row.due_at, row.phone, row.missed, row.tried, row.lead_id, named(row.owner_id, row.owner_name),
            named(row.root_id, row.contact_name),
        )
        for row in rows
    ]  # fmt: skip
