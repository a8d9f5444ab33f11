"""Messages to colleagues: what waits for whom, and what was read when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from crm_core.access import Principal
from crm_core.access.actors import names_of
from crm_core.access.visibility import select_visible, visible
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead
from crm_core.mentions.models import Mention
from crm_core.people.models import Owner


@dataclass(frozen=True, slots=True)
class MentionFilter:
    """What a list is narrowed by; None: by nothing."""

    owner: int | None = None  # whom it is for
    lead: int | None = None
    unread: bool | None = None


@dataclass(frozen=True, slots=True)
class MentionView:
    id: int
    lead_id: int
    contact: Named | None  # None: whoever reads this may not see the lead
    author: str  # as history names whoever acts: "user:7"
    author_name: str  # "" for a program that has none
    owner: Named  # whom it is for
    text: str
    created_at: datetime
    read_at: datetime | None


def list_mentions(
    connection: Connection,
    principal: Principal,
    filters: MentionFilter,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[MentionView]:
    """Those for the principal and those about leads of theirs; for whoever sees all leads, all. Newest first."""
    statement = _select(principal)
    if filters.owner is not None:
        statement = statement.where(Mention.owner_id == filters.owner)
    if filters.lead is not None:
        statement = statement.where(Mention.lead_id == filters.lead)
    if filters.unread is not None:
        statement = statement.where(Mention.read_at.is_(None) if filters.unread else Mention.read_at.is_not(None))
    rows = connection.execute(newest_first(statement, Mention.created_at, Mention.id, after, limit)).all()
    return page(rows, limit, lambda shown: _views(connection, shown), lambda row: (row.created_at, row.id))


def get_mention(connection: Connection, principal: Principal, mention_id: int) -> MentionView:
    """Raises NotFound, also for one that the principal may not see."""
    row = connection.execute(_select(principal).where(Mention.id == mention_id)).one_or_none()
    if row is None:
        raise NotFound("mention_unknown", f"There is no message {mention_id}.")
    return _views(connection, [row])[0]


def count_unread(connection: Connection, principal: Principal, most: int) -> int:
    """How many wait for the principal, counted no further than `most` and one; 0 for somebody who is no owner."""
    if principal.owner_id is None:
        return 0
    some = (
        select_visible(Mention, principal, Mention.id)
        .where(Mention.owner_id == principal.owner_id, Mention.read_at.is_(None))
        .limit(most + 1)
    )
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0


def _select(principal: Principal) -> AnySelect:
    return (
        select_visible(
            Mention, principal, Mention.id, Mention.lead_id, Mention.author, Mention.owner_id, Owner.name.label("owner_name"),
            Mention.text, Mention.created_at, Mention.read_at, visible(Lead, principal).label("sees_lead"),
            Contact.id.label("contact_id"), Contact.name.label("contact_name"),
        )
        .join(Owner, Owner.id == Mention.owner_id)
        .join(Lead, Lead.id == Mention.lead_id)
        .join(Contact, Contact.id == Lead.contact_id)
    )  # fmt: skip


def _views(connection: Connection, rows: Sequence[AnyRow]) -> list[MentionView]:
    names = names_of(connection, [row.author for row in rows])
    return [
        MentionView(
            id=row.id,
            lead_id=row.lead_id,
            contact=Named(row.contact_id, row.contact_name) if row.sees_lead else None,
            author=row.author,
            author_name=names.get(row.author, ""),
            owner=Named(row.owner_id, row.owner_name),
            text=row.text,
            created_at=row.created_at,
            read_at=row.read_at,
        )
        for row in rows
    ]
