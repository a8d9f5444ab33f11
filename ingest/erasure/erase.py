"""Erasing a person wherever the hub keeps something of him: his rows, the events of nobody that name him, contents of files.

Looked for first, shown to whoever asks, then done. An event that cannot be looked through is counted and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Invalid
from crm_core.contacts.queries import visible_root
from crm_core.contacts.reach import email_values, members_with, phone_values, root_of
from crm_core.erasure.commands import Erased, digest_of_identifier, empty_unlinked_calls, own_identifiers
from crm_core.identity.traces import Sought, sought
from ingest.erasure.erasure_log import note
from ingest.erasure.person_events import empty_unlinked_events, erase_contact
from ingest.erasure.unlinked_events import PassedOver, Search, UnlinkedEvent, search
from ingest.files.store import forget_unnamed
from ingest.journal.raw_event import new_uid

EVENTS_ERASED = history.Action("events.erase")
_RIGHT: Final = "contacts.erase"

#: So long one request of a page or a program looks; the command line has no end.
PATIENCE_SECONDS: Final = 5.0

_BATCH: Final = 500  # events in one transaction


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant: a contact, or an address or a number alone. Exactly one of them."""

    contact_id: int | None = None
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would empty beside the contact's own rows."""

    count: int
    found: Sequence[UnlinkedEvent]  # events of nobody that name the person, the first of them
    searched: int
    unsearched: Mapping[str, int]  # events that could not be looked through, by why
    passed_over: Sequence[PassedOver]  # these events, the first of them
    on_their_way: int
    contacts: tuple[int, ...]  # that use the address or number: erased each by its own order
    next: int | None  # the journal is longer: go on from there


@dataclass(frozen=True, slots=True)
class Emptied:
    """What an erasure by address or number alone has done."""

    events: int = 0
    calls: int = 0
    on_their_way: int = 0
    unsearched: Mapping[str, int] = field(default_factory=dict)
    contacts: tuple[int, ...] = ()


def preview(
    engine: Engine, config: HubConfig, principal: Principal, person: Person, after: int = 0, seconds: float | None = None
) -> Preview:
    """Changes nothing. Raises NotFound for a contact that there is not, Invalid for what is no number or address."""
    demand(principal, _RIGHT)
    with engine.connect() as connection:
        wanted = _wanted(connection, config, principal, person)
        contacts = () if person.contact_id is not None else _users_of(connection, wanted)
        seen = search(connection, config, wanted, after, seconds)
    return Preview(
        len(seen.ids), seen.found, seen.searched, dict(sorted(seen.unsearched.items())), seen.passed_over, seen.on_their_way,
        contacts, seen.next,
    )  # fmt: skip


def erase(
    engine: Engine, config: HubConfig, principal: Principal, contact_id: int, why: str, now: datetime,
    *, after: int = 0, seconds: float | None = None,
) -> Erased:  # fmt: skip
    """A contact, and the events of nobody that name him. Raises NotFound or Conflict; a file that another lead has stays.

    Where the time is up before everything was looked through, what was found is emptied and Conflict says where to go on
    (`cursor`): the contact is erased last, because only he says whom to look for.
    """
    demand(principal, _RIGHT)
    _require_why(why)
    person = Person(contact_id)
    with engine.connect() as connection:
        wanted = _wanted(connection, config, principal, person)
        found = search(connection, config, wanted, after, seconds)
    erasure_id = new_uid()
    *earlier, last = list(_batches(found.ids)) or [[]]
    strays = sum(_empty(engine, config, wanted, batch, now, erasure_id) for batch in earlier)
    if found.next is not None:
        strays += _empty(engine, config, wanted, last, now, erasure_id)
    else:
        with engine.begin() as connection:
            erased = erase_contact(connection, principal, contact_id, why, config.secret_key, now, erasure_id)
            last_unlinked_events = empty_unlinked_events(connection, last, wanted.is_in, now)
            _told(connection, principal, erased.contact_id, why, strays + last_unlinked_events, found)
            note(connection, config, erasure_id, [*erased.event_ids, *last], wanted.keys)
    if found.next is not None:
        with engine.begin() as connection:
            root_id = visible_root(connection, principal, contact_id)
            _told(connection, principal, root_id, why, strays, found)
        raise _not_finished(found, strays)
    forget_unnamed(config, erased.files)
    strays += last_unlinked_events
    return replace(
        erased, strays=strays, on_their_way=found.on_their_way + len(found.ids) - strays, unsearched=dict(found.unsearched)
    )


def erase_address(
    engine: Engine, config: HubConfig, principal: Principal, person: Person, why: str, now: datetime,
    *, after: int = 0, seconds: float | None = None,
) -> Emptied:  # fmt: skip
    """Events and calls of nobody that name a number or an address. Contacts that use it are named and left alone.

    Raises Invalid, or Conflict with `cursor` where the time was up before the end.
    """
    demand(principal, _RIGHT)
    _require_why(why)
    with engine.connect() as connection:
        wanted = _wanted(connection, config, principal, person)
        contacts = _users_of(connection, wanted)
        found = search(connection, config, wanted, after, seconds)
    erasure_id = new_uid()
    emptied = sum(_empty(engine, config, wanted, batch, now, erasure_id) for batch in _batches(found.ids))
    with engine.begin() as connection:
        calls = empty_unlinked_calls(connection, [value for kind, value in wanted.keys if kind == "phone"])
        # Who can compute the digest from an address can prove that it was erased; nobody can read it out of here.
        digests = [digest_of_identifier(config.secret_key, kind, value).hex() for kind, value in sorted(wanted.keys)]
        _told(connection, principal, None, why, emptied, found, calls=calls, digests=digests, erasure=erasure_id)
        note(connection, config, erasure_id, [], wanted.keys, calls=True)
    if found.next is not None:
        raise _not_finished(found, emptied)
    left = found.on_their_way + len(found.ids) - emptied
    return Emptied(emptied, calls, left, dict(found.unsearched), contacts)


def _require_why(why: str) -> None:
    if not why.strip():
        raise Invalid("why_missing", "Say who asked for it and how.", fields=["why"])


def _wanted(connection: Connection, config: HubConfig, principal: Principal, person: Person) -> Sought:
    if (person.contact_id is not None) + bool(person.phone) + bool(person.email) != 1:
        raise Invalid("one_person", "Name a contact, a phone or an e-mail.", fields=["contact", "phone", "email"])
    if person.contact_id is not None:
        return sought(own_identifiers(connection, principal, person.contact_id))
    kind = "phone" if person.phone else "email"
    values = phone_values(person.phone, config.region) if person.phone else email_values(person.email)
    if not values:
        raise Invalid(f"{kind}_unreadable", f"This is no {'phone number' if person.phone else 'e-mail address'}.", fields=[kind])
    return sought((kind, value) for value in values[:1])


def _users_of(connection: Connection, wanted: Sought) -> tuple[int, ...]:
    """Roots that use what is looked for."""
    members = {member for kind, value in wanted.keys for member in members_with(connection, kind, [value])}
    return tuple(sorted({root for member in members if (root := root_of(connection, member)) is not None}))


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _BATCH):
        yield list(ids[start : start + _BATCH])


def _empty(
    engine: Engine, config: HubConfig, wanted: Sought, ids: Sequence[int], now: datetime, erasure_id: str
) -> int:  # fmt: skip
    with engine.begin() as connection:
        emptied = empty_unlinked_events(connection, ids, wanted.is_in, now)
        note(connection, config, erasure_id, ids, ())
        return emptied


def _told(
    connection: Connection, principal: Principal, root_id: int | None, why: str, events: int, found: Search, **more: Any
) -> None:
    if events or more.get("calls") or root_id is None:
        data = {"why": why, "events": events, "searched": found.searched, "unsearched": dict(found.unsearched), **more}
        action = EVENTS_ERASED if root_id is None else replace(EVENTS_ERASED, of="contact")
        history.record(connection, principal, action, root_id, data)


def _not_finished(found: Search, emptied: int) -> Conflict:
    return Conflict(
        "search_not_finished",
        f"The journal is long: {found.searched} events were looked through and {emptied} emptied. Go on with the cursor.",
        cursor=str(found.next), events=emptied,
    )  # fmt: skip
