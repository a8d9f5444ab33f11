"""Signs of spam in what was written: links, markup, phrases of sellers, the habits of robots. No network, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from crm_core.base.frozen import frozen
from crm_core.parsed import Inquiry
from crm_core.spam.phrase_search import found_phrases, says_asking, says_offering
from crm_core.spam.phrases import BRANDS, BROKEN_PROBE, PRICE_PROBES, REACH_ME, TOPICS
from crm_core.spam.scoring import Signal
from crm_core.spam.texts import folded, has_cyrillic, host_of, is_below, letters, typed, web_hosts, written

# Not <br> and <b>: services that pass on a quiz write its answers so.
_MARKUP: Final = re.compile(r"\[/?(?:url|link|img)\b[^\]]{0,300}\]|<\s*/?(?:a|img|script|iframe|object|embed)\b[^>]{0,300}>", re.IGNORECASE)  # fmt: skip
_ADDRESS: Final = re.compile(r"https?://|www\.\w", re.IGNORECASE)  # "example.com" alone may be how a firm names itself
_CYRILLIC_PLACES: Final = (".ru", ".su", ".xn--p1ai", ".рф", ".by", ".бел")  # sites whose forms speak Russian
_WORD: Final = re.compile(r"[A-Za-z]{10,60}")
_END: Final = " .!?…"
_YES: Final = frozenset({"on", "yes", "1", "true", "да", "y", "checked"})
_NO: Final = frozenset({"off", "no", "0", "false", "нет", "n", ""})
_LINKS, _MANY_LINKS = 2, 5
_MESSENGERS: Final = (
    "t.me",
    "telegram.me",
    "wa.me",
    "api.whatsapp.com",
    "chat.whatsapp.com",
    "viber.click",
    "m.me",
    "vk.me",
    "signal.me",
    "max.ru",
)
_PHRASE_CHARS: Final = 6_000  # who sells says so at once; bounds the time
_SOME_PHRASES, _MANY_PHRASES = 2, 4
_BOXES: Final = 5  # ticked ones; fewer are an ordinary choice
_ODD_CASE: Final = 4  # changes from small to capital inside one word; "McDonald" has one, "JavaScript" too


@frozen
class Place:
    """Where the form stands."""

    region: str = ""  # ISO 3166, of the source
    own_hosts: tuple[str, ...] = ()  # links to them are no links; sites of the source and the hub's own address


def content_signals(inquiry: Inquiry, place: Place) -> Iterator[Signal]:
    texts = written(inquiry)
    said = " ".join(filter(None, map(folded, texts)))[:_PHRASE_CHARS]
    elsewhere = [host for host in web_hosts(texts) if not is_below(host, _own_hosts(inquiry, place))]
    if elsewhere and _asks(said):
        mine = tuple(_mail_hosts(inquiry))  # who asks names the site that it is about
        elsewhere = [host for host in elsewhere if not is_below(host, mine)]
    foreign = [host for host in elsewhere if not is_below(host, _MESSENGERS)]  # how to reach somebody is no site
    if len(foreign) >= _LINKS:
        # A client who lists five products of one shop is no spammer; five shops are.
        yield Signal("many_links" if len(set(foreign)) >= _MANY_LINKS else "links", str(len(foreign)))
    if any(("<" in text or "[" in text) and _MARKUP.search(text) for text in typed(inquiry)):
        yield Signal("markup")
    if _ADDRESS.search(inquiry.name):
        yield Signal("link_in_name")
    if foreign and _speaks_russian(inquiry) and not any(has_cyrillic(text) for text in texts):
        yield Signal("other_script")
    phrases = _count_phrases(said, is_reachable=bool(inquiry.phones or inquiry.emails))
    if phrases:
        code = "spam_phrase" if phrases < _SOME_PHRASES else "spam_phrases" if phrases < _MANY_PHRASES else "spam_text"
        yield Signal(code, str(phrases))
        if elsewhere:
            yield Signal("offer_with_link")
    if _is_price_probe(inquiry, place.region):
        yield Signal("price_probe")
    if folded(inquiry.company).strip(_END) in BRANDS:
        yield Signal("brand_company")
    if (ticked := _ticked(inquiry)) >= _BOXES:
        yield Signal("all_ticked", str(ticked))
    if random := sum(_is_random(text) for text in typed(inquiry)):
        yield Signal("random_texts" if random > 1 else "random_text", str(random))


def _own_hosts(inquiry: Inquiry, place: Place) -> tuple[str, ...]:
    page = host_of(inquiry.attribution.page_url)
    return (*place.own_hosts, page) if page else place.own_hosts


def _speaks_russian(inquiry: Inquiry) -> bool:
    """By the form's own words, or by the site's country; the hub's region alone says nothing about a page."""
    labels = " ".join(
        [*inquiry.fields, inquiry.form_name, inquiry.title, inquiry.attribution.page_title,
         *(consent.text for consent in inquiry.consents)]
    )  # fmt: skip
    return has_cyrillic(labels) or host_of(inquiry.attribution.page_url).endswith(_CYRILLIC_PLACES)


def _asks(text: str) -> bool:
    """In the voice of somebody who wants something, and nowhere in that of somebody who sells."""
    return says_asking(text) and not says_offering(text)


def _mail_hosts(inquiry: Inquiry) -> Iterator[str]:
    return (host for email in inquiry.emails if (host := email.strip().casefold().rpartition("@")[2]))


def _count_phrases(text: str, *, is_reachable: bool) -> int:
    """Without what a client says as well: the subject that he asks for, and where to write to him."""
    found = found_phrases(text)
    topics, reach_me = len(found & TOPICS), len(found & REACH_ME)
    count = len(found) - topics - reach_me
    if topics and not _asks(text):
        count += topics
    return count + reach_me if count or not is_reachable else 0


def _is_price_probe(inquiry: Inquiry, region: str) -> bool:
    said = folded(inquiry.message).strip(_END)
    if BROKEN_PROBE.fullmatch(said):
        return True
    return len(said) <= _LONGEST_PROBE and any(
        (said == sentence or said.endswith(" " + sentence) and len(said) <= len(sentence) + _BEFORE_PROBE)
        and region not in regions
        for sentence, regions in _PROBES
    )


_PROBES: Final = tuple((folded(sentence), regions) for sentence, regions in PRICE_PROBES)
_BEFORE_PROBE: Final = 12  # characters: a name, or "Hello,"
_LONGEST_PROBE: Final = max(len(sentence) for sentence, _ in _PROBES) + _BEFORE_PROBE


def _ticked(inquiry: Inquiry) -> int:
    """How many boxes are ticked, if all of those are that the form shows. A box left empty is mostly not sent."""
    ticked = 0
    for value in _answers(inquiry.fields):
        if value in _NO:
            return 0
        ticked += value in _YES
    if any(not consent.given for consent in inquiry.consents):
        return 0
    return ticked + sum(consent.method == "checkbox" for consent in inquiry.consents)


def _answers(fields: Mapping[str, Any]) -> Iterator[str]:
    for value in fields.values():
        if isinstance(value, bool):
            yield "true" if value else "false"
        elif isinstance(value, str) and len(value) <= 8 and value.strip():
            yield value.strip().casefold()


def _is_random(text: str) -> bool:
    """One word of Latin letters whose capitals stand anywhere: what a robot makes, and a person never types."""
    word = text.strip()
    if not _WORD.fullmatch(word) or letters(word) != len(word):
        return False
    turns = sum(left.islower() and right.isupper() for left, right in pairwise(word))
    return turns >= _ODD_CASE
