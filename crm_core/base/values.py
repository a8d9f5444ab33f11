"""Single values that all subjects share: text that can be stored, and another row as far as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field


def _without_nul(value: str) -> str:
    if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("text cannot hold NUL or half of a surrogate pair")
    return value


#: Text that the database can hold; whoever takes it says how long it may be.
StorableText = Annotated[str, AfterValidator(_without_nul)]
Text = Annotated[StorableText, Field(max_length=4000)]


def rfc3339(moment: datetime | None) -> str | None:
    """UTC with Z, to the microsecond only where there is one."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def id_text(row_id: int | None) -> str | None:
    return None if row_id is None else str(row_id)


@dataclass(frozen=True, slots=True)
class Named:
    """Another row as far as this one shows it."""

    id: int
    name: str


def named_text(row_id: int | None, name: str | None) -> dict[str, str] | None:
    """{"id","name"}, or None."""
    return None if row_id is None else {"id": str(row_id), "name": name or ""}


def named(row_id: int | None, name: str | None) -> Named | None:
    return None if row_id is None else Named(row_id, name or "")
