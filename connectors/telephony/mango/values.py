"""Small readings shared by Mango's events. Its types drift: `seq` comes as "1" or 2, `extension` as 29 or "29"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit.forms.fields import text_of
from connectors.kit.times import read_time

Tree = Mapping[str, Any]


def branch(data: Tree, name: str) -> Tree:
    """`from` or `to`; empty where Mango leaves it out or sends something else."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def number_of(data: Tree, name: str) -> int | None:
    """The text must be plain ASCII digits: int() takes more than Mango sends, and fails on very long ones."""
    text = text_of(data.get(name))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def moment(data: Tree, name: str, zone: ZoneInfo) -> datetime | None:
    """Epoch seconds; 0 is Mango's "never"."""
    text = text_of(data.get(name))
    return read_time(text, zone) if text.strip("0") else None


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def joined(kind: str, data: Tree, *names: str) -> str:
    return "|".join([kind, *(text_of(data.get(name)) for name in names)])


def rest(data: Tree, *used: str) -> dict[str, Any]:
    """Everything but the named keys. `from` and `to` stay whole: they may name two employees, the record only one."""
    return {name: value for name, value in data.items() if name not in used}
