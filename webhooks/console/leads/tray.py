"""Leads that wait for whoever takes them first, and giving one's own back."""

from __future__ import annotations

from crm_core.leads.claiming import claim_lead, return_lead, tray_of
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_WHOLE = 100_000  # characters of a text: what is too long is refused in words, never cut in silence


def index(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        items = tray_of(connection, context.principal)
    return context.page("leads/tray.html", items=items, has_owner=context.principal.owner_id is not None)


def claim(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        claim_lead(connection, context.principal, lead_id, context.now)
    return context.go("lead", "lead_claimed", lead_id=lead_id)


def give_back(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        return_lead(connection, context.principal, lead_id, entered("code", 40), entered("why", _WHOLE), context.now)
    return context.go("leads", "lead_returned")
