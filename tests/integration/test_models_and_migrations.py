"""The tables that migrations make are those that the models declare: Alembic finds nothing to do, and PostgreSQL describes both
in the same words, down to CHECK constraints and conditions of indexes, which Alembic does not see."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, text

from crm_core.models import Base

#: Beside the tables: Alembic's own, and what no model can say (triggers, functions) is tested where it is used.
_COLUMNS = """
SELECT c.relname || '.' || a.attname AS name,
       format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
       || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
       || CASE a.attidentity WHEN 'd' THEN ' IDENTITY' WHEN 'a' THEN ' IDENTITY ALWAYS' ELSE '' END AS told
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
SELECT i.relname AS name, replace(pg_get_indexdef(i.oid), CAST(:schema AS text) || '.', '') AS told
  FROM pg_class i WHERE i.relnamespace = CAST(:schema AS regnamespace) AND i.relkind = 'i'
"""
_CONSTRAINTS = """
SELECT c.relname || '.' || k.conname AS name, replace(pg_get_constraintdef(k.oid), CAST(:schema AS text) || '.', '') AS told
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = CAST(:schema AS regnamespace)
"""
_STORAGE = """
SELECT c.relname AS name, coalesce(array_to_string(c.reloptions, ','), '') AS told
  FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r'
"""


@pytest.fixture
def declared(engine: Engine) -> Engine:
    """The same database with what the models declare in a schema of its own."""
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA declared"))
        connection.execute(text("SET LOCAL search_path = declared"))
        Base.metadata.create_all(connection)
    return engine


def described(connection: Connection, query: str, schema: str) -> dict[str, str]:
    found = {row.name: row.told for row in connection.execute(text(query), {"schema": schema})}
    return {name: told for name, told in found.items() if not name.startswith("alembic_version")}


def test_autogenerate_finds_nothing_to_do(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize(
    "query", [_COLUMNS, _INDEXES, _CONSTRAINTS, _STORAGE], ids=["columns", "indexes", "constraints", "storage"]
)
def test_database_describes_what_was_migrated_as_what_is_declared(declared: Engine, query: str) -> None:
    with declared.connect() as connection:
        migrated, wanted = described(connection, query, "public"), described(connection, query, "declared")
    assert len(wanted) > 30
    differing = {
        name: {"migrated": migrated.get(name), "declared": wanted.get(name)}
        for name in migrated.keys() | wanted.keys() if migrated.get(name) != wanted.get(name)
    }  # fmt: skip
    assert differing == {}
