"""What was looked for, marked in what is shown. Everything is escaped; only <mark> is ours."""

from __future__ import annotations

import re
from collections.abc import Callable

from markupsafe import Markup, escape

from crm_core.search import SearchQuery

_WORD = re.compile(r"[^\W_]+|[^\w]+|_+")
_AROUND = 70  # characters before the first match of an excerpt
_LONG = 220  # characters of an excerpt

Marker = Callable[[object], Markup]


def marker(query: SearchQuery) -> Marker:
    """Marks words that the query looks for, and a number or an address as a whole."""

    def mark(text: object) -> Markup:
        said = str(text or "")
        if said and query.marks_number(said) and not any(c.isalpha() for c in said):
            return Markup("<mark>{}</mark>").format(said)
        parts = []
        for part in _WORD.findall(said):
            found = part[0].isalnum() and query.marks(part)
            parts.append(Markup("<mark>{}</mark>").format(part) if found else escape(part))
        return Markup("").join(parts)

    return mark


def excerpts(query: SearchQuery) -> Marker:
    """The place of a longer text where the first match stands, marked, on one line."""
    mark = marker(query)

    def excerpt(text: object) -> Markup:
        said = " ".join(str(text or "").split())
        place = next((match.start() for match in _WORD.finditer(said) if match[0][0].isalnum() and query.marks(match[0])), 0)
        start = max(0, place - _AROUND) if place > _LONG - _AROUND else 0
        shown = said[start : start + _LONG]
        return Markup("{}{}{}").format("…" if start else "", mark(shown), "…" if start + _LONG < len(said) else "")

    return excerpt
