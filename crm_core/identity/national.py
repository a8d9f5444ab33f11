"""A number that was written without its country, read by what stands beside it. docs/identity.md has the order and why.

A guess may show a number; it never makes a stranger somebody's client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import phonenumbers

from crm_core.identity.numbering import canonical, e164_of_digits, is_valid

#: What speaks for a country, the strongest first: a calling code or an ISO code beside the number; a field that asks for the
#: country; a currency that only one country has; a locale with its region; our line that was called; the page's national
#: domain; the browser's language with its region. Then the source's own region, and last `default`: en-US, which programs
#: have before anybody chose.
Rank = Literal["beside", "field", "currency", "locale", "line", "page", "browser", "default"]
RANKS: tuple[Rank, ...] = ("beside", "field", "currency", "locale", "line", "page", "browser", "default")
#: Said by the person or his order, not by his device: where they name another country than the number has, it is unsure.
_TOLD = frozenset(("beside", "field", "currency", "locale"))
_BY_PERSON = frozenset(("beside", "field"))

_WAYS_OUT = ("00", "810", "011", "0011", "010")

UNSURE = "country_unsure"
AMBIGUOUS = "country_ambiguous"


@dataclass(frozen=True, slots=True)
class CountryHint:
    """Countries (ISO 3166) that one kind of evidence names for a number."""

    rank: Rank
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """`e164` is "" where the evidence names two numbers, or none. `other`: what the source's region would have read."""

    e164: str
    repaired: bool = False
    flags: tuple[str, ...] = ()
    other: str = ""


def read_national(digits: str, plus: bool, region: str, hints: Sequence[CountryHint]) -> Reading:
    """The first rank by which the digits are a number of its plan decides; two different numbers of one rank decide nothing."""
    own, repaired = e164_of_digits(digits, plus, region)
    own_valid = bool(own) and is_valid(canonical(own))
    if own_valid and (plus or _goes_abroad(digits, own)):
        return Reading(own, repaired)
    for hint in sorted(hints, key=lambda one: RANKS.index(one.rank)):
        found = {number for country in hint.regions if (number := _of_country(digits, country))}
        if len(found) > 1:
            return Reading("", flags=(AMBIGUOUS,))
        if not found:
            continue
        (number,) = found
        if number == own:
            return Reading(own, repaired)
        flag = f"country_{hint.rank}"
        if hint.rank in _TOLD or hint.rank == "line":
            return Reading(number, flags=(flag,))
        if hint.rank == "default" and own_valid:
            return Reading(own, repaired, (UNSURE,), number)
        return Reading(number, flags=(flag, UNSURE), other=own if own_valid else "")
    # 8 916 … on a page in English is still a Russian's; ten digits may be anybody's.
    telling = _BY_PERSON if len(own) == len(digits) + 1 else _TOLD
    names_another = (
        own_valid
        and own != f"+{digits}"
        and any(_code(country) != _code_of(own) for hint in hints if hint.rank in telling for country in hint.regions)
    )
    return Reading(own, repaired, (UNSURE,) if names_another else ())


def _goes_abroad(digits: str, e164: str) -> bool:
    """00 44 …, 8 10 44 …, 011 44 …: it says its country itself."""
    code = str(_code_of(e164))
    return any(digits.startswith(way_out + code) for way_out in _WAYS_OUT)


def _of_country(digits: str, country: str) -> str:
    """The number of these digits in one country's plan, "" where it has none."""
    if country not in phonenumbers.SUPPORTED_REGIONS:
        return ""
    number, _ = e164_of_digits(digits, False, country)
    number = canonical(number) if number else ""
    return number if number and is_valid(number) and _code_of(number) == _code(country) else ""


def _code(country: str) -> int:
    return phonenumbers.country_code_for_region(country)


def _code_of(e164: str) -> int:
    return phonenumbers.parse(e164, None).country_code or 0
