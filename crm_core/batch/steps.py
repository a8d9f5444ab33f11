"""Who is behind an arrival: the canonical keys of the person, in order of priority. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from crm_core.batch.state import ParsedEvent, Person
from crm_core.identity.emails import read_emails
from crm_core.identity.identifiers import Key
from crm_core.identity.messengers import messenger_keys, thread_key
from crm_core.identity.national import CountryHint
from crm_core.identity.phones import read_phones, region_of
from crm_core.parsed import CallEvent, Inquiry, MailAddress, Message, ParsedItem

#: Local parts of senders that are programs: who wants something then stands in Reply-To (email.md §7).
_ROBOT = re.compile(r"^(no-?reply|do-?not-?reply|robot|wordpress|www-data|forms?|mailer|notifications?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EventItem:
    """One arrival of one event, with its person."""

    item: ParsedEvent
    seq: int
    parsed_item: ParsedItem
    person: Person


def steps_of(items: Iterable[ParsedEvent]) -> list[EventItem]:
    """Every arrival of every event, in order."""
    return [
        EventItem(item, seq, parsed_item, person_of(parsed_item, item))
        for item in items
        for seq, parsed_item in enumerate(item.parsed_items)
    ]


def person_of(parsed_item: ParsedItem, item: ParsedEvent) -> Person:
    if isinstance(parsed_item, Inquiry):
        phones = [
            key
            for text in parsed_item.phones
            for key in read_phones(text, item.region, kind="form", hints=parsed_item.country_hints.get(text, ()))
        ]
        emails = [key for text in parsed_item.emails for key in read_emails(text)]
        keys = [*phones, *emails, *messenger_keys(parsed_item.messengers)]
        if parsed_item.thread:
            keys.append(thread_key(item.source_id, parsed_item.thread))
        return Person(_ordered(keys, item.own_addresses), parsed_item.name, parsed_item.company)
    if isinstance(parsed_item, CallEvent):
        own = (
            {key.value for key in read_phones(parsed_item.our_number, item.region, kind="ani")}
            if parsed_item.our_number
            else set()
        )
        phones = list(read_phones(parsed_item.remote, item.region, kind="ani", hints=_of_line(own, item.region)))
        return Person(_ordered(phones, item.own_addresses | own))
    if isinstance(parsed_item, Message):
        client = client_address(parsed_item, item.own_addresses)
        keys = [key for text in parsed_item.phones for key in read_phones(text, item.region, kind="form")]
        if client is None or _is_robot(client) or _is_own(client, item.own_addresses):
            # A program or our own side wrote for somebody who left no address: all its visitors would become one person.
            return Person(_ordered(keys, item.own_addresses))
        keys += read_emails(client.email)
        return Person(_ordered(keys, item.own_addresses), client.name)
    return Person(())


def _of_line(own: Collection[str], region: str) -> tuple[CountryHint, ...]:
    """A line abroad shows its callers as they are written there."""
    regions = tuple(sorted({country for number in own if (country := region_of(number))} - {region}))
    return (CountryHint("line", regions),) if regions else ()


def client_address(message: Message, own: Collection[str]) -> MailAddress | None:
    """The person who wrote: From, or Reply-To where From is a program or one of ours (email.md §7)."""
    sender, reply_to = message.sender, message.reply_to
    is_for_another = sender is None or _is_robot(sender) or _is_own(sender, own)
    return reply_to if is_for_another and reply_to is not None and not _is_own(reply_to, own) else sender


def _is_robot(address: MailAddress) -> bool:
    return _ROBOT.match(address.email.partition("@")[0]) is not None


def _is_own(address: MailAddress, own: Collection[str]) -> bool:
    return any(key.value in own for key in read_emails(address.email))


def _ordered(keys: Iterable[Key], own: Collection[str]) -> tuple[Key, ...]:
    """Without our own and repeated ones; a conversation first, then strong before weak, phones before e-mails."""
    unique: dict[tuple[str, str], Key] = {}
    for key in keys:
        if key.value not in own:
            unique.setdefault((key.kind, key.value), key)
    return tuple(
        sorted(
            unique.values(),
            key=lambda key: (
                key.kind != "thread",
                key.strength != "strong",
                key.strength == "blocked",
                key.kind != "phone",
            ),
        )
    )
