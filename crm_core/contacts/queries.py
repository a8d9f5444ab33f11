"""Contacts as one person each: whatever was merged into a root answers as that root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, false
from sqlalchemy.orm import aliased

from crm_core.access import Principal
from crm_core.access.visibility import select_any, select_visible
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named, named
from crm_core.contacts.models import Contact, ContactIdentifier, Identifier
from crm_core.contacts.reach import (
    MessengerAccount,
    Reach,
    email_values,
    members_with,
    phone_values,
    reachable_at,
)
from crm_core.leads.models import Lead
from crm_core.people.models import Owner
from crm_core.search import catch_up, found_in, read_query

_MOST_LEADS = 200  # on a contact's card; the leads list has them all
_MOST_PEOPLE = 200  # of a company

_CompanyMember, _Company = aliased(Contact), aliased(Contact)


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """What a list is narrowed by; None: by nothing."""

    phone: str | None = None  # in any spelling
    email: str | None = None
    q: str | None = None
    owner: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactView:
    id: int
    kind: str  # person | company | number: all who use one number without a name
    name: str
    company: str
    works_for: Named | None  # the contact of the company
    phones: Sequence[str]
    emails: Sequence[str]
    messengers: Sequence[MessengerAccount]
    owner: Named | None
    owner_since: datetime | None
    created_at: datetime
    last_seen_at: datetime
    erased_at: datetime | None  # when everything that names the person was erased
    version: int


@dataclass(frozen=True, slots=True)
class IdentifierView:
    kind: str
    value: str
    display: str
    strength: str  # strong | weak | shared | blocked
    first_seen_at: datetime
    last_seen_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeadOfContact:
    id: int
    state: str
    stage: str
    title: str
    received_at: datetime
    owner: Named | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCard(ContactView):
    merged: Sequence[int]  # contacts that were merged into this one
    identifiers: Sequence[IdentifierView]
    leads: Sequence[LeadOfContact]
    sees_company: bool  # whether the principal may open the card of `works_for`
    people: Sequence[Named]  # of a company, those whom the principal may see, the last seen first


def _select(principal: Principal) -> AnySelect:
    return (
        select_visible(
            Contact, principal, Contact.id, Contact.kind, _Company.id.label("company_id"), _Company.name.label("company_name"), Contact.name, Contact.company, Contact.owner_id, Owner.name.label("owner_name"),
            Contact.owner_since, Contact.created_at, Contact.last_seen_at, Contact.erased_at, Contact.version,
        )
        .outerjoin(Owner, Owner.id == Contact.owner_id)
        .outerjoin(_CompanyMember, _CompanyMember.id == Contact.company_id)
        .outerjoin(_Company, _Company.id == _CompanyMember.root_id)
        .where(Contact.root_id == Contact.id)
    )  # fmt: skip


def list_contacts(
    connection: Connection,
    principal: Principal,
    filters: ContactFilter,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
    region: str = "RU",
) -> Page[ContactView]:
    """Roots only, the newest first. `region` is the country of phones typed without a code."""
    statement = _select(principal)
    if filters.phone is not None:
        statement = statement.where(Contact.id.in_(members_with(connection, "phone", phone_values(filters.phone, region))))
    if filters.email is not None:
        statement = statement.where(Contact.id.in_(members_with(connection, "email", email_values(filters.email))))
    if filters.q is not None and filters.q.strip():
        query = read_query(filters.q, region)
        catch_up(connection)
        statement = statement.where(Contact.id.in_(found_in("contact", query)) if query.terms else false())
    if filters.owner is not None:
        statement = statement.where(Contact.owner_id == filters.owner)
    rows = connection.execute(newest_first(statement, None, Contact.id, after, limit)).all()
    return page(rows, limit, lambda shown: _shape(connection, shown), lambda row: (None, row.id))


def contacts_by_id(connection: Connection, principal: Principal, ids: Sequence[int]) -> list[ContactView]:
    """Roots among them that the principal may see, the last seen first."""
    rows = connection.execute(
        _select(principal).where(Contact.id.in_(ids)).order_by(Contact.last_seen_at.desc(), Contact.id.desc())
    ).all()
    return _shape(connection, rows)


def visible_root(connection: Connection, principal: Principal, contact_id: int) -> int:
    """The root that this contact answers as. Raises NotFound if there is none or the principal may not see it."""
    root = select_any(Contact.root_id, because="only the root is looked at").where(Contact.id == contact_id).scalar_subquery()
    found: int | None = connection.execute(
        select_visible(Contact, principal, Contact.id).where(Contact.id == root)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("contact_unknown", f"There is no contact {contact_id}.")
    return found


def get_contact(connection: Connection, principal: Principal, contact_id: int) -> ContactCard:
    """The card of the contact's root, with identifiers, merged ids and those of its leads that the principal may see."""
    root_id = visible_root(connection, principal, contact_id)
    row = connection.execute(_select(principal).where(Contact.id == root_id)).one()
    return ContactCard(
        **_facts(row, reachable_at(connection, [root_id])[root_id]),
        merged=_merged_into(connection, root_id),
        identifiers=_identifiers_of(connection, root_id),
        leads=_leads_of(connection, principal, root_id),
        sees_company=row.company_id is not None and _is_visible(connection, principal, row.company_id),
        people=_people_of(connection, principal, root_id) if row.kind == "company" else (),
    )


def _shape(connection: Connection, rows: Sequence[AnyRow]) -> list[ContactView]:
    reach = reachable_at(connection, {row.id for row in rows})
    return [ContactView(**_facts(row, reach[row.id])) for row in rows]


def _facts(row: AnyRow, reach: Reach) -> dict[str, Any]:
    """What a list and a card both show."""
    return {
        "id": row.id,
        "kind": row.kind,
        "works_for": named(row.company_id, row.company_name),
        "name": row.name,
        "company": row.company,
        "phones": reach.phones,
        "emails": reach.emails,
        "messengers": reach.messengers,
        "owner": named(row.owner_id, row.owner_name),
        "owner_since": row.owner_since,
        "created_at": row.created_at,
        "last_seen_at": row.last_seen_at,
        "erased_at": row.erased_at,
        "version": row.version,
    }


def _is_visible(connection: Connection, principal: Principal, contact_id: int) -> bool:
    found = select_visible(Contact, principal, Contact.id).where(Contact.id == contact_id)
    return connection.execute(found).one_or_none() is not None


def _people_of(connection: Connection, principal: Principal, company_id: int) -> list[Named]:
    members = select_any(Contact.id, because="the company was seen").where(Contact.root_id == company_id)
    rows = connection.execute(
        select_visible(Contact, principal, Contact.id, Contact.name)
        .where(Contact.root_id == Contact.id, Contact.company_id.in_(members))
        .order_by(Contact.last_seen_at.desc(), Contact.id.desc())
        .limit(_MOST_PEOPLE)
    )
    return [Named(row.id, row.name) for row in rows]


def _merged_into(connection: Connection, root_id: int) -> Sequence[int]:
    return connection.scalars(
        select_any(Contact.id, because="the root was seen")
        .where(Contact.root_id == root_id, Contact.id != root_id)
        .order_by(Contact.id)
    ).all()


def _identifiers_of(connection: Connection, root_id: int) -> list[IdentifierView]:
    rows = connection.execute(
        select_any(
            Identifier.kind, Identifier.value, Identifier.strength, ContactIdentifier.display,
            ContactIdentifier.first_seen_at, ContactIdentifier.last_seen_at, ContactIdentifier.retired_at,
            because="the root was seen",
        )
        .join(ContactIdentifier, ContactIdentifier.identifier_id == Identifier.id)
        .join(Contact, Contact.id == ContactIdentifier.contact_id)
        .where(Contact.root_id == root_id, Identifier.kind != "thread")  # a conversation's id says nothing to a person
        .order_by(ContactIdentifier.first_seen_at, Identifier.id)
    )  # fmt: skip
    return [
        IdentifierView(row.kind, row.value, row.display, row.strength, row.first_seen_at, row.last_seen_at, row.retired_at)
        for row in rows
    ]


def _leads_of(connection: Connection, principal: Principal, root_id: int) -> list[LeadOfContact]:
    rows = connection.execute(
        select_visible(
            Lead,
            principal,
            Lead.id,
            Lead.state,
            Lead.stage,
            Lead.title,
            Lead.received_at,
            Lead.owner_id,
            Owner.name.label("owner_name"),
        )
        .join(Contact, Contact.id == Lead.contact_id)
        .outerjoin(Owner, Owner.id == Lead.owner_id)
        .where(Contact.root_id == root_id)
        .order_by(Lead.received_at.desc(), Lead.id.desc())
        .limit(_MOST_LEADS)
    )
    return [
        LeadOfContact(row.id, row.state, row.stage, row.title, row.received_at, named(row.owner_id, row.owner_name))
        for row in rows
    ]
