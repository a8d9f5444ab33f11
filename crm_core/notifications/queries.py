"""What an employee was told, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from crm_core.access import Principal
from crm_core.access.visibility import select_visible, visible
from crm_core.base.paging import DEFAULT_LIMIT, Page, Position, newest_first, page
from crm_core.base.values import Named, named
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead
from crm_core.notifications.models import Notification
from crm_core.people.models import Owner

_FOR = aliased(Owner)


@dataclass(frozen=True, slots=True)
class NotificationView:
    id: int
    kind: str  # see crm_core.notifications.models.KINDS
    owner: Named  # whom it is for
    instead_of: Named | None  # who is away
    lead_id: int | None
    contact: Named | None  # None: the reader may not see the lead, or it is gone
    at: datetime
    read_at: datetime | None


def list_notifications(
    connection: Connection,
    principal: Principal,
    unread: bool | None = None,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[NotificationView]:
    """One's own; for whoever sees everybody's work and is no owner, all."""
    statement = (
        select_visible(
            Notification, principal, Notification.id, Notification.kind, Notification.owner_id, Owner.name.label("owner_name"),
            Notification.for_owner_id, _FOR.name.label("for_name"), Notification.lead_id, Notification.at, Notification.read_at,
            visible(Lead, principal).label("sees_lead"), Contact.id.label("contact_id"), Contact.name.label("contact_name"),
        )
        .join(Owner, Owner.id == Notification.owner_id)
        .outerjoin(_FOR, _FOR.id == Notification.for_owner_id)
        .outerjoin(Lead, Lead.id == Notification.lead_id)
        .outerjoin(Contact, Contact.id == Lead.contact_id)
    )  # fmt: skip
    if principal.owner_id is not None:
        statement = statement.where(Notification.owner_id == principal.owner_id)
    if unread is not None:
        statement = statement.where(Notification.read_at.is_(None) if unread else Notification.read_at.is_not(None))
    rows = connection.execute(newest_first(statement, None, Notification.id, after, limit)).all()
    return page(
        rows, limit,
        lambda shown: [
            NotificationView(
                row.id, row.kind, Named(row.owner_id, row.owner_name), named(row.for_owner_id, row.for_name), row.lead_id,
                Named(row.contact_id, row.contact_name) if row.sees_lead and row.contact_id is not None else None, row.at,
                row.read_at,
            )
            for row in shown
        ],
        lambda row: (None, row.id),
    )  # fmt: skip


def count_unread(connection: Connection, principal: Principal, most: int) -> int:
    """How many of one's own are unread, counted no further than `most` and one; 0 for somebody who is no owner."""
    if principal.owner_id is None:
        return 0
    some = (
        select_visible(Notification, principal, Notification.id)
        .where(Notification.owner_id == principal.owner_id, Notification.read_at.is_(None))
        .limit(most + 1)
    )
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0
