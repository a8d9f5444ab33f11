"""Where a mapping finds things in a tree: `$.key`, `$.a.b`, `$.utm_*`. A `*` stands for any text within one key.

Keys are compared exactly. A key that holds dots itself ("1.3") is found before the dots are taken as levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.kit.leaves import Path

GRAMMAR = r"^\$\.[^*]*(\*[^*]*){0,3}$"  # at most three stars: the time of matching grows with their number


def find(data: Any, path: str) -> Iterator[tuple[Path, Any]]:
    """Every place that a path means, with its value, in the order of the tree."""
    yield from _find(data, path.removeprefix("$."), ())


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


def _find(data: Any, path: str, at: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(data, list):
        for index, item in enumerate(data):
            if isinstance(item, dict):
                yield from _find(item, path, (*at, index))
        return
    if not isinstance(data, dict):
        return
    found = False
    for key in [path] if path in data else [k for k in data if isinstance(k, str) and matches(k, path)]:
        found = True
        yield (*at, key), data[key]
    dot = path.find(".")
    while not found and dot > 0:
        head, tail = path[:dot], path[dot + 1 :]
        for key in data:
            if isinstance(key, str) and isinstance(data[key], dict | list) and matches(key, head):
                for place in _find(data[key], tail, (*at, key)):
                    found = True
                    yield place
        dot = path.find(".", dot + 1)
