"""Calls to make, and the button that says one was made. Most close themselves when somebody gets through."""

from __future__ import annotations

from crm_core.activities.commands import finish_activity
from crm_core.calls.call_back_queries import list_call_backs
from webhooks.console.shell import choices
from webhooks.console.shell.request_context import Answer, Desk, entered

_WHOLE = 100_000  # characters: what is too long is refused in words, never cut in silence


def index(desk: Desk) -> Answer:
    with desk.engine.begin() as connection:
        page = list_call_backs(connection, desk.principal, after=desk.after())
    return desk.page(
        "calls/call_backs.html", items=page.items, more=desk.more(page.next), first=choices.first_page({}),
        now=desk.now,
        can_write=desk.may("activities.write"),
    )  # fmt: skip


def done(desk: Desk, activity_id: int) -> Answer:
    with desk.engine.begin() as connection:
        finish_activity(connection, desk.principal, activity_id, entered("result", _WHOLE), desk.now)
    return desk.go("call_backs", "called_back")
