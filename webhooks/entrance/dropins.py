"""Addresses of other services that the hub answers at, so that a site moves here by changing the host name alone.

The connectors declare them (`connectors.kit.replaces`). Each says which source is meant (by an alias, or by the source's own
token in the id's place) and which connector reads it. Nothing is checked here beyond that: an id that nobody has is an unknown
address like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from connectors.kit import registry
from connectors.kit.replaces import Match
from crm_core.base.errors import UnknownSource
from ingest.sources.aliases import alias_of

_SHOWN_CHARS: Final = 200  # of an id in the journal's path

#: A named field in JSON, in a urlencoded body and in a part of multipart; `%s` is its name.
_FIELD: Final = (
    rb'"%s"\s{0,4}:\s{0,4}"([^"\\\r\n]{1,200})"|(?:\A|[&\r\n])%s=([^&\s]{1,200})'
    rb'|name=(?:"%s"|%s(?=[\s;]))[^\r\n]{0,100}(?:\r?\n[^\r\n]{1,200}){0,4}(?:\r?\n){2}([^\r\n]{1,200})'
)
_LOOKS: Final = 50  # so many times a body may name the word before the looking ends


@dataclass(frozen=True, slots=True)
class Dropin:
    preset: str  # reads it, whatever else it might look like
    tokens: tuple[str, ...]  # to be looked up in this order
    rest: str = ""  # the ids by which the old service knew the form
    get_counts: bool = False  # it takes inquiries by GET
    wants_json: bool = False  # this address never answers with a page

    @property
    def path(self) -> str:
        """What the connector sees as the path behind the token: the preset, and the old ids behind it."""
        return f"{self.preset}/{self.rest}" if self.rest else self.preset


def read(path: str, query: str, body: bytes) -> tuple[Dropin, ...]:
    """Who may be meant, best first; empty for a path that is no drop-in. UnknownSource where the field is missing that
    would say it."""
    found: list[Dropin] = []
    missing = ""
    for match in registry.replaced().match(path):
        if not match.declared.key_field:
            found.append(_by_path(match))
        elif key := next(iter(_named(match.declared.key_field, query, body)), ""):
            tokens = (alias_of(match.service, key), key)
            found.append(Dropin(match.service, tokens, get_counts=match.path.get, wants_json=match.json))
        else:
            missing = missing or match.declared.key_field
    if missing and not found:
        raise UnknownSource("unknown_source", f"The field {missing} is missing or empty: it says whose form this is.")
    return tuple(found)


def prefixes() -> tuple[str, ...]:
    """Beginnings of the paths that belong to them, for the switch in front of Flask."""
    return registry.replaced().prefixes


def is_mail_path(path: str) -> bool:
    """POST /info@example.com: the address of a form at services that know their customers by mail."""
    return "@" in path and registry.replaced().is_mail_path(path)


def _by_path(match: Match) -> Dropin:
    aliases = [alias_of(match.service, name) for name in match.declared.ids_of(match.values)]
    tokens = (*aliases, *reversed(list(match.values.values())))  # what stands last is the most particular
    rest = "/".join(match.values.values())
    return Dropin(match.service, tokens, rest, get_counts=match.path.get, wants_json=match.json)


@cache
def _field(name: bytes) -> re.Pattern[bytes]:
    return re.compile(_FIELD.replace(b"%s", re.escape(name)))


def _named(name: str, query: str, body: bytes) -> Iterable[str]:
    """Values of the field, in the query first. The body is not decoded: only its shape around the name is looked at."""
    with suppress(ValueError):  # more fields than any form has
        yield from parse_qs(query, max_num_fields=500).get(name, [])
    field = name.encode()
    pattern = _field(field)
    at = -1
    for _ in range(_LOOKS):
        at = body.find(field, at + 1)
        if at < 0:
            return
        # The window begins before the name, where its quote or its `&` stands, and reaches over a part's headers.
        start = max(0, at - 64)
        window = body[start : at + 1200]
        match = pattern.search(window) if start == 0 else pattern.search(window, 1)
        if match is not None:
            raw = next(filter(None, match.groups()))
            text = raw.decode("utf-8", "replace")
            yield (unquote_plus(text) if match[2] is not None else text).strip()[:_SHOWN_CHARS]


def address(base_url: str, alias: str) -> str:
    """Where the form of an alias posts to from now on: the old path at the hub's host. "" if its connector is gone."""
    service, _, name = alias.partition(":")
    declared = registry.replaced().services.get(service)
    return base_url + declared.path_of(name) if declared is not None else ""
