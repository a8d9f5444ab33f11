"""Set-wise writes: many rows in one statement, as one JSON parameter. Table and column names come from code only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import psycopg

Cursor = psycopg.Cursor[Any]


def _encode(rows: Sequence[dict[str, Any]]) -> bytes:
    return orjson.dumps(rows, option=orjson.OPT_NON_STR_KEYS)


def insert_rows(cursor: Cursor, table: str, rows: Sequence[dict[str, Any]], conflict: str = "") -> None:
    """Inserts rows that all have the same columns. Nothing happens for no rows."""
    if not rows:
        return
    columns = ", ".join(rows[0])
    cursor.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s) {conflict}",
        (_encode(rows).decode(),),
    )


def update_rows(cursor: Cursor, table: str, rows: Sequence[dict[str, Any]], key: str = "id") -> None:
    """Updates by `key`, setting every other column of the rows."""
    if not rows:
        return
    assignments = ", ".join(f"{column} = new.{column}" for column in rows[0] if column != key)
    cursor.execute(
        f"UPDATE {table} SET {assignments} FROM json_populate_recordset(NULL::{table}, %s) new WHERE {table}.{key} = new.{key}",
        (_encode(rows).decode(),),
    )


def draw_ids(cursor: Cursor, wanted: dict[str, int]) -> dict[str, list[int]]:
    """Fresh ids from the tables' sequences, in one round trip: {"lead": 3} gives {"lead": [7, 8, 9]}."""
    wanted = {table: count for table, count in wanted.items() if count}
    if not wanted:
        return {}
    selects = ", ".join(
        f"(SELECT array_agg(nextval('{table}_id_seq')) FROM generate_series(1, %s::int)) AS {table}" for table in wanted
    )
    row = cursor.execute(f"SELECT {selects}", tuple(wanted.values())).fetchone()
    return dict(row or {})
