"""What a mapping's `from` may name: places of the tree, items of lists, names, types, roles, the request around the body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import phonenumbers

from connectors.kit.connector import Request
from connectors.kit.decoding import decode_query
from connectors.kit.leaves import Leaf, Path, leaves, text_of
from connectors.kit.marks import query_of
from connectors.kit.paths import GRAMMAR, ITEM_GRAMMAR, find, find_items, folded, matches
from connectors.kit.reading import PROSE_CHARS
from connectors.kit.roles import role_of

_ROLES = "name|first_name|last_name|middle_name|phone|email|company|message|title|page_url|referrer"
#: A place of the tree: also what conditions, keys and addresses are taken from.
PLACE = [
    {"pattern": GRAMMAR},
    {"pattern": ITEM_GRAMMAR},
    {"pattern": r"^@query:[^*]{1,100}$"},
    {"pattern": r"^@header:[a-z0-9-]{1,60}$"},
    {"pattern": r"^@path:[0-9]$"},
]
#: Further ones, which need the fields' names or what stands in a text.
NAMED = [
    {"pattern": rf"^@role:({_ROLES})$"},
    {"pattern": r"^@type:[^|*]+(\|[^|*]+){0,19}$"},
    {"pattern": r"^@name:[^|]+(\|[^|]+){0,19}$", "not": {"pattern": r"(\*[^|*]*){4}"}},
    {"pattern": r"^@(url|text):(\$\.[^*]+|@item:.+|@query:.+|@header:[a-z0-9-]+)$"},
]
_FEWEST_DIGITS = 7  # of a number somebody can be called at from anywhere
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


class Kind(NamedTuple):
    """What a list of answers said of one of them, beside its value."""

    name: str
    type: str
    role: str


@dataclass(slots=True)
class Row:
    """One inquiry's fields, and what is around them."""

    data: dict[str, Any]
    request: Request
    region: str = ""
    kinds: dict[Path, Kind] = field(default_factory=dict)
    _leaves: list[Leaf] | None = None

    def leaves(self) -> list[Leaf]:
        if self._leaves is None:
            self._leaves = leaves(self.data)
        return self._leaves


def values(source: str, row: Row) -> Iterator[tuple[Path, Any]]:
    """Everything a source means, with the place it has in the tree: () for what stands elsewhere."""
    if source.startswith("$"):
        yield from find(row.data, source)
        return
    verb, _, rest = source.partition(":")
    yield from _VERBS[verb](rest, row)


def first_text(source: str, row: Row) -> str:
    return next(filter(None, (text_of(value) for _, value in values(source, row))), "")


def addresses_marks(source: str, row: Row) -> Iterator[tuple[str, str]]:
    """`@url:`: names and values in the queries of addresses."""
    for _, value in values(source.removeprefix("@url:"), row):
        yield from query_of(text_of(value))


def _by_item(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    return find_items(row.data, "@item:" + rest)


def _by_role(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    for leaf in row.leaves():
        kind = row.kinds.get(leaf.path)
        if (kind.role if kind else role_of(leaf.name, leaf.label, leaf.type)) == rest:
            yield leaf.path, leaf.value


def _by_type(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    wanted = rest.casefold().split("|")
    for leaf in row.leaves():
        kind = row.kinds.get(leaf.path)
        if (kind.type if kind else leaf.type).casefold() in wanted:
            yield leaf.path, leaf.value


def _by_name(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    wanted = [folded(text) for text in rest.split("|")]
    for leaf in row.leaves():
        kind = row.kinds.get(leaf.path)
        names = {
            folded(text)
            for text in (leaf.name, leaf.label, kind.name if kind else "", str(leaf.path[-1]))
            if text
        }
        if any(matches(name, pattern) for name in names for pattern in wanted):
            yield leaf.path, leaf.value


def _of_query(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    for _, value in find(decode_query(row.request.query, set()), "$." + rest):
        yield (), value


def _of_header(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    value = row.request.headers.get(rest, "")
    if value:
        yield (), "".join(filter(str.isprintable, value))


def _of_path(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    parts = row.request.path.split("/")
    if int(rest) < len(parts) and parts[int(rest)]:
        yield (), "".join(filter(str.isprintable, parts[int(rest)]))


def _in_text(rest: str, row: Row) -> Iterator[tuple[Path, Any]]:
    """Numbers and addresses that a person wrote into a text, which itself stays where it is."""
    left = PROSE_CHARS  # all texts together: looking for numbers is slow
    for _, value in values(rest, row):
        prose = text_of(value)[:left]
        left -= len(prose)
        if sum(map(str.isdigit, prose)) >= _FEWEST_DIGITS:
            for match in phonenumbers.PhoneNumberMatcher(prose, row.region or None):
                yield (), match.raw_string
        if "@" in prose:
            yield from (((), found) for found in _EMAIL.findall(prose))


_VERBS = {
    "@item": _by_item, "@role": _by_role, "@type": _by_type, "@name": _by_name, "@query": _of_query, "@header": _of_header,
    "@path": _of_path, "@text": _in_text,
}  # fmt: skip
