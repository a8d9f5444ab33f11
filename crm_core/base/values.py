"""Single values that all subjects share: a moment as text, and another row as far as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


def rfc3339(moment: datetime | None) -> str | None:
    """UTC with Z, to the microsecond only where there is one."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Named:
    """Another row as far as this one shows it."""

    id: int
    name: str


def named(row_id: int | None, name: str | None) -> Named | None:
    return None if row_id is None else Named(row_id, name or "")
