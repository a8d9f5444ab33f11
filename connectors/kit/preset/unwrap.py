"""What providers pack up: JSON in a text, `a=1|||b=2`, a cookie line, names with numbers before them, levels that only wrap.

Pure verbs of a preset's `unwrap`, each linear in the size of the tree. What cannot be opened stays as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from connectors.kit.decoding import jsontext
from connectors.kit.forms.fields import Path, without
from connectors.kit.preset.answers import answers, free_key
from connectors.kit.preset.paths import find
from connectors.kit.preset.sources import Kind

_PAIRS = 200  # a cookie line or a bundle of marks has under 50

Rule = Mapping[str, Any]
Tree = dict[str, Any]
Step = Callable[[Tree, dict[Path, Kind]], Tree]


def steps_of(rules: Sequence[Rule]) -> tuple[Step, ...]:
    """The rules of `unwrap` as functions, in their order."""
    return tuple(_step(next(name for name in VERBS if name in rule), rule) for rule in rules)


def unwrapped(data: Tree, steps: Sequence[Step]) -> tuple[Tree, dict[Path, Kind]]:
    """The same tree with the packed fields opened, and what lists of answers said of each."""
    kinds: dict[Path, Kind] = {}
    for step in steps:
        data = step(data, kinds)
    return data, kinds


def _step(verb: str, rule: Rule) -> Step:
    if verb == "answers":
        return lambda data, kinds: answers(data, rule, kinds)
    change = VERBS[verb]
    return lambda data, _kinds: change(data, rule)


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


def _json_string(data: Tree, rule: Rule) -> Tree:
    return _changed(data, rule["json_string"], _from_json)


def _kv(data: Tree, rule: Rule) -> Tree:
    return _changed(data, rule["kv"], lambda value: pairs(value, rule["sep"]) if isinstance(value, str) else value)


def _cookies(data: Tree, rule: Rule) -> Tree:
    lines = list(find(data, rule["cookies"]))
    kept: dict[str, str] = {}
    for _, value in lines:
        # Other cookies are sessions of the site's visitors: secrets that nobody asked for.
        cookies = pairs(value, ";") if isinstance(value, str) else value if isinstance(value, dict) else {}
        kept |= {name: text for name, text in cookies.items() if name in rule["keep"]}
    return {**kept, **without(data, {place for place, _ in lines})} if lines else data


def _flatten(data: Tree, rule: Rule) -> Tree:
    """The members of a level become fields of the whole; one whose name is taken gets the level's name before it."""
    levels = [(p, v) for p, v in find(data, rule["flatten"]) if isinstance(v, dict) and "sha256" not in v]
    data = without(data, {place for place, _ in levels}) if levels else data
    for place, level in levels:
        for key, below in level.items():
            data[free_key(data, key, str(place[-1]))] = below
    return data


def _rename(data: Tree, rule: Rule) -> Tree:
    """Keys of a level: an own new name each, else what `strip` means is taken off the beginning and `prefix` put there."""
    return _changed(data, rule["rename"], lambda level: _renamed(level, rule) if isinstance(level, dict) else level)


def _renamed(level: Tree, rule: Rule) -> Tree:
    result: Tree = {}
    for key, below in level.items():
        name = rule.get("keys", {}).get(key)
        if name is None:
            name = rule.get("prefix", "") + _stripped(key, rule.get("strip", ""))
        result[name if name and name not in result else free_key(result, key, "field")] = below
    return result


def _stripped(key: str, beginning: str) -> str:
    """`q#_`: a `#` is one or more digits, everything else is itself. What does not begin so keeps its name."""
    if not beginning:
        return key
    match = re.match(re.escape(beginning).replace("\\#", r"\d{1,20}"), key)
    return key[match.end() :] if match else key


def _html(data: Tree, rule: Rule) -> Tree:
    return _changed(data, rule["html_entities"], _unescaped)


def _unescaped(value: Any) -> Any:
    if isinstance(value, str):
        # A reference to NUL or to half a character would be text that no database holds.
        text = html.unescape(value) if "&" in value else value
        return text.replace("\x00", "").encode("utf-8", "ignore").decode()
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    if isinstance(value, dict):
        return {key: _unescaped(below) for key, below in value.items()}
    return value


def _from_json(value: Any) -> Any:
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    for attempt in (value, value.replace("&quot;", '"')):
        try:
            return jsontext.understood(attempt)
        except ValueError:
            continue
    return value


def _changed(data: Tree, path: str, change: Callable[[Any], Any]) -> Tree:
    """The tree with what a path means changed, in one pass; `$` is the whole."""
    if path == "$":
        tree: Tree = change(data)
    else:
        changes = {place: new for place, value in find(data, path) if (new := change(value)) is not value}
        tree = _with(data, changes)
    return tree


def _with(data: Any, values: Mapping[Path, Any]) -> Any:
    """A copy of the tree with other values at some places."""
    if not values:
        return data
    below: dict[str | int, dict[Path, Any]] = {}
    for (key, *rest), value in values.items():
        below.setdefault(key, {})[tuple(rest)] = value
    copy: Any = list(data) if isinstance(data, list) else dict(data)
    for key, inner in below.items():
        copy[key] = inner[()] if () in inner else _with(copy[key], inner)
    return copy


VERBS: dict[str, Callable[[Tree, Rule], Tree]] = {
    "json_string": _json_string, "kv": _kv, "cookies": _cookies, "flatten": _flatten, "rename": _rename,
    "html_entities": _html, "answers": lambda data, _rule: data,
}  # fmt: skip
