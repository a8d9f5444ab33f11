"""Role × permission in one table. What is not listed is denied; which rows a role sees is `visibility`."""

from __future__ import annotations

from typing import Final

from crm_core.access.principal import Principal
from crm_core.base.errors import Forbidden

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
        "contacts.merge": "admin head manager",  # a manager: clients that are both their own, and their own merges back
        "suggestions.read": "admin head readonly",
        "suggestions.decide": "admin head",
        "calls.read": "admin head manager ops readonly",
        "activities.read": "admin head manager ops readonly",
        "activities.write": "admin head manager",
        "mentions.read": "admin head manager ops readonly",
        "mentions.write": "admin head manager",
        "mentions.hand_over": "admin head",  # says for a colleague without a computer that they have it
        "notifications.read": "admin head manager ops readonly",
        "notifications.write": "admin head manager",  # that one has read one's own
        "leads.claim": "admin head manager",  # takes a lead that waits for whoever comes first
        "leads.return": "admin head manager",  # gives one's own back
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
        "numbering.write": "admin ops",
        "owners.read": "admin head manager ops readonly",
        "owners.write": "admin head",
        "routing.read": "admin head manager ops readonly",
        "routing.write": "admin head",
        "deadlines.read": "admin head ops readonly",  # how soon whom is to be answered, and how soon everybody does
        "deadlines.write": "admin head",
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
