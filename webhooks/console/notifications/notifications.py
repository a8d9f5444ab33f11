"""What one was told, and the buttons that say it was read."""

from __future__ import annotations

from flask import request

from crm_core.notifications.commands import mark_read
from crm_core.notifications.queries import list_notifications
from webhooks.console.shell import choices
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen

_STATES = {"unread": True, "read": False}


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen("state")
    with context.engine.begin() as connection:
        page = list_notifications(connection, context.principal, _STATES.get(wanted.get("state", "")), after=context.after())
    return context.page(
        "notifications/notifications.html", items=page.items, more=context.more(page.next), first=choices.first_page(wanted),
        tabs=choices.tabs(context, "notifications", "state", tuple(_STATES), "notification_tab", wanted), filtered=bool(wanted),
        own=context.principal.owner_id, can_write=context.may("notifications.write"),
    )  # fmt: skip


def read(context: RequestContext) -> PageAnswer:
    """The one that its button names; without one, all."""
    named = [one for one in request.form.getlist("id") if one.isascii() and one.isdigit() and len(one) < 19]
    if request.form.getlist("id") and not named:
        return context.go("notifications")
    with context.engine.begin() as connection:
        mark_read(connection, context.principal, [int(one) for one in named] or None, context.now)
    return context.go("notifications", "notifications_read")
