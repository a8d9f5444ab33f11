"""What a post says about the country of its numbers: codes beside them, countries, currencies, locales, the page, the browser.

Looked at only where a number came without its country. `crm_core.identity.national` says which of it counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from phonenumbers import SUPPORTED_REGIONS

from connectors.kit.forms import country_words as words
from connectors.kit.forms.draft import Draft
from connectors.kit.forms.fields import FormField, Path, text_of
from connectors.kit.forms.roles import split, whole
from crm_core.identity.countries import of_currency, regions_in
from crm_core.identity.national import CountryHint, Rank

_LOCALE = re.compile(r"([A-Za-z]{2,3})[-_](?:[A-Za-z]{4}[-_])?([A-Za-z]{2})\b")
_WRITTEN_WHOLE = re.compile(r"\s*(?:\+|00)[\s\d().-]{9,}").match
_FLAGS_BEGIN = "\U0001f1e6"
_LONGEST = 26  # xn--80ao21a and a port; what is longer is no national domain
_CODE = re.compile(r"\+\s?\d{1,3}")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_FIELDS = 400  # more than this no form has; what is nested deeper or later says nothing
_VALUE_CHARS = 80
#: Kinds by the names seen so far: a plain table is asked three times as fast as a function's cache.
_KINDS: dict[str, Rank | None] = {}
_MOST_NAMES = 8192
_UNSEEN: Any = object()


class _Said(NamedTuple):
    """One field that speaks of a country."""

    kind: Rank
    path: Path
    words: frozenset[str]  # of its name: billing_country belongs to billing_phone
    regions: tuple[str, ...]


def hints_for(draft: Draft, fields: Iterable[FormField], region: str) -> dict[str, tuple[CountryHint, ...]]:
    """By the phone as written; nothing where all speaks for `region`, the source's own. `fields` are all that is left of the
    post; `draft.whole` is the post before a mapping."""
    phones = [phone for phone in draft.phones if phone[:1] not in "+0" or not _WRITTEN_WHOLE(phone)]
    if not phones:
        return {}
    said = _said(fields, draft.whole)
    around = _around(draft, region)
    if not said and not around and draft.phones[0][:1] < _FLAGS_BEGIN:
        return {}
    found: dict[str, tuple[CountryHint, ...]] = {}
    places = draft.phone_places or {}
    for phone in phones:
        path, name = places.get(phone, ((), ""))
        hints = (*_in_number(phone), *_of_fields(said, path, name), *around)
        if any(hint.regions != (region,) for hint in hints):
            found[phone] = hints
    return found


def _in_number(phone: str) -> Iterator[CountryHint]:
    if _FLAG.search(phone) and (regions := regions_in("".join(_FLAG.findall(phone)))):
        yield CountryHint("beside", regions)


def _of_fields(said: list[_Said], path: Path, name: str) -> Iterator[CountryHint]:
    """Of each kind what stands nearest to the number: at its own level, then under its own first words."""
    own = frozenset(split(name)) - words.PHONE
    for kind in ("beside", "field", "currency", "locale"):
        ones = [one for one in said if one.kind == kind]
        if len(ones) > 1:
            ones = _nearest(ones, path, own)
        regions = tuple(dict.fromkeys(region for one in ones for region in one.regions))
        if regions:
            yield CountryHint(kind, regions)


def _nearest(ones: list[_Said], path: Path, own: frozenset[str]) -> list[_Said]:
    def nearness(one: _Said) -> tuple[int, int, int]:
        shared = 0
        for a, b in zip(path[:-1], one.path[:-1], strict=False):
            if a != b:
                break
            shared += 1
        return shared, len(own & one.words), -len(one.words & words.OF_ANOTHER)

    best = max(map(nearness, ones))
    return [one for one in ones if nearness(one) == best]


def _said(fields: Iterable[FormField], whole_post: Mapping[str, Any] | None) -> list[_Said]:
    found: list[_Said] = []
    known = _KINDS.get
    for form_field in fields:
        kind = _kind(form_field.name, form_field.label) if form_field.label else known(form_field.name, _UNSEEN)
        if kind is not None and (kind is not _UNSEEN or (kind := _kind(form_field.name, ""))):
            for value in form_field.value[:2] if isinstance(form_field.value, list) else (form_field.value,):
                found += _one(kind, form_field.path, form_field.name, text_of(value))
    for path, name, value in _scalars(whole_post, ()) if whole_post else ():
        kind = known(name, _UNSEEN)
        if kind is not None and (kind is not _UNSEEN or (kind := _kind(name, ""))):
            found += _one(kind, path, name, value)
    return found


def _scalars(level: Any, path: Path) -> Iterator[tuple[Path, str, str]]:
    """Texts of the post with their names, before any mapping took or dropped them."""
    for key, value in islice(level.items(), _FIELDS):
        if isinstance(value, str):
            yield (*path, key), key, value
        elif isinstance(value, dict) and len(path) < 4:
            yield from _scalars(value, (*path, key))
        elif isinstance(value, list) and value and isinstance(value[0], str):
            yield (*path, key), key, value[0]


def _one(kind: Rank, path: Path, name: str, value: str) -> Iterator[_Said]:
    value = value.strip()
    if not value or len(value) > _VALUE_CHARS:
        return
    regions: tuple[str, ...] = ()
    if kind == "currency":
        regions = (of_currency(value.upper()),) if len(value) == 3 else ()
    elif kind == "locale":
        kind, regions = _of_locale(value, kind)
    else:
        regions = regions_in(value, bare_code=kind == "beside")
        if kind == "field" and (_CODE.search(value) or _FLAG.search(value)):
            kind = "beside"
    if regions := tuple(filter(None, regions)):
        yield _Said(kind, path, frozenset(split(name)), regions)


def _of_locale(value: str, rank: Rank) -> tuple[Rank, tuple[str, ...]]:
    match = _LOCALE.match(value)
    region = match[2].upper() if match else ""
    if not match or region not in SUPPORTED_REGIONS:
        return rank, ()
    is_default = (match[1].casefold(), region) == ("en", "US")  # what programs have before anybody chose
    return ("default" if is_default else rank), (region,)


def _around(draft: Draft, region: str) -> tuple[CountryHint, ...]:
    """The page's national domain, then the browser's first language with a region. What speaks for the source is no news."""
    marks, headers = draft.marks, draft.headers
    address = marks.page_url if marks.page_url[:4] == "http" else marks.fallback_page
    if headers is None:
        spoken = ""
    else:
        address, spoken = address or headers.get("origin", ""), headers.get("accept-language", "")
    page = region_of_host(address) if address else ""
    hints = (CountryHint("page", (page,)),) if page and page != region else ()
    return (*hints, *_of_browser(spoken, region)) if spoken else hints


@lru_cache(maxsize=256)
def _of_browser(accept_language: str, region: str) -> tuple[CountryHint, ...]:
    first = accept_language.partition(",")[0].partition(";")[0].strip()
    rank, regions = _of_locale(first, "browser")
    return (CountryHint(rank, regions),) if regions and regions != (region,) else ()


def region_of_host(address: str) -> str:
    """DE of https://www.example.de/, "" where the domain is nobody's or sold to everybody."""
    pieces = address.split("/", 3)
    host = pieces[2] if len(pieces) > 2 else ""
    domain = host.rpartition(".")[2]
    return _of_top_level(domain) if 1 < len(domain) < _LONGEST else ""


@lru_cache(maxsize=512)
def _of_top_level(domain: str) -> str:
    domain = domain.partition(":")[0].casefold()
    region = words.DOMAINS.get(domain, domain.upper())
    return region if region in SUPPORTED_REGIONS and domain not in words.DOMAINS_OF_ALL else ""


def _kind(name: str, label: str) -> Rank | None:
    kind = _kind_of(name) or (_kind_of(label) if label else None)
    if not label:
        if len(_KINDS) >= _MOST_NAMES:
            _KINDS.clear()
        _KINDS[name] = kind
    return kind


@lru_cache(maxsize=8192)
def _kind_of(text: str) -> Rank | None:
    compared = whole(text)
    parts = set(split(text))
    last = {part.rstrip("0123456789") for part in parts}
    if compared in words.CODES or last & words.ISO and last & (words.PHONE | words.COUNTRY):
        return "beside"
    is_country = compared in words.COUNTRY or bool(last & words.COUNTRY)
    if is_country and last & (words.PHONE | words.CODE):
        return "beside"
    if last & words.PHONE and last & words.CODE:
        return "beside"
    if is_country and not last & words.NOT_OF_THE_PERSON:
        return "field"
    if compared in words.CURRENCY or "currency" in last:
        return "currency"
    return "locale" if compared in words.LOCALE or "locale" in last else None
