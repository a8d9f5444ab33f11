"""Names with brackets, as PHP forms send them, into a tree: `a[b][c]`, `a[]`, `a[0]`; duplicates become lists.

A name that does not fit (unbalanced, too deep, in conflict with another) stays a name. Dots are never taken apart: to some
builders they are part of a name ("1.3"), and `contact.name` is understood by its words as well as a level would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from connectors.kit.decoding import limits

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")


def tree(pairs: Iterable[tuple[str, Any]], flags: set[str]) -> dict[str, Any]:
    """Fields of a form as a tree. Keys of lists that count from 0 (`a[0]`, `a[1]`) become lists."""
    result: dict[str, Any] = {}
    nested = False
    for name, value in pairs:
        path = _path(name) if name[-1:] == "]" else ()
        if not path:
            if name in result:
                add(result, name, value)
            else:
                result[name] = value
        elif len(path) > limits.DEPTH:
            flags.add(limits.TOO_DEEP)
            add(result, name, value)
        elif len(path) == 2 and not path[1]:
            add(result, path[0], value, as_list=True)
        else:
            nested = True
            if not _place(result, path, value):
                add(result, name, value)
    if nested:
        result = {key: _lists(value) if type(value) is dict else value for key, value in result.items()}
    return result


@lru_cache(maxsize=4096)  # the same forms send the same names
def _path(name: str) -> tuple[str, ...]:
    """`a[b][]` as its parts, () for a name that does not fit."""
    match = _NAME.match(name)
    return (match[1], *_PART.findall(match[2])) if match else ()


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


def _place(target: dict[str, Any], path: tuple[str, ...], value: Any) -> bool:
    """Walks down, making the levels; False when something else is in the way."""
    last = path[-1]
    for part in path[:-1]:
        key = part or _next(target)
        if key not in target:
            target[key] = {}
        target = target[key]
        if type(target) is not dict:
            return False
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
    inner = {key: _lists(below) if type(below) is dict else below for key, below in value.items()}
    if "0" in inner and all(key == str(index) for index, key in enumerate(inner)):
        return list(inner.values())
    return inner
