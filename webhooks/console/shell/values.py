"""Values from outside as text: nested ones flattened to named lines, nothing interpreted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

_MOST = 200  # lines of one block; more is in the event itself


def as_text(value: Any) -> str:
    """One value on one or several lines: texts as they are, lists line by line, a file by its name, the rest as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"file"}:
        return as_text(value["file"])
    if isinstance(value, list | tuple) and all(_is_plain(item) for item in value):
        return "\n".join(as_text(item) for item in value)
    return orjson.dumps(value).decode()


def _is_plain(item: Any) -> bool:
    return item.keys() == {"file"} if isinstance(item, dict) else not isinstance(item, list)


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested mappings as ("a.b", text)."""
    return [pair for pair, _ in zip(_walk(values, prefix), range(_MOST), strict=False)]


def _walk(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _walk(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", as_text(value)
