"""The provider's key of a post as a preset names it: values joined, or a hash of what makes it itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.kit.connector import Request
from connectors.kit.preset.reply import row_of
from connectors.kit.preset.sources import Row, first_text, values


def key_of(rule: Sequence[str] | Mapping[str, Any], request: Request) -> str | None:
    """None where a part is missing: the domain then finds repeats by their content."""
    row = row_of(request)
    for choice in rule.get("first", (rule,)) if isinstance(rule, Mapping) else (rule,):
        key = _hashed(choice["hash"], row) if isinstance(choice, Mapping) else _joined(choice, row)
        if key:
            return key
    return None


def _joined(places: Sequence[str], row: Row) -> str:
    parts = [first_text(place, row) for place in places]
    return "|".join(parts) if all(parts) else ""


def _hashed(places: Sequence[str], row: Row) -> str:
    """Of trees all that is in them counts, in whatever order it was sent."""
    parts: list[str] = []
    for place in places:
        found = [value for _, value in values(place, row) if value not in (None, "", [], {})]
        if not found:
            return ""
        parts.append(json.dumps(found, sort_keys=True, ensure_ascii=True, default=str))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
