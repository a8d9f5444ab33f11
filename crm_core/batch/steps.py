"""Who is behind an arrival: the canonical keys of the person, in order of priority. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from crm_core.base.frozen import frozen
from crm_core.batch.authors import FORWARDED, author_of
from crm_core.batch.state import ParsedEvent, Person
from crm_core.identity.companies import Company, company_domain, read_company
from crm_core.identity.emails import read_emails
from crm_core.identity.identifiers import Key
from crm_core.identity.messengers import messenger_keys, thread_key
from crm_core.identity.national import CountryHint
from crm_core.identity.phones import read_phones, region_of
from crm_core.identity.sender_addresses import our_domains
from crm_core.parsed import CallEvent, Inquiry, Message, ParsedItem

#: Fields and words that announce the number of a company.
_NUMBER_FIELD = re.compile(r"(?<![a-zа-яё])(?:inn|инн|ogrn(?:ip)?|огрн(?:ип)?|kpp|кпп)(?![a-zа-яё])")
_NUMBER_LABELS = ("инн", "inn", "огрн", "ogrn")
_NO_ADDRESS = frozenset({"typo", "mixed_script", "disposable", "relay"})
_NO_COMPANY = Company()


@frozen
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
        company = _company_of(parsed_item, emails, item.own_addresses)
        return Person(
            _ordered(keys, item.own_addresses),
            parsed_item.name,
            parsed_item.company,
            company.keys,
            company.name or parsed_item.company,
        )
    if isinstance(parsed_item, CallEvent):
        own = (
            {key.value for key in read_phones(parsed_item.our_number, item.region, kind="ani")}
            if parsed_item.our_number
            else set()
        )
        phones = list(read_phones(parsed_item.remote, item.region, kind="ani", hints=_of_line(own, item.region)))
        return Person(_ordered(phones, item.own_addresses | own))
    if isinstance(parsed_item, Message):
        return _of_mail(parsed_item, item)
    return Person(())


def _of_mail(message: Message, item: ParsedEvent) -> Person:
    """A program's or our own side's address is nobody's: all the visitors it writes for would become one person. What it
    writes names the site's own telephones too, so the visitor's are those with a label, or else in front of its footer."""
    author, own = author_of(message, item.own_addresses), item.own_addresses
    visitor = message.visitor
    phones = visitor.phones if author.by_program and visitor and visitor.phones else message.phones
    if author.rule == FORWARDED:
        phones = message.original_phones
    keys = [key for text in phones for key in read_phones(text, item.region, kind="form")]
    if author.address is None:
        return Person(_ordered(keys, own), author.name)
    senders = [key for key in read_emails(author.address.email) if key.value not in own]
    company = read_company(emails=_of_companies(senders, own))
    return Person(_ordered([*keys, *senders], own), author.name, company_keys=company.keys)


def _company_of(inquiry: Inquiry, emails: Iterable[Key], own: Collection[str]) -> Company:
    """The company that a form names by number or by the domain of an address. A name alone identifies none."""
    numbers = [
        value for name, value in inquiry.fields.items() if isinstance(value, str) and _NUMBER_FIELD.search(name.casefold())
    ] if inquiry.fields else []  # fmt: skip
    said = [text if _labels_number(text) else "" for text in (inquiry.company, inquiry.message)]
    domains = _of_companies(emails, own)
    if not (numbers or domains or any(said)):
        return _NO_COMPANY
    return read_company(said[0] or inquiry.company, numbers=numbers, text=said[1], emails=domains)


def _labels_number(text: str) -> bool:
    folded = text.casefold()
    return any(label in folded for label in _NUMBER_LABELS)


def _of_companies(emails: Iterable[Key], own: Collection[str]) -> list[str]:
    """Addresses whose domain may be a client's company: written so by somebody, and not at one of our own domains."""
    written = [
        key.value for key in emails if not key.is_guess and key.strength != "blocked" and _NO_ADDRESS.isdisjoint(key.flags)
    ]
    if not written:
        return []
    ours = our_domains(frozenset(own))
    return [address for address in written if company_domain(address) and company_domain(address) not in ours]


def _of_line(own: Collection[str], region: str) -> tuple[CountryHint, ...]:
    """A line abroad shows its callers as they are written there."""
    regions = tuple(sorted({country for number in own if (country := region_of(number))} - {region}))
    return (CountryHint("line", regions),) if regions else ()


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
