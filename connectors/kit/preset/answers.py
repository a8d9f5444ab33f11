"""Lists of described answers into plain fields: `[{"label": "Какой этаж?", "value": "3"}]` becomes {"Какой этаж?": "3"}.

Of an item only its value stays, under its label. Its name and type are told beside it, so that they can still be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.kit.forms.fields import LABEL_CHARS, Path, text_of, without
from connectors.kit.forms.roles import role_of
from connectors.kit.preset.paths import find
from connectors.kit.preset.sources import Kind

_BY_TYPE = "@type"  # the value stands under the name of the answer's type
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_LABEL_CHARS = 250  # a whole question; the decoder cuts keys at about the same length
_MARKS = ("utm", "click_id", "client_id")
#: Roles that `types` may give directly: `types: {LONG_TEXT: message}`.
ROLES = ("name", "first_name", "last_name", "middle_name", "phone", "email", "company", "message")

Rule = Mapping[str, Any]


def answers(data: dict[str, Any], rule: Rule, kinds: dict[Path, Kind]) -> dict[str, Any]:
    """The tree with one kind of list opened. `kinds` learns what the items said of themselves."""
    described = _described(data, rule.get("labels"))
    boxes = [(place, box) for place, box in find(data, rule["answers"]) if isinstance(box, list | dict)]
    if not boxes:
        return data
    data = without(data, {place for place, _ in boxes})
    bare = {**rule, "value": "value"}  # for a mapping of names and plain values
    for place, box in boxes:
        mine: set[str] = set()
        odd: list[Any] = []  # what is no item stays where it is
        for key, item in box.items() if isinstance(box, dict) else enumerate(box):
            if isinstance(item, dict):
                label, value, kind = _answer(key, item, rule, described)
            elif isinstance(box, dict):
                label, value, kind = _answer(key, {"value": item}, bare, described)
            else:
                odd.append(item)
                continue
            if label in mine:  # two fields of one label
                data[label] = [*_listed(data[label]), *_listed(value)]
                continue
            label = free_key(data, label, str(place[-1]))
            mine.add(label)
            data[label] = value
            kinds[(label,)] = kind
        if odd:
            data[free_key(data, str(place[-1]), "")] = odd
    return data


def free_key(data: Mapping[str, Any], key: str, level: str) -> str:
    """The key, or another one close to it where it is taken already: nothing may be lost to a second of its name."""
    if key not in data and key:
        return key
    name = f"{level}_{key}" if level and key else key or level or "field"
    number = 1
    while name in data:  # the decoder lets at most 500 keys in
        number += 1
        name = f"{key or level or 'field'} ({number})"
    return name


def _answer(key: str | int, item: dict[str, Any], rule: Rule, described: Mapping[str, Rule]) -> tuple[str, Any, Kind]:
    name = _text(item, rule.get("name"))[:LABEL_CHARS] or (key if isinstance(key, str) else "")
    label = _text(item, rule.get("label"))[:LABEL_CHARS]
    type_ = _text(item, rule.get("type"))
    value = _value(item, rule)
    if described:
        link = rule["labels"].get("of")
        more = described.get(_text(item, link) if link else str(key), {})
        label = label or _text(more, rule["labels"].get("label"))
        type_ = type_ or _text(more, rule["labels"].get("type"))
    types = rule.get("types")
    said = types.get(type_, type_) if types is not None else type_
    by_name = role_of(name) if name else ""
    if by_name in _MARKS:
        return name, value, Kind(name, type_, by_name)
    label = (" ".join(label.split())[:_LABEL_CHARS] if label else "") or name
    role = said if said in ROLES else role_of(label, name, said)
    return label or f"{key}", value, Kind(name, type_, role)


def _described(data: dict[str, Any], labels: Rule | None) -> dict[str, Rule]:
    """What another list says of the items, by their id: Typeform's definition, Webflow's schema."""
    if labels is None:
        return {}
    result: dict[str, Rule] = {}
    for _, box in find(data, labels["in"]):
        for item in box if isinstance(box, list) else box.values() if isinstance(box, dict) else ():
            if isinstance(item, dict) and (name := _text(item, labels["id"])):
                result.setdefault(name, item)
    return result


def _text(item: Mapping[str, Any], path: str | None) -> str:
    if path is None:
        return ""
    value = item.get(path)
    if type(value) is str:
        return value.strip()
    if value is not None or "." not in path:  # most members are a plain key
        return text_of(value)
    return next(filter(None, (text_of(value) for _, value in find(item, path))), "")


def _value(item: dict[str, Any], rule: Rule) -> Any:
    """The first of the value's places that holds something; the item itself where none does but something is there."""
    wanted = rule.get("value", "value")
    value = item.get(wanted) if type(wanted) is str and wanted != _BY_TYPE else None
    if type(value) is not str or not value:  # nearly always it is a text under a plain key
        for path in _listed(wanted):
            value = next((one for one in _places(item, path, rule) if one not in _EMPTY), None)
            if value is not None:
                break
        else:
            return "" if _is_known(item, rule) else item
        if isinstance(value, dict):
            value = _picked(value, rule.get("pick", ()))
    return _in_words(value, item, rule) if "options" in rule else value


def _picked(value: dict[str, Any], members: Sequence[str]) -> Any:
    """The members that are there: what was chosen, and beside it the person's own words under "other"."""
    found = [value[member] for member in members if value.get(member) not in _EMPTY]
    if len(found) < 2:
        return found[0] if found else value
    return [one for several in found for one in _listed(several)]


def _places(item: dict[str, Any], path: str, rule: Rule) -> Iterator[Any]:
    if path == _BY_TYPE:
        yield item.get(_text(item, rule.get("type")))
    elif path in item:
        yield item[path]
    else:
        yield from (value for _, value in find(item, path))


def _is_known(item: dict[str, Any], rule: Rule) -> bool:
    """True if the value is there and empty: an answer that was not given."""
    places = _listed(rule.get("value", "value"))
    return any(True for path in places for _ in _places(item, path, rule))


def _in_words(value: Any, item: dict[str, Any], rule: Rule) -> Any:
    """Ids of chosen options as the texts that the visitor saw."""
    options = item.get(rule["options"])
    if not isinstance(options, list):
        return value
    texts: dict[str, Any] = {}
    for option in options:
        if isinstance(option, dict):
            texts.setdefault(text_of(option.get(rule.get("option_id", "id"))), option.get(rule.get("option_text", "text")))
    if isinstance(value, list):
        return [texts.get(text_of(one)) or one for one in value]
    return texts.get(text_of(value)) or value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
