"""Keyset paging: a page begins after a row, so that pages neither repeat nor skip when new rows arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, SQLColumnExpression, literal, tuple_

from crm_core.base.errors import Invalid

T = TypeVar("T")

AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]

MAX_LIMIT = 200  # rows a page; more would be an export
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Position:
    """A row's place in a list: its time, if the list goes by one, and its id."""

    at: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    items: Sequence[T]
    next: Position | None  # of the last row here, after which the next page begins; None: this was the last page


def newest_first(
    statement: AnySelect,
    at: SQLColumnExpression[datetime] | None,
    row_id: SQLColumnExpression[int],
    after: Position | None,
    limit: int,
) -> AnySelect:
    """The statement cut to one page and one row more, which tells whether there is a next page."""
    if after is not None:
        _check(after, timed=at is not None)
        if at is None:
            statement = statement.where(row_id < after.id)
        else:
            statement = statement.where(tuple_(at, row_id) < tuple_(literal(after.at), literal(after.id)))
    order = [row_id.desc()] if at is None else [at.desc(), row_id.desc()]
    return statement.order_by(*order).limit(limit + 1)


def oldest_first(
    statement: AnySelect, at: SQLColumnExpression[datetime], row_id: SQLColumnExpression[int], after: Position | None, limit: int
) -> AnySelect:  # fmt: skip
    """As `newest_first`, for lists that are worked off from their oldest row."""
    if after is not None:
        _check(after, timed=True)
        statement = statement.where(tuple_(at, row_id) > tuple_(literal(after.at), literal(after.id)))
    return statement.order_by(at, row_id).limit(limit + 1)


def _check(after: Position, *, timed: bool) -> None:
    """A place in a list that goes by id alone says nothing about one that goes by time."""
    if (after.at is not None) != timed:
        raise Invalid("bad_cursor", "This cursor was not made by this list; begin again without one.", fields=["cursor"])


def page(
    rows: Sequence[AnyRow],
    limit: int,
    shape: Callable[[Sequence[AnyRow]], Sequence[T]],
    key: Callable[[AnyRow], tuple[datetime | None, int]],
) -> Page[T]:
    """Shapes the first `limit` rows at once, so that what belongs to them is looked up in one query."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(shape(shown), Position(*key(shown[-1])) if more else None)
