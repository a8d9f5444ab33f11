"""Phone keys out of a form's field, an exchange's caller number, or prose. Never raises; nothing found is an empty tuple.

Internal extensions, withheld callers and local numbers without an area code make no key at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

from crm_core.identity.fieldtext import Part, parts, plain
from crm_core.identity.identifiers import Key
from crm_core.identity.national import UNSURE, CountryHint, read_national
from crm_core.identity.numbering import canonical, classify, e164_of_digits, is_valid, region_of
from crm_core.identity.placeholders import is_withheld
from crm_core.identity.prose import phone_parts

__all__ = ["PhoneKind", "e164", "read_phones", "region_of"]

#: form: a field that is meant to hold a phone. ani: the outside party of a call event. text: prose, where a number
#: counts only with +7/8, a label or separators.
PhoneKind = Literal["form", "ani", "text"]

_FIELD_CHARS = 256  # longer phone fields are pasted texts; reading only their start bounds the time
_TEXT_CHARS = 20_000  # a mail's own words; the rest is quoted history
_MOST_NUMBERS = 10  # more in one field is a list of colleagues or an attack, not one person


def read_phones(
    text: str,
    region: str,
    *,
    area_code: str = "",
    kind: PhoneKind,
    blocked: frozenset[str] = frozenset(),
    hints: Sequence[CountryHint] = (),
) -> tuple[Key, ...]:
    """Keys in the order in which the numbers stand, without repetitions.

    `region` is the source's ISO 3166 code, `area_code` its town's code for numbers of 5 to 7 digits ("495"), `blocked`
    holds E.164 numbers that are never a client: the company's own lines and placeholders the user listed. `hints` say what
    stands beside the number about its country, and go before `region`.
    """
    if kind == "text":
        return _read(phone_parts(plain(text[:_TEXT_CHARS]), region), region, area_code, kind, blocked, hints)
    return _of_field(text[:_FIELD_CHARS], region, area_code, kind, blocked, tuple(hints))


# Screening, the person and the rules of routing each ask for the field of one inquiry: 1 MB for the last thousand fields.
@lru_cache(maxsize=1024)
def _of_field(
    text: str, region: str, area_code: str, kind: PhoneKind, blocked: frozenset[str], hints: tuple[CountryHint, ...]
) -> tuple[Key, ...]:
    field = plain(text)
    return () if is_withheld(field) else _read(parts(field), region, area_code, kind, blocked, hints)


def _read(
    found: Iterator[Part], region: str, area_code: str, kind: PhoneKind, blocked: frozenset[str], hints: Sequence[CountryHint]
) -> tuple[Key, ...]:
    keys: dict[str, Key] = {}
    for part in found:
        for key in _keys(part, region, area_code, blocked, hints):
            if kind != "ani" and "possible" in key.flags:
                continue  # a person's slip; an exchange names who really rings, also from a range that no plan knows yet
            if key.value not in keys and len(keys) < _MOST_NUMBERS:
                keys[key.value] = key
    return tuple(keys.values())


def e164(text: str, region: str) -> str | None:
    """The first number of a phone field that is not a placeholder, in E.164."""
    return next((k.display for k in read_phones(text, region, kind="form") if k.strength != "blocked"), None)


def _keys(part: Part, region: str, area_code: str, blocked: frozenset[str], hints: Sequence[CountryHint]) -> Iterator[Key]:
    flags = part.flags
    digits = part.digits
    other, same = "", False
    number, repaired = "", False
    if hints:
        reading = read_national(digits, part.plus, region, hints)
        number, repaired, other = reading.e164, reading.repaired, reading.other
        flags += reading.flags
    if 5 <= len(digits) <= 7 and not part.plus and not (number and is_valid(number)):
        code = re.sub(r"\D", "", area_code)
        if not code or (region in ("RU", "KZ") and len(code) + len(digits) != 10):
            return
        flags += ("local",)
        same = len(set(digits)) == 1
        number, repaired = e164_of_digits(code + digits, False, region)
    elif not hints:
        number, repaired = e164_of_digits(digits, part.plus, region)
    if not number:
        return
    value = canonical(number)
    verdict = ("blocked", ("own",)) if value in blocked or number in blocked else classify(value)
    if verdict is None:
        return
    strength, why = verdict
    if UNSURE in flags and strength == "strong":
        strength = "weak"
    if same:
        strength, why = "blocked", ("junk",)
    if repaired:
        flags += ("fixed",)
    yield Key("phone", value, strength, value, flags + why, part.extension)
    if other and (verdict := classify(canonical(other))) is not None and verdict[0] != "blocked":
        yield Key("phone", canonical(other), "weak", other, ("other_country",), part.extension)
    for ending in part.siblings if strength != "blocked" else ():
        other = value[: -len(ending)] + ending
        if other != value and (verdict := classify(other)) is not None and verdict[0] != "blocked":
            yield Key("phone", other, "weak", other, (*part.flags, "sibling"))
