"""Regular expressions for mappings: RE2's, which cannot look around or back, and whose time grows with the text alone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

from crm_core.base.re2_syntax import unicode_classes

LONGEST = 200  # characters of a pattern
TEXT_CHARS = 256  # so much of a text is looked at
_MOST_BYTES = 8 * 1024 * 1024  # of a pattern ready for use; counts such as {1,999} of large classes need more
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]")
_REFERS_BACK = re.compile(r"\\[1-9]|\(\?P=\w*\)?")
_WITHOUT_PLACE = re.compile(r"\\[bB]")
_HALF_LETTER = re.compile(r"\\C")  # one byte of a letter that has several
_ESCAPED = re.compile(r"\\\\")


class Unsafe(ValueError):
    """A pattern that says more than is allowed here; the words say what, and what to write instead."""


def check(pattern: str) -> None:
    """Raises Unsafe with the reason."""
    if len(pattern) > LONGEST:
        raise Unsafe(f"is longer than {LONGEST} characters")
    signs = _ESCAPED.sub("", pattern)
    if found := _LOOKS_AROUND.search(signs):
        raise Unsafe(
            f"looks ahead or behind with {found[0]}, which is not possible here: write the surroundings as they are, and ( ) "
            r"around what is wanted, such as order (\d+)"
        )
    if found := _REFERS_BACK.search(signs):
        raise Unsafe(f"refers back to a group with {found[0]}, which is not possible here: write out what may stand there")
    if found := _WITHOUT_PLACE.search(signs):
        raise Unsafe(
            f"has {found[0]}, which knows Latin letters only: write what may stand there, such as (?:^|[^\\w]) before a word"
        )
    if found := _HALF_LETTER.search(signs):
        raise Unsafe(f"has {found[0]}, which is not possible here: write the signs that are meant")
    try:
        _linear(pattern)
    except re2.error as error:
        said = str(error)
        if "too large" in said:
            raise Unsafe("is too large: use + or smaller counts than in {1,999}") from None
        raise Unsafe(f"is no regular expression: {said}") from None


def cut(pattern: str, text: str) -> str:
    """What the first group of the pattern matches, or all of it where it has no group; "" where nothing fits."""
    compiled = _compiled(pattern)
    text = text[:TEXT_CHARS]
    match = compiled.search(text if isinstance(compiled, re.Pattern) else text.encode(errors="replace"))
    if match is None:
        return ""
    found = next((group for group in match.groups() if group is not None), "") if compiled.groups else match[0]
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    r"""By RE2. A mapping published before may say what is refused now (`\b`): it means the same as on that day, by Python's own
    module. It may: its worst case was counted then, before it was saved, and `check` lets no new one in."""
    try:
        check(pattern)
    except Unsafe:
        return re.compile(pattern, re.IGNORECASE)
    return _linear(pattern)


def _linear(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False  # it would write the pattern to standard error
    options.max_mem = _MOST_BYTES
    return re2.compile(unicode_classes(pattern).encode(errors="replace"), options)
