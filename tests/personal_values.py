"""Every text that a database keeps in a column that the models declare personal: what no log, figure or alert may repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, LargeBinary, func, select
from sqlalchemy.dialects.postgresql import TSVECTOR

from crm_core.base.personal import personal_columns
from crm_core.models import Base

_SHORTEST = 6  # characters; a shorter text is in half of all lines
_CODE = re.compile(r"[a-z][a-z_.]*")  # of reasons and errors, which stand among what people wrote


def personal_values(engine: Engine) -> dict[str, str]:
    """{value: "table.column"}: texts, and the texts inside of arrays, JSON and bytes, of clients and of the staff."""
    found: dict[str, str] = {}
    with engine.connect() as connection:
        for whose in ("contact", "staff"):
            for name, columns in personal_columns(Base.metadata, whose).items():
                for column in columns:
                    if isinstance(column.type, TSVECTOR):
                        continue  # words of other columns, cut to their stems
                    shown = func.encode(column, "escape") if isinstance(column.type, LargeBinary) else column
                    for value in connection.scalars(select(shown).distinct()):
                        found |= dict.fromkeys(_texts(value), f"{name}.{column.name}")
    return {value: where for value, where in found.items() if len(value) >= _SHORTEST and not _CODE.fullmatch(value)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
