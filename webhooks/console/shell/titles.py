"""What a lead is about, in the reader's language where the hub itself made the title."""

from __future__ import annotations

from crm_core.contacts.queries import LeadOfContact
from crm_core.leads.queries import LeadView
from webhooks.console.shell.request_context import RequestContext
from webhooks.console.shell.view_values import phone


def title_of(context: RequestContext, lead: LeadView | LeadOfContact) -> str:
    """A call's title is its outcome's code and the number; every other one is somebody's own words.

    The number is left out where it stands beside the title anyway, as the contact's own.
    """
    message, phones = (lead.message, lead.contact.phones) if isinstance(lead, LeadView) else ("", ())
    title = lead.title or message
    code, _, number = title.partition(" ")
    if context.language.knows("call_outcome", code) and number.startswith("+"):
        words = context.language.code("call_outcome", code)
        if number in phones[:1]:
            return words
        return f"{words} {phone(number).striptags()}"
    return title


def headline_of(context: RequestContext, lead: LeadView) -> str:
    """The title, unless it only repeats how the message begins, or what the source is called."""
    title = title_of(context, lead)
    if title == lead.source.name:
        return ""
    beginning = " ".join(lead.message.split())
    return "" if beginning.startswith(title.rstrip("… ")) else title
