"""Keeping a client and a colleague apart for ever, and taking that back."""

from __future__ import annotations

from crm_core.routing import commands
from webhooks.console.shell.form_input import row_id
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_WHOLE = 100_000  # characters of a text: what is too long is refused in words, never cut in silence


def keep_apart(context: RequestContext, contact_id: int) -> PageAnswer:
    owner_id = row_id("owner")
    with context.engine.begin() as connection:
        commands.exclude_owner(connection, context.principal, contact_id, owner_id, entered("why", _WHOLE), context.now)
    return context.go("contact", "owner_excluded", contact_id=contact_id)


def allow(context: RequestContext, contact_id: int, owner_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        commands.allow_owner(connection, context.principal, contact_id, owner_id)
    return context.go("contact", "owner_allowed", contact_id=contact_id)
