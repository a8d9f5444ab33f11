"""Contacts: found by any part of what is known of them; the card is one history of one person."""

from __future__ import annotations

from functools import partial

from crm_core.access import may
from crm_core.access.actors import names_of
from crm_core.contacts.queries import ContactFilter, get_contact, list_contacts
from crm_core.timeline.queries import timeline
from webhooks.api.contacts import ContactQuery
from webhooks.api.route import narrowed
from webhooks.console.shell import choices
from webhooks.console.shell.form_input import filters_of
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen
from webhooks.console.shell.titles import title_of
from webhooks.console.timeline.touches import shown_touches


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen("q")
    with context.engine.begin() as connection:
        page = list_contacts(
            connection, context.principal, narrowed(ContactFilter, filters_of(ContactQuery, wanted)), after=context.after(),
            region=context.config.region,
        )  # fmt: skip
    return context.page(
        "contacts/contacts.html", items=page.items, more=context.more(page.next), first=choices.first_page(wanted), chosen=wanted,
        can_erase=may(context.principal, "contacts.erase"),
    )  # fmt: skip


def card(context: RequestContext, contact_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        contact = get_contact(connection, context.principal, contact_id)
        page = timeline(connection, context.principal, contact_id, after=context.after())
        names = names_of(connection, [touch.actor for touch in page.items])
        owners = dict(choices.owners(connection))
    return context.page(
        "contacts/contact.html",
        contact=contact,
        title_of=partial(title_of, context),
        touches=shown_touches(context, page.items, names, owners),
        more=context.more(page.next),
        first=choices.first_page({}),
        can_erase=may(context.principal, "contacts.erase") and contact.erased_at is None,
        can_merge=may(context.principal, "contacts.merge") and contact.erased_at is None,
    )
