"""Names with brackets, as PHP forms send them, into a tree: `a[b][c]`, `a[]`, `a[0]`; duplicates become lists.

A name that does not fit (unbalanced, too deep, in conflict with another) stays a name. Dots are never taken apart: to some
builders they are part of a name ("1.3"), and `contact.name` is understood by its words as well as a level would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from connectors.kit.decoding import limits

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")


def tree(pairs: Iterable[tuple[str, Any]], flags: set[str]) -> dict[str, Any]:
    """Fields of a form as a tree. Keys of lists that count from 0 (`a[0]`, `a[1]`) become lists."""
    result: dict[str, Any] = {}
    nested = False
    for name, value in pairs:
        match = _NAME.match(name) if name[-1:] == "]" else None
        if match is None:
            add(result, name, value)
            continue
        parts = _PART.findall(match[2])
        if len(parts) >= limits.DEPTH:
            flags.add(limits.TOO_DEEP)
            add(result, name, value)
        elif parts == [""]:
            add(result, match[1], value, as_list=True)
        else:
            nested = True
            if not _place(result, [match[1], *parts], value):
                add(result, name, value)
    return {key: _lists(value) for key, value in result.items()} if nested else result


def add(target: dict[str, Any], key: str, value: Any, *, as_list: bool = False) -> None:
    """Puts a value under a key; a second one makes a list of both, so that none is lost."""
    if key not in target:
        target[key] = _Many([value]) if as_list else value
    elif isinstance(target[key], _Many):
        target[key].append(value)
    else:
        target[key] = _Many([target[key], value])


class _Many(list[Any]):
    """A list made of repeated names, which is different from a list that was itself a value."""


def _place(target: dict[str, Any], path: list[str], value: Any) -> bool:
    """Walks down, making the levels; False when something else is in the way."""
    *way, last = path
    for part in way:
        below = target.setdefault(part or _next(target), {})
        if type(below) is not dict:
            return False
        target = below
    if last == "":
        last = _next(target)
    if type(target.get(last)) is dict:
        return False
    add(target, last, value)
    return True


def _next(target: dict[str, Any]) -> str:
    return str(len(target))


def _lists(value: Any) -> Any:
    if type(value) is not dict:  # a file is a dict of its own kind and stays whole
        return value
    inner = {key: _lists(below) for key, below in value.items()}
    if inner and all(key == str(index) for index, key in enumerate(inner)):
        return list(inner.values())
    return inner
