"""Nobody but its two doors writes the journal: the whole source is read for statements over `inbound_event`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.journal import insert, insert_prepared, states, transitions

ROOT = Path(__file__).parents[3]
ROOMS = ("crm_core", "connectors", "ingest", "workers", "webhooks", "leadhub")
#: Who inserts an event, and who writes it afterwards.
WRITERS = {Path(module.__file__ or "") for module in (states, transitions, insert, insert_prepared)}
# What changes a schema or fills a new column runs before the version that knows it.
MIGRATIONS = ROOT / "crm_core" / "migrations"

_STATEMENT = re.compile(
    r"\b(?:UPDATE|DELETE\s+FROM|INSERT\s+INTO|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|COPY)\s+(?:ONLY\s+)?\"?inbound_event\b",
    re.IGNORECASE,
)
_BUILDERS = frozenset(
    {"update", "delete", "insert", "insert_rows", "copy_rows", "update_rows", "merge", "bulk_insert_mappings", "add"}
)


def writes(source: str) -> list[int]:
    """Lines on which the journal is written: in the text of a statement, by SQLAlchemy's builders, or as an object."""
    return sorted({line for node in ast.walk(ast.parse(source)) for line in _in(node)})


def _in(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.JoinedStr):
        # What is put in counts as a word, so that a statement that is put together is found as well.
        text = "".join(part.value if isinstance(part, ast.Constant) else " x " for part in node.values if _is_text(part))
        if _STATEMENT.search(text):
            yield node.lineno
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _STATEMENT.search(node.value):
            yield node.lineno
    elif isinstance(node, ast.Call):
        is_built = _name(node.func) in _BUILDERS and any(_is_journal(argument) for argument in (*node.args, node.func))
        if is_built or _name(node.func) == "InboundEvent":
            yield node.lineno


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.FormattedValue) or isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_journal(node: ast.AST) -> bool:
    """The model, its table, or its name."""
    return any(
        isinstance(one, ast.Name) and one.id == "InboundEvent" or isinstance(one, ast.Constant) and one.value == "inbound_event"
        for one in ast.walk(node)
    )


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_journal_is_written_by_its_own_modules_alone() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if path not in WRITERS and MIGRATIONS not in path.parents
        for line in writes(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_its_own_modules_are_found_by_what_they_write() -> None:
    """Else the search would find nothing anywhere."""
    assert all(writes(path.read_text(encoding="utf-8")) for path in WRITERS - {Path(transitions.__file__)})


@pytest.mark.parametrize(
    "line",
    [
        'c.execute("UPDATE inbound_event SET state = 1")', 'c.execute("WITH x AS (SELECT 1) update  only inbound_event e SET a = 1")',
        'c.execute(f"UPDATE inbound_event SET {columns}")', 'c.execute("DELETE FROM inbound_event")', "update(InboundEvent).values(a=1)",
        "sa.delete(InboundEvent)", "InboundEvent.__table__.update()", 'insert_rows(cursor, "inbound_event", rows)', 'copy_rows(cursor, "inbound_event", rows)',
        "InboundEvent(state='done')", 'c.execute("TRUNCATE inbound_event")', 'c.execute("INSERT INTO inbound_event (a) VALUES (1)")',
        'c.execute("UPDATE "\n "inbound_event SET a = 1")',
    ],
)  # fmt: skip
def test_foreign_write_is_found(line: str) -> None:
    assert writes(line)


@pytest.mark.parametrize(
    "line",
    [
        'c.execute("SELECT id FROM inbound_event FOR UPDATE")', "select(InboundEvent.id)", 'c.execute("UPDATE inbound_events SET a = 1")',
        '"""Whoever updates inbound_event …"""',
    ],
)  # fmt: skip
def test_reading_is_no_write(line: str) -> None:
    assert writes(line) == []
