"""Keyset cursors: opaque text that says after which row the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, Select, SQLColumnExpression, literal, tuple_

from crm_core.errors import Invalid

AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]

MAX_LIMIT = 200  # rows a page; more would be an export
DEFAULT_LIMIT = 50

_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list as the API answers it."""

    items: list[dict[str, Any]]
    next: str | None  # cursor of the next page; None: this was the last

    def as_dict(self) -> dict[str, Any]:
        return {"items": self.items, "next": self.next}


def encode_cursor(at: datetime | None, row_id: int) -> str:
    raw = orjson.dumps([at.isoformat() if at else None, row_id])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime | None, int]:
    """Raises Invalid for anything that `encode_cursor` did not make."""
    try:
        raw = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        at, row_id = orjson.loads(raw)
        moment = None if at is None else datetime.fromisoformat(at)
    except (ValueError, TypeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise _bad_cursor() from error
    if (
        type(row_id) is not int
        or not 0 <= row_id <= _MAX_ID
        or (moment is not None and moment.tzinfo is None)
    ):
        raise _bad_cursor()
    return moment, row_id


def _bad_cursor() -> Invalid:
    return Invalid(
        "bad_cursor", "This cursor was not made by this list; begin again without one.", fields=["cursor"]
    )


def newest_first(
    statement: AnySelect,
    at: SQLColumnExpression[datetime] | None,
    row_id: SQLColumnExpression[int],
    cursor: str | None,
    limit: int,
) -> AnySelect:
    """The statement cut to one page and one row more, which tells whether there is a next page."""
    if cursor is not None:
        moment, last_id = _place(cursor, timed=at is not None)
        if at is None:
            statement = statement.where(row_id < last_id)
        else:
            statement = statement.where(tuple_(at, row_id) < tuple_(literal(moment), literal(last_id)))
    order = [row_id.desc()] if at is None else [at.desc(), row_id.desc()]
    return statement.order_by(*order).limit(limit + 1)


def oldest_first(
    statement: AnySelect, at: SQLColumnExpression[datetime], row_id: SQLColumnExpression[int], cursor: str | None, limit: int
) -> AnySelect:  # fmt: skip
    """As `newest_first`, for lists that are worked off from their oldest row."""
    if cursor is not None:
        moment, last_id = _place(cursor, timed=True)
        statement = statement.where(tuple_(at, row_id) > tuple_(literal(moment), literal(last_id)))
    return statement.order_by(at, row_id).limit(limit + 1)


def _place(cursor: str, *, timed: bool) -> tuple[datetime | None, int]:
    moment, last_id = decode_cursor(cursor)
    if (moment is not None) != timed:
        raise _bad_cursor()
    return moment, last_id


def page(
    rows: Sequence[AnyRow],
    limit: int,
    shape: Callable[[Sequence[AnyRow]], list[dict[str, Any]]],
    key: Callable[[AnyRow], tuple[datetime | None, int]],
) -> Page:
    """Shapes the first `limit` rows at once, so that what belongs to them is looked up in one query."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(shape(shown), encode_cursor(*key(shown[-1])) if more else None)
