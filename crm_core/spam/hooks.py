"""Words of which one must stand in a text before a phrase can be found there: looking for them is a tenth of the work.

Derived from the phrase itself, never written beside it. Understands what the phrases use of regular expressions; where it
does not, or finds no such words, it gives none and the phrase is always searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import Final, NamedTuple

_MOST: Final = 60  # words that are put together of a piece's alternatives; beyond, only its parts are looked at
_FEW: Final = 10  # words for one phrase; to look for more takes as long as the phrase itself
_SHORTEST: Final = 3  # letters; shorter ones stand in every text
_TELLING: Final = 4  # of this length or more one word is as good as another
_COUNT: Final = re.compile(r"\*|\+|\?|\{(\d+)(?:,\d*)?\}")
_PLAIN: Final = re.compile(r"[^\\()\[\]|*+?{}.^$]")
_PLAIN_CLASS: Final = re.compile(r"[^\\\-]{1,4}")
_CLASS: Final = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]")


class _Part(NamedTuple):
    """What is known of a piece of a phrase."""

    exact: frozenset[str] | None  # all that it can match; None: too much to say
    needs: frozenset[str] | None  # one of these is in whatever it matches; None: nothing is known


_ANYTHING: Final = _Part(None, None)
_NOTHING: Final = frozenset([""])


def hooks_of(phrase: str) -> frozenset[str]:
    """The words, none where there are none to rely on."""
    try:
        part, end = _alternatives(phrase, 0)
    except (IndexError, ValueError):
        return frozenset()
    needs = _best([part.exact, part.needs])
    return needs if end == len(phrase) and needs and len(needs) <= _FEW else frozenset()


def _alternatives(phrase: str, at: int) -> tuple[_Part, int]:
    branches: list[_Part] = []
    while True:
        part, at = _sequence(phrase, at)
        branches.append(part)
        if at >= len(phrase) or phrase[at] != "|":
            break
        at += 1
    return _Part(_union(part.exact for part in branches), _union(_best([p.exact, p.needs]) for p in branches)), at


def _sequence(phrase: str, at: int) -> tuple[_Part, int]:
    exact: frozenset[str] | None = _NOTHING
    run = _NOTHING  # what the last parts match, one behind the other
    known: list[frozenset[str] | None] = []
    while at < len(phrase) and phrase[at] not in "|)":
        part, at = _counted(phrase, at)
        exact = _joined(exact, part.exact)
        longer = _joined(run, part.exact)
        known += [run, part.exact, part.needs]
        run = longer if longer is not None else part.exact or _NOTHING
    return _Part(exact, _best([*known, run])), at


def _counted(phrase: str, at: int) -> tuple[_Part, int]:
    part, at = _single(phrase, at)
    match = _COUNT.match(phrase, at)
    if match is None:
        return part, at
    at = match.end()
    at += phrase[at : at + 1] == "?"
    if match[0] == "?":
        part = _Part(_union([part.exact, _NOTHING]), None)
    elif match[0] == "*" or match[1] == "0":
        part = _ANYTHING
    else:
        part = _Part(None, _best([part.exact, part.needs]))
    return part, at


def _single(phrase: str, at: int) -> tuple[_Part, int]:
    if phrase.startswith("(?:", at):
        part, end = _alternatives(phrase, at + 3)
        if phrase[end] != ")":
            raise ValueError("a group without its end")
        return part, end + 1
    if phrase[at] == "[":
        match = _CLASS.match(phrase, at)
        if match is None:
            raise ValueError("a class that is not understood")
        is_list = not match[1] and _PLAIN_CLASS.fullmatch(match[2])
        return (_Part(frozenset(match[2]), None) if is_list else _ANYTHING), match.end()
    if phrase[at] == "\\":
        sign = phrase[at + 1]
        return (_ANYTHING if sign.isalnum() else _Part(frozenset([sign]), None)), at + 2
    if phrase[at] == ".":
        return _ANYTHING, at + 1
    if not _PLAIN.match(phrase[at]):
        raise ValueError("a sign that is not understood")
    return _Part(frozenset([phrase[at]]), None), at + 1


def _union(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """All of them; None if one is unknown or they are too many."""
    result: frozenset[str] = frozenset()
    for one in sets:
        if one is None or len(result) + len(one) > _MOST:
            return None
        result |= one
    return result


def _joined(left: frozenset[str] | None, right: frozenset[str] | None) -> frozenset[str] | None:
    if left is None or right is None or len(left) * len(right) > _MOST:
        return None
    return frozenset(a + b for a, b in product(left, right))


def _best(choices: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """The fewest of those that are long enough to stand in few texts."""
    useful = [_shortened(one) for one in choices if one and min(map(len, one)) >= _SHORTEST]
    return max(useful, key=lambda one: (min(_TELLING, *map(len, one)), -len(one)), default=None)


def _shortened(words: frozenset[str]) -> frozenset[str]:
    """Without those that hold another one."""
    return frozenset(one for one in words if not any(other in one for other in words if other != one))
