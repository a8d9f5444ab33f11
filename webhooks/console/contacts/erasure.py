"""Erasing a person: first what would be emptied, then the deed. Numbers and addresses stand in bodies only, never in an address."""

from __future__ import annotations

from typing import Any, Final

from crm_core.base.errors import Invalid
from crm_core.contacts.queries import get_contact
from ingest.erasure.erase import PATIENCE_SECONDS, Person, erase, erase_address, preview
from webhooks.console.shell.request_context import Answer, Desk, entered

#: A page is waited for so long; where the journal takes longer, the page sends to the command line.
_DEED_SECONDS: Final = 20.0


def ask(desk: Desk) -> Answer:
    return desk.page("contacts/erase.html", contact=None, phone="", email="", seen=None, done=None)


def look(desk: Desk) -> Answer:
    phone, email = entered("phone", 200), entered("email", 300)
    seen = preview(desk.engine, desk.config, desk.principal, Person(phone=phone, email=email), seconds=PATIENCE_SECONDS)
    return desk.page("contacts/erase.html", contact=None, phone=phone, email=email, seen=_shown(desk, seen.as_dict()), done=None)


def address_now(desk: Desk) -> Answer:
    phone, email, why = entered("phone", 200), entered("email", 300), _why()
    if entered("sure", 20) != "yes":
        raise Invalid("not_confirmed", "Tick the box to confirm.", fields=["sure"])
    person = Person(phone=phone, email=email)
    done = erase_address(desk.engine, desk.config, desk.principal, person, why, desk.now, seconds=_DEED_SECONDS).as_dict()
    return desk.page("contacts/erase.html", contact=None, phone="", email="", seen=None, done=_shown(desk, done))


def contact(desk: Desk, contact_id: int) -> Answer:
    with desk.engine.begin() as connection:
        person = get_contact(connection, desk.principal, contact_id)
    seen = preview(desk.engine, desk.config, desk.principal, Person(contact_id), seconds=PATIENCE_SECONDS).as_dict()
    return desk.page("contacts/erase.html", contact=person, phone="", email="", seen=_shown(desk, seen), done=None)


def contact_now(desk: Desk, contact_id: int) -> Answer:
    why = _why()
    if entered("sure", 20) != str(contact_id):
        raise Invalid("not_confirmed", "Type the number of the contact to confirm.", fields=["sure"])
    erase(desk.engine, desk.config, desk.principal, contact_id, why, desk.now, seconds=_DEED_SECONDS)
    return desk.go("contact", "erased", contact_id=contact_id)


def _why() -> str:
    why = entered("why", 1000)
    if not why:
        raise Invalid("why_missing", "Say who asked for it and how.", fields=["why"])
    return why


def _shown(desk: Desk, told: dict[str, Any]) -> dict[str, Any]:
    """With the reasons for which events could not be looked through, in words."""
    unsearched = [(desk.language.code("unsearched", why), count) for why, count in told["unsearched"].items()]
    return told | {"unsearched": unsearched}
