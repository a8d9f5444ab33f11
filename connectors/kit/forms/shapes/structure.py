"""Forms that tell names and values apart: a description of the fields beside their values, keys and values by number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from connectors.kit.decoding import jsontext

#: Where a description of the form's fields stands, beside the values under the fields' ids.
_DESCRIBING: Final = frozenset(
    [
        "FieldStructure",
        "fieldStructure",
        "field_structure",
        "structure",
        "schema",
        "Schema",
        "labels",
        "Labels",
        "field_labels",
        "fieldLabels",
        "titles",
        "questions",
        "Questions",
        "definition",
        "definitions",
        "fieldDefinitions",
        "field_definitions",
        "form_fields",
        "formFields",
        "columns",
        "headers",
        "fields",
        "Fields",
        "mapping",
    ]
)
_LISTS: Final = frozenset(("fields", "data", "values", "answers"))
_LEVELS: Final = ("Fields", "fields", "properties", "questions", "columns", "items")
_IDS: Final = ("ID", "id", "Id", "key", "name", "ref", "field", "field_id", "fieldId", "uuid", "slug")
_TITLES: Final = ("Title", "title", "label", "Label", "question", "Question", "caption", "text", "description")
_TYPES: Final = ("Type", "type", "fieldType", "field_type")
_PARTS: Final = ("SubFields", "subfields", "subFields", "parts")

_NUMBERED: Final = re.compile(
    r"(.{0,40}?)(keys?|k|names?|labels?|fields?|questions?|titles?|q)([_\-\[]?)(\d{1,3})(\]?)", re.IGNORECASE
)
_VALUED: Final = {
    "key": ("value", "val", "v"), "k": ("v", "val", "value"), "name": ("value", "val", "v"), "label": ("value", "answer", "val"),
    "field": ("value", "val", "answer"), "question": ("answer", "value", "response"), "title": ("value", "answer"), "q": ("a", "v"),
}  # fmt: skip
_PAIR: Final = 2


class _Told(NamedTuple):
    label: str
    type: str


def restructured(data: dict[str, Any]) -> dict[str, Any]:
    """The same fields, each with the name that a person gave it. Quick where there is nothing to do, which is nearly always."""
    if not _DESCRIBING.isdisjoint(data):
        data = _labelled(data)
    if "1\t" in "\t".join(data) + "\t":
        data = _paired(data)
    for name in _LISTS.intersection(data):
        rows = data.get(name)
        if isinstance(rows, list) and (pairs := pairs_of(rows)):
            data = {**data, name: pairs}
    return data


def pairs_of(rows: list[Any]) -> dict[str, Any]:
    """`[["name", "Anna"], ["phone", "…"]]` and `[{"name": "Anna"}, {"phone": "…"}]` as one form; empty for anything else."""
    if len(rows) < _PAIR:
        return {}
    found: dict[str, Any] = {}
    for row in rows:
        if isinstance(row, list) and len(row) == _PAIR and isinstance(row[0], str):
            key, value = row
        elif isinstance(row, dict) and len(row) == 1:
            ((key, value),) = row.items()
        else:
            return {}
        if key in found:
            return {}
        found[key] = value
    return found


def _labelled(data: dict[str, Any]) -> dict[str, Any]:
    """{"Field1": "Wade", "FieldStructure": {"Fields": [{"ID": "Field1", "Title": …}]}} with the fields described as a list."""
    for name in _DESCRIBING.intersection(data):
        described = data[name]
        if isinstance(described, str) and described[:1] in ("{", "["):
            try:
                described = jsontext.understood(described)
            except ValueError:
                continue
        told = {id_: one for id_, one in _told(described) if id_ in data and id_ != name and not isinstance(data[id_], dict)}
        if len(told) >= _PAIR or (told and len(data) == _PAIR):
            rest = {key: value for key, value in data.items() if key not in told and key != name}
            rows = [{"name": id_, "label": one.label, "type": one.type, "value": data[id_]} for id_, one in told.items()]
            return {**rest, "fields" if "fields" not in rest else "form_fields": rows}
    return data


def _told(described: Any, depth: int = 0) -> Iterator[tuple[str, _Told]]:
    """Ids of fields and what is said of them, of a list, of a mapping, or one level below."""
    if isinstance(described, list):
        for row in described:
            if isinstance(row, dict):
                yield from _told_row(row)
    elif isinstance(described, dict):
        below = [described[name] for name in _LEVELS if isinstance(described.get(name), dict | list)]
        if below and depth < _PAIR:
            yield from _told(below[0], depth + 1)
            return
        for id_, said in described.items():
            if isinstance(said, str):
                yield id_, _Told(said, "")
            elif isinstance(said, dict) and (title := _first(said, _TITLES)):
                yield id_, _Told(title, _first(said, _TYPES))


def _told_row(row: Mapping[str, Any]) -> Iterator[tuple[str, _Told]]:
    title, type_ = _first(row, _TITLES), _first(row, _TYPES)
    parts: list[Any] = next((row[name] for name in _PARTS if isinstance(row.get(name), list)), [])
    for part in parts:
        if isinstance(part, dict) and (id_ := _first(part, _IDS)):
            yield id_, _Told(f"{_first(part, _TITLES)} {title}".strip(), "")
    if not parts and title and (id_ := _first(row, _IDS)):
        yield id_, _Told(title, type_)


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((str(row[name]) for name in names if isinstance(row.get(name), str | int) and row[name] != ""), "")


def _paired(data: dict[str, Any]) -> dict[str, Any]:
    """{"k1": "name", "v1": "Iris", "k2": …} with the values under their names."""
    moved: dict[str, Any] = {}
    gone: set[str] = set()
    for key, called in data.items():
        match = _NUMBERED.fullmatch(key)
        if match is None or not isinstance(called, str) or not 0 < len(called.strip()) <= 200:
            continue
        before, word, separator, number, end = match.groups()
        for other in _VALUED.get(word.casefold().removesuffix("s"), ()):
            spelt = other.capitalize() if word[0].isupper() else other
            partner = f"{before}{spelt}{separator}{number}{end}"
            if partner in data and called.strip() not in moved:
                moved[called.strip()] = data[partner]
                gone |= {key, partner}
                break
    if not moved:
        return data
    return {**{key: value for key, value in data.items() if key not in gone and key not in moved}, **moved}
