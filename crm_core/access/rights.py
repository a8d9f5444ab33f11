"""Role × permission in one table, and row visibility as one clause a kind of row. What is not listed is denied."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, SQLColumnExpression, false, or_, select, true
from sqlalchemy.orm import aliased

from crm_core.access.principal import Principal
from crm_core.models import Activity, Call, Contact, Lead

#: Permission → roles that have it. `raw` and `replay` are apart from reading, because a raw body holds everything a
#: person wrote and a replay changes leads. Managers work their own leads; only a head moves leads between people.
ROLE_PERMISSIONS: Final[dict[str, frozenset[str]]] = {
    permission: frozenset(roles.split())
    for permission, roles in {
        "leads.read": "admin head manager ops readonly",
        "leads.write": "admin head manager",
        "leads.assign": "admin head",
        "contacts.read": "admin head manager ops readonly",
        "contacts.erase": "admin",
        "suggestions.read": "admin head readonly",
        "calls.read": "admin head manager ops readonly",
        "activities.read": "admin head manager ops readonly",
        "activities.write": "admin head manager",
        "events.read": "admin head ops readonly",
        "events.raw": "admin ops",
        "events.replay": "admin ops",
        "quarantine.read": "admin head ops readonly",
        "quarantine.judge": "admin head ops",  # a release makes leads, so a manager may not
        "alerts.read": "admin head ops readonly",
        "alerts.write": "admin head ops",
        "ledger.read": "admin head ops readonly",
        "queues.read": "admin head ops readonly",
        "sources.read": "admin head ops readonly",
        "sources.write": "admin ops",
        "sources.address": "admin ops",  # the address is the key to post leads
        "owners.read": "admin head manager ops readonly",
        "owners.write": "admin head",
        "users.write": "admin",
        "audit.read": "admin",
    }.items()
}
PERMISSIONS: Final = frozenset(ROLE_PERMISSIONS)


def may(principal: Principal | None, permission: str) -> bool:
    """Deny by default: nobody, an unknown role and an unknown permission may nothing."""
    return principal is not None and principal.role in ROLE_PERMISSIONS.get(permission, frozenset())


def _sees_all(principal: Principal) -> bool:
    return principal.role in {"admin", "head", "ops", "readonly"}


def visible_leads(principal: Principal) -> ColumnElement[bool]:
    """Clause over `lead`: a manager's own, everything for the other roles."""
    if _sees_all(principal):
        return true()
    return false() if principal.owner_id is None else Lead.owner_id == principal.owner_id


def visible_contacts(principal: Principal) -> ColumnElement[bool]:
    """Clause over `contact` (roots): a manager's own, and those whose open lead he works, for instance as a cover."""
    if _sees_all(principal):
        return true()
    if principal.owner_id is None:
        return false()
    lead = aliased(Lead)
    works_it = (
        select(lead.id)
        .where(lead.contact_id == Contact.id, lead.owner_id == principal.owner_id, lead.state == "open")
        .exists()
    )
    return or_(Contact.owner_id == principal.owner_id, works_it)


def _of_visible_contact(principal: Principal, column: SQLColumnExpression[int | None]) -> ColumnElement[bool]:
    """True where `column` names a contact, merged or not, whose root the principal sees."""
    member = aliased(Contact)
    return (
        select(member.id)
        .join(Contact, Contact.id == member.root_id)
        .where(member.id == column, visible_contacts(principal))
        .correlate_except(member, Contact)  # whatever the list around it joins
        .exists()
    )


def visible_calls(principal: Principal) -> ColumnElement[bool]:
    """Clause over `call`: a manager sees the calls he talked in and those of his contacts."""
    if _sees_all(principal):
        return true()
    if principal.owner_id is None:
        return false()
    mine = Call.owner_id == principal.owner_id
    return or_(mine, _of_visible_contact(principal, Call.contact_id))


def visible_activities(principal: Principal) -> ColumnElement[bool]:
    """Clause over `activity`: a manager sees what is planned for him and for his contacts."""
    if _sees_all(principal):
        return true()
    if principal.owner_id is None:
        return false()
    mine = Activity.owner_id == principal.owner_id
    return or_(mine, _of_visible_contact(principal, Activity.contact_id))
