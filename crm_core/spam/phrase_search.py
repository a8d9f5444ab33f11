"""Which phrases stand in a text. One pass looks for the words that they cannot be without, and only what has its words is tried.

By RE2, whose time grows with the text alone, however it was made. `Filter` and not `Set`: a Set that runs out of memory
finds nothing and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import re2

from crm_core.base.re2_syntax import EUROPEAN_WORD, unicode_classes
from crm_core.spam.phrases import ASKS, OFFERS, PHRASES

_BEGINNING: Final = re.compile(r"(^|[|(])\\b")


def found_phrases(text: str) -> frozenset[int]:
    """Places among PHRASES of those that stand in the folded text."""
    return frozenset(_phrases().Match(text.encode(errors="replace")) or ())


def says_asking(text: str) -> bool:
    """True if the folded text has the voice of somebody who asks."""
    return bool(_asks().Match(text.encode(errors="replace")))


def says_offering(text: str) -> bool:
    """True if the folded text has the voice of somebody who offers."""
    return bool(_offers().Match(text.encode(errors="replace")))


@cache
def _phrases() -> Any:
    return _filter(PHRASES)


@cache
def _asks() -> Any:
    return _filter([ASKS])


@cache
def _offers() -> Any:
    return _filter([OFFERS])


def _filter(phrases: Iterable[str]) -> Any:
    """Made when the first text is looked through: 4 ms, 2 MB."""
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False  # it would write of every slower way that it takes
    made = re2.Filter()
    for phrase in phrases:
        made.Add(unicode_classes(_with_borders(phrase), EUROPEAN_WORD), options)
    made.Compile()
    return made


def _with_borders(phrase: str) -> str:
    """RE2 knows borders of ASCII words only. Where just the being there counts, the sign beside may be swallowed."""
    return _BEGINNING.sub(r"\1(?:^|[^\\w])", phrase).replace(r"\b", r"(?:$|[^\w])")
