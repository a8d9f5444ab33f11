"""Regular expressions for mappings: a small part of Python's, and only those whose worst case is cheap.

Before a pattern is used its worst number of ways through a text is counted from the pattern alone; above a bound it is
refused. So no text, however hostile, can make a worker think for long.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 200  # characters of a pattern
TEXT_CHARS = 256  # so much of a text is looked at
#: Ways that one free count, or the place where a match begins, is reckoned with. Three of them share one text, so
#: that together they have TEXT_CHARS³ / 6 ways: each the third root of it.
FREE_WAYS = 140
MOST_WAYS = FREE_WAYS**3  # measured: the worst pattern that is let through takes about 60 ms a text

_ESCAPES = set("dDwWsSbB.^$*+?()[]{}|\\/-:=&#@ ,;\"'!%<>~_")
_COUNT = re.compile(r"\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")


class Unsafe(ValueError):
    """A pattern that says more than is allowed here; the words say what."""


def check(pattern: str) -> None:
    """Raises Unsafe with the reason."""
    if len(pattern) > LONGEST:
        raise Unsafe(f"is longer than {LONGEST} characters")
    ways, end = _alternatives(pattern, 0, 0)
    if end != len(pattern):
        raise Unsafe("has a ) without its (")
    if not pattern.startswith("^"):
        ways *= FREE_WAYS
    if ways > MOST_WAYS:
        raise Unsafe("could take too long on a hostile text; use fewer of * and +, or begin it with ^")
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise Unsafe(f"is no regular expression: {error}") from None


def cut(pattern: str, text: str) -> str:
    """What the first group of the pattern matches, or all of it where it has no group; "" where nothing fits."""
    match = _compiled(pattern).search(text[:TEXT_CHARS])
    if match is None:
        return ""
    return next((group for group in match.groups() if group is not None), "") if match.re.groups else match[0]


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _alternatives(pattern: str, at: int, depth: int) -> tuple[int, int]:
    """Ways through `a|b|c` from here to the closing bracket or the end, and where that is."""
    total, ways = 0, 1
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            total, ways, at = total + ways, 1, at + 1
            continue
        more, at = _piece(pattern, at, depth)
        ways = min(ways * more, MOST_WAYS * 10)
    return total + ways, at


def _piece(pattern: str, at: int, depth: int) -> tuple[int, int]:
    """Ways through one character, class or group with its count."""
    char = pattern[at]
    if char in "*+?{":
        raise Unsafe(f"has a {char} with nothing before it")
    group = char == "("
    inner = 1
    if group:
        inner, at = _group(pattern, at, depth)
    elif char == "[":
        at = _class(pattern, at)
    elif char == "\\":
        if pattern[at + 1 : at + 2] not in _ESCAPES or at + 1 >= len(pattern):
            raise Unsafe(f"has \\{pattern[at + 1 : at + 2]}, which is not allowed here")
        at += 2
    else:
        at += 1
    return _counted(pattern, at, inner, group=group)


def _group(pattern: str, at: int, depth: int) -> tuple[int, int]:
    if depth >= 2:
        raise Unsafe("has groups nested too deep")
    at += 1
    if pattern.startswith("?", at):
        if not pattern.startswith("?:", at):
            raise Unsafe("has a group with (?, of which only (?: is allowed here")
        at += 2
    inner, at = _alternatives(pattern, at, depth + 1)
    if at >= len(pattern):
        raise Unsafe("has a ( without its )")
    return inner, at + 1


def _class(pattern: str, at: int) -> int:
    end = at + 2 if pattern.startswith("[^", at) else at + 1
    end += pattern.startswith("]", end)  # a ] that comes first is itself
    while end < len(pattern) and pattern[end] != "]":
        if pattern[end] == "[":
            raise Unsafe("has a [ within [ ]")
        end += 2 if pattern[end] == "\\" else 1
    if end >= len(pattern):
        raise Unsafe("has a [ without its ]")
    return end + 1


def _counted(pattern: str, at: int, inner: int, *, group: bool) -> tuple[int, int]:
    ways = inner
    if pattern[at : at + 1] in ("*", "+"):
        if group:
            raise Unsafe("repeats a group; only a single character or [ ] may be repeated")
        ways, at = FREE_WAYS, at + 1
    elif pattern[at : at + 1] == "?":
        ways, at = inner + 1, at + 1
    elif match := _COUNT.match(pattern, at):
        if group:
            raise Unsafe("repeats a group; only a single character or [ ] may be repeated")
        least = int(match[1])
        most = int(match[3]) if match[3] else TEXT_CHARS if match[2] else least
        ways, at = min(max(1, most - least + 1), FREE_WAYS), match.end()
    if pattern[at : at + 1] == "?":  # as little as possible instead of as much
        at += 1
    if pattern[at : at + 1] in ("*", "+", "?") or _COUNT.match(pattern, at):
        raise Unsafe("has two counts one after the other")
    return ways, at
