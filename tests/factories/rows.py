"""One row of any table, through SQLAlchemy or psycopg: what a factory does not say keeps the column's default."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import Connection, text

AnyConnection = Connection | psycopg.Connection[Any]


def insert(connection: AnyConnection, table: str, *, key: str = "id", **values: Any) -> int:
    """The new row's id; 0 for a table without one (`key` is then any column of a number)."""
    columns = ", ".join(values)
    if isinstance(connection, Connection):
        marks = ", ".join(f":{name}" for name in values)
        statement = f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({marks}) RETURNING {key}"
        return int(connection.execute(text(statement), values).scalar_one())
    marks = ", ".join(f"%({name})s" for name in values)
    statement = f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({marks}) RETURNING {key}"
    row: Any = connection.execute(statement.encode(), values).fetchone()
    return int(row[key] if isinstance(row, dict) else row[0])


def next_id(connection: AnyConnection, table: str) -> int:
    """For a row that names itself."""
    statement = f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) AS id"
    if isinstance(connection, Connection):
        return int(connection.execute(text(statement)).scalar_one())
    row: Any = connection.execute(statement.encode()).fetchone()
    return int(row["id"] if isinstance(row, dict) else row[0])
