"""Contacts: found by any part of what is known of them; the card is one history of one person."""

from __future__ import annotations

import json
from functools import partial

from flask import Response

from crm_core.access import may
from crm_core.access.actors import names_of
from crm_core.contacts.queries import ContactFilter, get_contact, list_contacts
from crm_core.routing.queries import list_excluded_owners
from crm_core.timeline.queries import timeline
from ingest.erasure.person_data import export_person
from webhooks.api.contacts import ContactQuery, PersonData
from webhooks.api.route import narrowed
from webhooks.api.shape import plain_json
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


def export(context: RequestContext, contact_id: int) -> PageAnswer:
    """Everything that is kept of a person, as a file to hand over to them."""
    with context.engine.begin() as connection:
        kept = plain_json(PersonData, export_person(connection, context.principal, contact_id, context.now))
    answer = Response(json.dumps(kept, indent=2, ensure_ascii=False), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="contact-{contact_id}.json"'
    return answer


def card(context: RequestContext, contact_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        contact = get_contact(connection, context.principal, contact_id)
        page = timeline(connection, context.principal, contact_id, after=context.after())
        names = names_of(connection, [touch.actor for touch in page.items])
        apart = list_excluded_owners(connection, context.principal, contact_id)
        names |= names_of(connection, [one.by for one in apart])
        owners = dict(choices.owners(connection))
        colleagues = choices.active_owners(connection) if context.may("leads.assign") else []
    return context.page(
        "contacts/contact.html",
        contact=contact,
        title_of=partial(title_of, context),
        touches=shown_touches(context, page.items, names, owners),
        more=context.more(page.next),
        first=choices.first_page({}),
        apart=[(one, names.get(one.by) or one.by) for one in apart],
        colleagues=[one for one in colleagues if one[0] not in {str(view.owner.id) for view in apart}],
        can_part=context.may("leads.assign") and contact.erased_at is None and contact.kind != "number",
        can_export=context.may("contacts.export") and contact.erased_at is None,
        can_erase=may(context.principal, "contacts.erase") and contact.erased_at is None,
        can_merge=may(context.principal, "contacts.merge") and contact.erased_at is None,
    )
