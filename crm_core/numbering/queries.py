"""Looking a number's region up: in memory, read once, and asked at most once a minute whether there is something newer."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy import Connection, text

#: So long an import may take to be noticed by a process that had looked before.
RECHECK_SECONDS: Final = 60.0
_PAGE: Final = 20_000  # rows of one query


class RegionRanges:
    """Sorted arrays: 18 bytes a range, a look-up takes a microsecond."""

    def __init__(self, rows: Iterable[tuple[int, int, str]]) -> None:
        """`rows`: first, last, region, by `first`. Neighbours of one region become one range."""
        self._names: list[str] = []
        places: dict[str, int] = {}
        self._first, self._last, self._region = array("q"), array("q"), array("H")
        for first, last, region in rows:
            if region not in places:
                places[region] = len(self._names)
                self._names.append(region)
            if self._last and self._last[-1] + 1 == first and self._region[-1] == places[region]:
                self._last[-1] = last
                continue
            self._first.append(first)
            self._last.append(last)
            self._region.append(places[region])

    def __len__(self) -> int:
        return len(self._first)

    def names(self) -> frozenset[str]:
        return frozenset(self._names)

    def region_of(self, e164: str) -> str | None:
        """The region to which the range of a number was given ("range region"): a number that moved to another operator, or whose
        owner moved, keeps it. None for what is no number of +7 and for a range that nobody imported."""
        if len(e164) != 12 or not e164.startswith("+7") or not e164[2:].isdecimal() or not e164.isascii():
            return None
        number = int(e164[2:])
        place = bisect_right(self._first, number) - 1
        return self._names[self._region[place]] if place >= 0 and number <= self._last[place] else None


@dataclass(slots=True)
class _Known:
    version: int
    looked_at: float  # monotonic
    ranges: RegionRanges


_known: dict[str, _Known] = {}  # by database: tests have many
_loading: Final = Lock()

Asks = Connection | psycopg.Cursor[Any]


def region_of_number(asks: Asks, e164: str) -> str | None:
    """`load_ranges(asks).region_of(e164)`."""
    return load_ranges(asks).region_of(e164)


def regions_of_plan(asks: Asks) -> frozenset[str]:
    """Every region that the imported ranges name."""
    return load_ranges(asks, recheck_after=0.0).names()


def load_ranges(asks: Asks, *, recheck_after: float = RECHECK_SECONDS) -> RegionRanges:
    """The ranges as they were at most a minute ago: one short query a minute and process, all of them only after an import."""
    driver = _driver(asks)
    database = f"{driver.info.host}:{driver.info.port}/{driver.info.dbname}"
    found = _known.get(database)
    if found is not None and time.monotonic() - found.looked_at < recheck_after:
        return found.ranges
    with _loading, driver.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("SELECT coalesce(max(id), 0) FROM numbering_import").fetchone()
        version = row[0] if row else 0
        found = _known.get(database)
        if found is not None and found.version == version:
            found.looked_at = time.monotonic()
            return found.ranges
        ranges = RegionRanges(_rows(cursor) if version else ())
        _known[database] = _Known(version, time.monotonic(), ranges)
        return ranges


def _rows(cursor: psycopg.Cursor[tuple[Any, ...]]) -> Iterator[tuple[int, int, str]]:
    """In pages: all rows at once would take fifteen times the memory of what is kept."""
    last = -1
    while page := cursor.execute(
        "SELECT first, last, region FROM numbering_range WHERE first > %s ORDER BY first LIMIT %s", (last, _PAGE)
    ).fetchall():
        yield from ((first, end, region) for first, end, region in page)
        last = page[-1][0]


def _driver(asks: Asks) -> psycopg.Connection[Any]:
    if isinstance(asks, psycopg.Cursor):
        return asks.connection
    driver = asks.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


@dataclass(frozen=True, slots=True)
class NumberingBlock:
    """What there is of the codes that begin with one digit."""

    block: str
    ranges: int
    regions: int


@dataclass(frozen=True, slots=True)
class NumberingState:
    imported_at: datetime | None  # of the newest import
    blocks: tuple[NumberingBlock, ...]


def numbering_state(connection: Connection) -> NumberingState:
    rows = connection.execute(
        text(
            "SELECT CAST(first / 1000000000 AS text), count(*), count(DISTINCT region) FROM numbering_range GROUP BY 1 ORDER BY 1"
        )
    )
    blocks = tuple(NumberingBlock(*row) for row in rows)
    return NumberingState(connection.scalar(text("SELECT max(imported_at) FROM numbering_import")), blocks)
