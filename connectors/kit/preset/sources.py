"""What a mapping's `from` may name: places of the tree, items of lists, names, types, roles, the request around the body."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import phonenumbers

from connectors.kit.connector import Request
from connectors.kit.decoding import decode_query
from connectors.kit.forms.attribution import query_of
from connectors.kit.forms.fields import FormField, Path, form_fields, text_of
from connectors.kit.forms.read_form import PROSE_CHARS
from connectors.kit.forms.roles import role_of
from connectors.kit.preset.paths import GRAMMAR, ITEM_GRAMMAR, find, find_items, finder, folded, matches

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
_LONG = 100  # characters of a name
_FEWEST_DIGITS = 7  # of a number somebody can be called at from anywhere
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


class Kind(NamedTuple):
    """What a list of answers said of one of them, beside its value."""

    name: str
    type: str
    role: str


Found = Sequence[tuple[Path, Any]]
Reader = Callable[["Row"], Found]


@dataclass(slots=True)
class Row:
    """One inquiry's fields, and what is around them."""

    data: dict[str, Any]
    request: Request
    region: str = ""
    kinds: dict[Path, Kind] = field(default_factory=dict)
    _form_fields: list[FormField] | None = None
    _roles: dict[str, list[tuple[Path, Any]]] | None = None
    _names: list[frozenset[str]] | None = None
    _query: dict[str, Any] | None = None

    def query(self) -> dict[str, Any]:
        """What stands in the address."""
        if self._query is None:
            self._query = decode_query(self.request.query, set()) if self.request.query else {}
        return self._query

    def form_fields(self) -> list[FormField]:
        if self._form_fields is None:
            self._form_fields = form_fields(self.data)
        return self._form_fields

    def of_role(self, role: str) -> Found:
        """The fields whose list, name, label or type says this role."""
        if self._roles is None:
            self._roles = {}
            for form_field in self.form_fields():
                kind = self.kinds.get(form_field.path)
                said = kind.role if kind else role_of(form_field.name, form_field.label, form_field.type)
                if said:
                    self._roles.setdefault(said, []).append((form_field.path, form_field.value))
        return self._roles.get(role, ())

    def names(self) -> list[frozenset[str]]:
        """What each field is called, in the order of `form_fields`: by its name, its label, its list, its key."""
        if self._names is None:
            kinds = self.kinds
            self._names = [
                _names_of(
                    form_field.name,
                    form_field.label,
                    kind.name if (kind := kinds.get(form_field.path)) else "",
                    form_field.path[-1],
                )
                for form_field in self.form_fields()
            ]
        return self._names


def values(source: str, row: Row) -> Found:
    """Everything a source means, with the place it has in the tree: () for what stands elsewhere."""
    return reader(source)(row)


@lru_cache(maxsize=4096)  # a hub's mappings name some hundreds
def reader(source: str) -> Reader:
    """The source as a function, so that its words are taken apart once and not for every event."""
    if source.startswith("$"):
        search = finder(source)
        return lambda row: search(row.data)
    verb, _, rest = source.partition(":")
    return _VERBS[verb](rest)


def first_text(source: str, row: Row) -> str:
    return next(filter(None, (text_of(value) for _, value in values(source, row))), "")


def addresses_marks(source: str, row: Row) -> Iterator[tuple[str, str]]:
    """`@url:`: names and values in the queries of addresses."""
    for _, value in values(source.removeprefix("@url:"), row):
        yield from query_of(text_of(value))


def _names_of(*texts: str | int) -> frozenset[str]:
    return frozenset([_folded(text) if len(text) < _LONG else folded(text) for text in map(str, {*texts}) if text])


_folded = lru_cache(maxsize=8192)(folded)  # the same forms send the same names; of long ones there is no end


def _by_item(rest: str) -> Reader:
    path = "@item:" + rest
    return lambda row: list(find_items(row.data, path))


def _by_role(rest: str) -> Reader:
    return lambda row: row.of_role(rest)


def _by_type(rest: str) -> Reader:
    wanted = frozenset(rest.casefold().split("|"))

    def read(row: Row) -> Found:
        found = []
        for form_field in row.form_fields():
            kind = row.kinds.get(form_field.path)
            type_ = kind.type if kind else form_field.type
            if type_ and type_.casefold() in wanted:
                found.append((form_field.path, form_field.value))
        return found

    return read


def _by_name(rest: str) -> Reader:
    wanted = [folded(text) for text in rest.split("|")]
    exact = frozenset(text for text in wanted if "*" not in text)
    patterns = [text for text in wanted if "*" in text]

    def read(row: Row) -> Found:
        known = row.names()
        if not patterns:
            if exact.isdisjoint(chain.from_iterable(known)):
                return ()  # of the names that a provider might use most are not there
            places = [at for at, names in enumerate(known) if not exact.isdisjoint(names)]
        else:
            places = [
                at for at, names in enumerate(known)
                if not exact.isdisjoint(names) or any(matches(name, one) for one in patterns for name in names)
            ]  # fmt: skip
        fields = row.form_fields()
        return [(fields[at].path, fields[at].value) for at in places]

    return read


def _of_query(rest: str) -> Reader:
    return lambda row: [((), value) for _, value in find(row.query(), rest)]


def _of_header(rest: str) -> Reader:
    def read(row: Row) -> Found:
        value = row.request.headers.get(rest, "")
        return [((), "".join(filter(str.isprintable, value)))] if value else ()

    return read


def _of_path(rest: str) -> Reader:
    def read(row: Row) -> Found:
        parts = row.request.path.split("/")
        if int(rest) < len(parts) and parts[int(rest)]:
            return [((), "".join(filter(str.isprintable, parts[int(rest)])))]
        return ()

    return read


def _in_text(rest: str) -> Reader:
    return lambda row: list(_written(rest, row))


def _written(source: str, row: Row) -> Iterator[tuple[Path, Any]]:
    """Numbers and addresses that a person wrote into a text, which itself stays where it is."""
    left = PROSE_CHARS  # all texts together: looking for numbers is slow
    for _, value in values(source, row):
        prose = text_of(value)[:left]
        left -= len(prose)
        if sum(map(str.isdigit, prose)) >= _FEWEST_DIGITS:
            for match in phonenumbers.PhoneNumberMatcher(prose, row.region or None):
                yield (), match.raw_string
        if "@" in prose:
            yield from (((), found) for found in _EMAIL.findall(prose))


_VERBS: Mapping[str, Callable[[str], Reader]] = {
    "@item": _by_item, "@role": _by_role, "@type": _by_type, "@name": _by_name, "@query": _of_query, "@header": _of_header,
    "@path": _of_path, "@text": _in_text,
}  # fmt: skip
