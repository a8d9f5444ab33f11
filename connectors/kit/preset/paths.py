"""Where a mapping finds things in a tree: `$.key`, `$.a.b`, `$.utm_*`, `$.list.0`, `@item:$.list[type=phone|tel].value`.

Keys are compared exactly; a `*` stands for any text within one. A key that holds dots itself ("1.3") is found before the
dots are taken as levels. What a member of an item must be is compared without case, and may hold a `*` too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from connectors.kit.forms.fields import TREES, Path

GRAMMAR = r"^\$\.[^*]*(\*[^*]*){0,3}$"  # at most three stars: the time of matching grows with their number
#: A list or a mapping of items, the member that chooses among them, its values, and what is wanted of the item.
ITEM_GRAMMAR = r"^@item:\$\.[^\[\]*]+\[[^\[\]=|*]+=[^\[\]*]*(\*[^\[\]*]*){0,3}\](\.[^\[\]*]+)?$"
_FEW_LEVELS = 6  # of the paths that are walked straight; the deepest of a preset has four
_ITEM = re.compile(r"@item:\$\.([^\[\]]+)\[([^\[\]=|]+)=([^\[\]]*)\](?:\.([^\[\]]+))?")


Places = list[tuple[Path, Any]]


def find(data: Any, path: str) -> Places:
    """Every place that a path means, with its value, in the order of the tree."""
    key = path.removeprefix("$.")
    if type(data) is dict:
        if key in data:  # the plain name of a plain form
            return [((key,), data[key])]
        levels = _levels(key)
        return _places(data, key) if levels is None else _walked(data, key, levels)
    return _places(data, key)


def finder(path: str) -> Callable[[dict[str, Any]], Places]:
    """`find` for one path and many trees."""
    key = path.removeprefix("$.")
    levels = _levels(key)

    def search(data: dict[str, Any]) -> Places:
        if key in data:
            return [((key,), data[key])]
        return _places(data, key) if levels is None else _walked(data, key, levels)

    def look(data: dict[str, Any]) -> Places:
        return [((key,), data[key])] if key in data else []

    if levels is None or len(levels) > 2:
        return search
    if len(levels) == 1:
        return look
    head, last, place = levels[0].head, levels[1].rest, levels[1].place

    def look_below(data: dict[str, Any]) -> Places:
        """`_walked` for the two levels that most paths have."""
        if key in data:
            return [((key,), data[key])]
        level = data.get(head)
        if type(level) is dict:
            return [(place, level[last])] if last in level else []
        return _places(data, key) if isinstance(level, TREES) else []

    return look_below


class _Level(NamedTuple):
    rest: str  # "b.c" of a.b.c: may be a key with dots
    head: str  # "b"
    longer: tuple[str, ...]  # what else the dots let be a key here
    place: Path  # where `rest` then stands: ("a", "b.c")


@lru_cache(maxsize=4096)
def _levels(path: str) -> tuple[_Level, ...] | None:
    """A path of a few plain keys, level by level; None for others."""
    keys = path.split(".")
    if "*" in path or "" in keys or len(keys) > _FEW_LEVELS:
        return None
    return tuple(
        _Level(
            ".".join(keys[at:]), key, tuple(".".join(keys[at:to]) for to in range(at + 2, len(keys))),
            (*keys[:at], ".".join(keys[at:])),
        )
        for at, key in enumerate(keys)
    )  # fmt: skip


def _walked(data: Any, path: str, levels: tuple[_Level, ...]) -> Places:
    """The same as `_places`, which does it where a list or a key with dots is in the way."""
    level = data
    for rest, head, longer, place in levels:
        if type(level) is not dict:
            return _places(data, path) if isinstance(level, TREES) else []
        if rest in level:
            return [(place, level[rest])]
        for key in longer:
            if key in level:
                return _places(data, path)
        level = level.get(head)
    return []


def _places(data: Any, path: str) -> Places:
    found: Places = []
    _find(data, path, (), found)
    return found


def find_items(data: Any, path: str) -> Iterator[tuple[Path, Any]]:
    """What `@item:` means: the places of the items themselves, each with what is wanted of it."""
    item = _item(path)
    for place, box in _places(data, item.box):
        for key, below in _members(box):
            if isinstance(below, dict) and _chosen(below, item):
                if item.rest:
                    for _, value in _places(below, item.rest):
                        yield (*place, key), value
                else:
                    yield (*place, key), below


class _Item(NamedTuple):
    box: str
    member: str
    wanted: tuple[str, ...]  # folded
    rest: str


@lru_cache(maxsize=4096)
def _item(path: str) -> _Item:
    match = _ITEM.fullmatch(path)
    assert match, "the schema has checked it"
    return _Item(match[1], match[2], tuple(folded(text) for text in match[3].split("|")), match[4] or "")


def folded(text: str) -> str:
    """A label as it is compared: without case and without blanks, colons and stars around it."""
    return " ".join(text.casefold().replace("ё", "е").split()).strip(" :")


def _chosen(below: dict[str, Any], item: _Item) -> bool:
    for _, value in _places(below, item.member):
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = folded(str(value))
            if any(matches(text, pattern) for pattern in item.wanted):
                return True
    return False


def _members(box: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(box, dict):
        yield from box.items()
    elif isinstance(box, list):
        yield from enumerate(box)


def matches(key: str, pattern: str) -> bool:
    """`*` for any text, everything else exactly. Linear: each piece is looked for once, from left to right."""
    if "*" not in pattern:
        return key == pattern
    first, *middle, last = pattern.split("*")
    if len(key) < len(first) + len(last) or not key.startswith(first) or not key.endswith(last):
        return False
    at, end = len(first), len(key) - len(last)
    for piece in middle:
        at = key.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _keys(data: dict[str, Any], pattern: str) -> list[str]:
    if pattern in data:
        return [pattern]
    star = pattern.find("*")
    if star < 0:
        return []
    start = pattern[:star]
    begun = [key for key in data if isinstance(key, str) and key.startswith(start)]
    # "utm_*" is by far the most common.
    return begun if star == len(pattern) - 1 else [key for key in begun if matches(key, pattern)]


def _find(data: Any, path: str, at: Path, found: Places) -> None:
    if isinstance(data, list):
        _find_in_list(data, path, at, found)
        return
    if not isinstance(data, dict):
        return
    before = len(found)
    found += [((*at, key), data[key]) for key in _keys(data, path)]
    dot = path.find(".")
    while dot > 0 and len(found) == before:
        tail = path[dot + 1 :]
        for key in _keys(data, path[:dot]):
            if isinstance(data[key], TREES):
                _find(data[key], tail, (*at, key), found)
        dot = path.find(".", dot + 1)


def _find_in_list(data: list[Any], path: str, at: Path, found: Places) -> None:
    head, _, tail = path.partition(".")
    if head.isdecimal() and len(head) < 6:
        index = int(head)
        if index < len(data) and tail:
            _find(data[index], tail, (*at, index), found)
        elif index < len(data):
            found.append(((*at, index), data[index]))
        return
    for index, item in enumerate(data):
        if isinstance(item, dict):
            _find(item, path, (*at, index), found)
