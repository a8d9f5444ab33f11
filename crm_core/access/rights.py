"""Role × permission in one table, and row visibility as one clause a kind of row. What is not listed is denied."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, SQLColumnExpression, false, or_, select, true
from sqlalchemy.orm import aliased

from crm_core.access.principal import Principal
from crm_core.errors import Forbidden
from crm_core.models import Activity, Call, Contact, Lead, Touch

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
        "contacts.export": "admin",  # all that is kept of a person at once, raw bodies too
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
        "users.read": "admin",  # users and tokens: who gets in, and what they may
        "users.write": "admin",
        "audit.read": "admin head",  # not ops: their own looks at raw data stand in it
    }.items()
}
PERMISSIONS: Final = frozenset(ROLE_PERMISSIONS)


def may(principal: Principal | None, permission: str) -> bool:
    """Deny by default: nobody, an unknown role and an unknown permission may nothing."""
    return principal is not None and principal.role in ROLE_PERMISSIONS.get(permission, frozenset())


def demand(principal: Principal, permission: str) -> None:
    """Raises Forbidden. Every command begins with it, whatever its door has asked already."""
    if not may(principal, permission):
        raise Forbidden("forbidden", f"The role {principal.role} lacks the permission {permission}.")


def _sees_all(principal: Principal) -> bool:
    return principal.role in {"admin", "head", "ops", "readonly"}


def visible_leads(principal: Principal) -> ColumnElement[bool]:
    """Clause over `lead`: a manager's own, everything for the other roles."""
    if _sees_all(principal):
        return true()
    return false() if principal.owner_id is None else Lead.owner_id == principal.owner_id


def sees_leads_of(principal: Principal, owner_id: int) -> bool:
    """True if `visible_leads` hides none of this owner's leads."""
    return _sees_all(principal) or principal.owner_id == owner_id


def visible_contacts(principal: Principal) -> ColumnElement[bool]:
    """Clause over `contact` (roots): a manager's own, and those whose open lead he works, for instance as a cover.

    An open lead gives the card only (`visible_touches`), and nobody opens one again of a client who went to a colleague
    (`crm_core.working.reopening`).
    """
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


def visible_touches(principal: Principal) -> ColumnElement[bool]:
    """Clause over `touch`: a manager sees the history of his own clients, and of his own leads of anybody else's.

    A contact that he sees only for the lead that he works (a cover, a lead of another line) shows nothing of what
    colleagues wrote on theirs.
    """
    return _of_own_lead_or_client(principal, Touch.lead_id, Touch.contact_id)


def visible_calls(principal: Principal) -> ColumnElement[bool]:
    """Clause over `call`: a manager sees the calls he talked in, those of his leads and those of his clients."""
    return _of_own_lead_or_client(principal, Call.lead_id, Call.contact_id, Call.owner_id)


def visible_activities(principal: Principal) -> ColumnElement[bool]:
    """Clause over `activity`: a manager sees what is planned for him, for his leads and for his clients."""
    return _of_own_lead_or_client(principal, Activity.lead_id, Activity.contact_id, Activity.owner_id)


def _of_own_lead_or_client(
    principal: Principal,
    lead_id: SQLColumnExpression[int | None],
    contact_id: SQLColumnExpression[int | None] | SQLColumnExpression[int],
    doer_id: SQLColumnExpression[int | None] | None = None,
) -> ColumnElement[bool]:
    """Ownership alone decides, never the state of a lead: that is the owner's to set."""
    if _sees_all(principal):
        return true()
    if principal.owner_id is None:
        return false()
    lead, member, root = aliased(Lead), aliased(Contact), aliased(Contact)
    of_lead = select(lead.id).where(lead.id == lead_id, lead.owner_id == principal.owner_id)
    of_client = (
        select(member.id)
        .join(root, root.id == member.root_id)
        .where(member.id == contact_id, root.owner_id == principal.owner_id)
    )
    # Correlated with the rows in question only, whatever the list around them joins.
    clauses = [of_lead.correlate_except(lead).exists(), of_client.correlate_except(member, root).exists()]
    return or_(*clauses, *(() if doer_id is None else (doer_id == principal.owner_id,)))
