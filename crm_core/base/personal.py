"""Which columns hold something about people, as the models declare it. Erasure, access and the scan of the logs read it here."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    Interval,
    MetaData,
    Numeric,
    Time,
)

#: "contact": somebody who wrote in, called or was written about; "staff": an employee or a user of the hub.
Whose = Literal["contact", "staff"]

#: A number, a time or a yes names nobody by itself; every other column has to say.
_MUTE: Final = (Integer, Float, Numeric, DateTime, Date, Time, Interval, Boolean)


def undeclared(metadata: MetaData) -> list[str]:
    """ "table.column" of what could hold personal data and does not say whether it does."""
    return [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if _has_to_say(column) and "personal" not in column.info
    ]


def personal_columns(metadata: MetaData, whose: Whose = "contact") -> dict[str, tuple[Column[Any], ...]]:
    """By table; tables without any are left out."""
    found = {
        table.name: tuple(column for column in table.columns if column.info.get("personal") and column.info["of"] == whose)
        for table in metadata.sorted_tables
    }
    return {name: columns for name, columns in found.items() if columns}


def _has_to_say(column: Column[Any]) -> bool:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return not isinstance(kind, _MUTE)
