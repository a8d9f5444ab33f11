"""Erasing a person: first what would be emptied, then the deed. Numbers and addresses stand in bodies only, never in an address."""

from __future__ import annotations

from typing import Final

from crm_core.base.errors import Invalid
from crm_core.contacts.queries import get_contact
from ingest.erasure.erase import PATIENCE_SECONDS, Person, erase, erase_address, preview
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

#: A page is waited for so long; where the journal takes longer, the page sends to the command line.
_DEED_SECONDS: Final = 20.0


def ask(context: RequestContext) -> PageAnswer:
    return context.page("contacts/erase.html", contact=None, phone="", email="", seen=None, done=None)


def look(context: RequestContext) -> PageAnswer:
    phone, email = entered("phone", 200), entered("email", 300)
    seen = preview(context.engine, context.config, context.principal, Person(phone=phone, email=email), seconds=PATIENCE_SECONDS)
    return context.page("contacts/erase.html", contact=None, phone=phone, email=email, seen=seen, done=None)


def address_now(context: RequestContext) -> PageAnswer:
    phone, email, why = entered("phone", 200), entered("email", 300), entered("why", 1000)
    if entered("sure", 20) != "yes":
        raise Invalid("not_confirmed", "Tick the box to confirm.", fields=["sure"])
    person = Person(phone=phone, email=email)
    done = erase_address(context.engine, context.config, context.principal, person, why, context.now, seconds=_DEED_SECONDS)
    return context.page("contacts/erase.html", contact=None, phone="", email="", seen=None, done=done)


def contact(context: RequestContext, contact_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        person = get_contact(connection, context.principal, contact_id)
    seen = preview(context.engine, context.config, context.principal, Person(contact_id), seconds=PATIENCE_SECONDS)
    return context.page("contacts/erase.html", contact=person, phone="", email="", seen=seen, done=None)


def contact_now(context: RequestContext, contact_id: int) -> PageAnswer:
    why = entered("why", 1000)
    if entered("sure", 20) != str(contact_id):
        raise Invalid("not_confirmed", "Type the number of the contact to confirm.", fields=["sure"])
    erase(context.engine, context.config, context.principal, contact_id, why, context.now, seconds=_DEED_SECONDS)
    return context.go("contact", "erased", contact_id=contact_id)
