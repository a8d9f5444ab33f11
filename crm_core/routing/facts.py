"""What rules may ask about a new lead, out of what arrived. Small and flat: it is kept with the decision, so that it can be replayed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from crm_core.batch.steps import EventItem
from crm_core.identity.phones import read_phones, region_of
from crm_core.parsed import CallEvent, Inquiry, Message

LONGEST_FACT: Final = 500
_MOST_OF_TEXT: Final = 300  # characters of a message that show its language
_FEWEST_LETTERS: Final = 3

_UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
_PRODUCT: Final = ("product", "товар", "услуга", "service", "model")
_VALUE: Final = ("value", "price", "amount", "budget", "сумма", "бюджет", "цена", "стоимость")

#: Letters that only one language of a script has, before the script's own language.
_OWN_LETTERS: Final = (("kk", re.compile("[әғқңөұүһі]*[әғқңұү]")), ("uk", re.compile("[їєґ]")), ("be", re.compile("ў")))
_SCRIPTS: Final = tuple(
    (language, re.compile(letters))
    for language, letters in (
        ("ru", "[а-яё]"), ("en", "[a-z]"), ("hy", "[ա-ֆ]"), ("ka", "[ა-ჰ]"), ("el", "[α-ω]"), ("he", "[א-ת]"), ("ar", "[ء-ي]"),
        ("zh", "[一-鿿]"), ("ko", "[가-힣]"), ("ja", "[ぁ-ヿ]"),
    )
)  # fmt: skip
_OF_COUNTRY: Final = {
    "RU": "ru", "BY": "ru", "KZ": "ru", "KG": "ru", "UA": "uk", "DE": "de", "AT": "de", "FR": "fr", "ES": "es", "IT": "it", "PL": "pl",
    "US": "en", "GB": "en", "IE": "en", "AU": "en", "NZ": "en", "CA": "en", "TR": "tr", "GE": "ka", "AM": "hy", "IL": "he", "CN": "zh",
}  # fmt: skip


def facts_of(step: EventItem, line: str) -> dict[str, Any]:
    """Facts by name (`conditions.FACTS`), without those that are not known."""
    item, parsed = step.item, step.parsed_item
    facts: dict[str, Any] = {"source": str(item.source_id), "channel": item.channel, "received": item.received_at.isoformat()}
    if line:
        facts["line"] = line
    phone = next((key.value for key in step.person.keys if key.kind == "phone" and key.strength != "blocked"), "")
    text = ""
    if phone:
        facts["phone"] = phone
        if country := region_of(phone):
            facts["country"] = country
    if isinstance(parsed, Inquiry):
        text = f"{parsed.name} {parsed.message}"
        facts |= _of_form(parsed)
    elif isinstance(parsed, CallEvent):
        ours = read_phones(parsed.our_number, item.region, kind="ani") if parsed.our_number else []
        facts["our_number"] = ours[0].value if ours else parsed.our_number
    elif isinstance(parsed, Message):
        text = parsed.text
        facts["title"] = parsed.subject
        facts["mailbox"] = next(iter(parsed.delivered_to), "") or next((address.email for address in parsed.to), "")
    if language := language_of(text, facts.get("country", "")):
        facts["language"] = language
    return {
        name: value[:LONGEST_FACT] if isinstance(value, str) else value for name, value in facts.items() if value not in ("", [])
    }


def _of_form(inquiry: Inquiry) -> dict[str, Any]:
    utm = inquiry.attribution.utm
    facts: dict[str, Any] = {name: utm[name] for name in _UTM if name in utm}
    facts |= {
        "form_id": inquiry.form_id, "form_name": inquiry.form_name, "title": inquiry.title,
        "page_url": inquiry.attribution.page_url, "referrer": inquiry.attribution.referrer,
        "click_ids": sorted(name for name, value in inquiry.attribution.click_ids.items() if value),
    }  # fmt: skip
    if inquiry.fields:
        fields = {name.casefold(): value for name, value in inquiry.fields.items()}
        facts["product"] = next((fields[name] for name in _PRODUCT if isinstance(fields.get(name), str)), "")
        value = next((told for name in _VALUE if name in fields and (told := _number(fields[name])) is not None), None)
        if value is not None:
            facts["value"] = value
    return facts


def _number(written: Any) -> float | None:
    """ "118 000,50 руб." → 118000.5; None for what is no number."""
    if isinstance(written, int | float) and not isinstance(written, bool):
        return float(written) if abs(written) < 1e15 else None
    found = re.match(r"\s*(\d[\d\s\u00a0\u202f]{0,20}(?:[.,]\d{1,2})?)", written[:100]) if isinstance(written, str) else None
    return float(re.sub(r"\s", "", found[1]).replace(",", ".")) if found is not None else None


def language_of(text: str, country: str = "") -> str:
    """ISO 639 of what somebody wrote, by its letters; of a text without letters by the country; "" if neither says anything.

    What is written beats where the number is from. Letters of Latin are English unless the country says another language of them.
    """
    folded = text[:_MOST_OF_TEXT].casefold()
    used = "".join(set(folded))
    scripts = [(language, own) for language, own in _SCRIPTS if own.search(used)]
    of_country = _OF_COUNTRY.get(country, "")
    letters, language = max(
        ((_count(own, folded, len(scripts)), language) for language, own in scripts), key=lambda told: told[0], default=(0, "")
    )
    if letters < _FEWEST_LETTERS:
        return of_country
    if language == "ru":
        return next((own for own, own_letters in _OWN_LETTERS if own_letters.search(folded)), "ru")
    if language == "en" and of_country in ("de", "fr", "es", "it", "pl", "tr"):
        return of_country
    return language


def _count(letter: re.Pattern[str], text: str, scripts: int) -> int:
    """How many letters of a script there are; where it is the only one, no more than matter are counted."""
    found = letter.finditer(text)
    return sum(1 for _ in (islice(found, _FEWEST_LETTERS) if scripts == 1 else found))


def with_client(facts: Mapping[str, Any], is_client: bool, client_value: float | None, client_days: int | None) -> dict[str, Any]:
    """The facts with what is known of the client: what they bought for so far, and for how many days they are known."""
    more = {"is_client": is_client, "client_value": client_value, "client_days": client_days}
    return {**facts, **{name: value for name, value in more.items() if value is not None}}


def with_region(facts: Mapping[str, Any], region_of: Callable[[str], str | None]) -> dict[str, Any]:
    """The facts with the region of the number by the numbering plan; without one where no range is known that holds it."""
    region = region_of(facts["phone"]) if facts.get("phone") else None
    return {**facts, "phone_region": region} if region is not None else dict(facts)
