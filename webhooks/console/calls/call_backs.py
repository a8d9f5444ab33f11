"""Calls to make, and the button that says one was made. Most close themselves when somebody gets through."""

from __future__ import annotations

from crm_core.activities.commands import finish_activity
from crm_core.calls.call_back_queries import list_call_backs
from webhooks.console.shell import choices
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_WHOLE = 100_000  # characters: what is too long is refused in words, never cut in silence


def index(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        page = list_call_backs(connection, context.principal, after=context.after())
    return context.page(
        "calls/call_backs.html", items=page.items, more=context.more(page.next), first=choices.first_page({}),
        now=context.now,
        can_write=context.may("activities.write"),
    )  # fmt: skip


def done(context: RequestContext, activity_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        finish_activity(connection, context.principal, activity_id, entered("result", _WHOLE), context.now)
    return context.go("call_backs", "called_back")
