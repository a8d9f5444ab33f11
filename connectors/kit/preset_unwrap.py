"""What providers pack into one field: JSON in a text, `a=1|||b=2`, a cookie line. Pure verbs of a preset's `unwrap`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from connectors.kit.decoding import jsontext
from connectors.kit.leaves import Path, without
from connectors.kit.paths import find

_PAIRS = 200  # a cookie line or a bundle of marks has under 50


def unwrapped(data: dict[str, Any], rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same tree with the packed fields opened, in the order of the rules. What cannot be opened stays as it is."""
    for rule in rules:
        if "json_string" in rule:
            for place, value in list(find(data, rule["json_string"])):
                data = _with(data, place, _from_json(value))
        elif "kv" in rule:
            for place, value in list(find(data, rule["kv"])):
                if isinstance(value, str):
                    data = _with(data, place, pairs(value, rule["sep"]))
        else:
            for place, value in list(find(data, rule["cookies"])):
                # Other cookies are sessions of the site's visitors: secrets that nobody asked for.
                cookies = pairs(value, ";") if isinstance(value, str) else {}
                kept = {name: text for name, text in cookies.items() if name in rule["keep"]}
                data = {**kept, **without(data, {place})}
    return data


def pairs(text: str, separator: str) -> dict[str, str]:
    """`a=1<sep>b=2`, also escaped as a whole, and with the `amp;` that a doubly escaped page leaves before a name."""
    if "%" in text and "=" not in text:
        text = unquote_plus(text)
    result: dict[str, str] = {}
    for piece in text.split(separator, _PAIRS)[:_PAIRS]:
        name, equals, value = piece.strip().removeprefix("amp;").partition("=")
        if equals and name:
            result.setdefault(name, value)
    return result


def _from_json(value: Any) -> Any:
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    for attempt in (value, value.replace("&quot;", '"')):
        try:
            return jsontext.bounded(jsontext.loads(attempt), set())
        except ValueError:
            continue
    return value


def _with(data: Any, place: Path, value: Any) -> Any:
    """A copy of the tree with another value at a place."""
    if not place:
        return value
    key, *below = place
    if isinstance(data, list):
        return [_with(item, tuple(below), value) if index == key else item for index, item in enumerate(data)]
    return {name: _with(item, tuple(below), value) if name == key else item for name, item in data.items()}
