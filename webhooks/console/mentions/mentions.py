"""Messages from colleagues about leads: the list, the button that says one was read, and leaving one from a lead's card."""

from __future__ import annotations

from crm_core.mentions.commands import leave_mention, read_mention
from crm_core.mentions.queries import MentionFilter, list_mentions
from webhooks.console.shell import choices
from webhooks.console.shell.form_input import row_id
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen, entered

_WHOLE = 100_000  # characters of a text: what is too long is refused in words, never cut in silence
_STATES = {"unread": True, "read": False}


def index(context: RequestContext) -> PageAnswer:
    """One's own; whoever is no owner sees whose they may."""
    wanted = chosen("state")
    filters = MentionFilter(context.principal.owner_id, None, _STATES.get(wanted.get("state", "")))
    with context.engine.begin() as connection:
        page = list_mentions(connection, context.principal, filters, after=context.after())
    return context.page(
        "mentions/mentions.html", items=page.items, more=context.more(page.next), first=choices.first_page(wanted),
        tabs=choices.tabs(context, "mentions", "state", tuple(_STATES), "mention_tab", wanted), filtered=bool(wanted),
        own=context.principal.owner_id, can_read=context.may("mentions.write"), can_hand_over=context.may("mentions.hand_over"),
    )  # fmt: skip


def read(context: RequestContext, mention_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        read_mention(connection, context.principal, mention_id, context.now)
    return context.go("mentions", "mention_read")


def leave(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        leave_mention(connection, context.principal, lead_id, row_id("to"), entered("text", _WHOLE), context.now)
    return context.go("lead", "mention_left", lead_id=lead_id)
