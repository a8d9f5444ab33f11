"""Pages and routes ask queries and commands; none of them asks the database itself. Read from the sources."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import webhooks

ROOM = Path(webhooks.__file__).parent
MODULES = sorted([*ROOM.glob("console/**/*.py"), *ROOM.glob("api/**/*.py")])

#: What a door may know of SQLAlchemy: the types of what it hands on.
HANDED_ON = {"Connection", "Engine"}


def imported_of_sqlalchemy(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] in ("sqlalchemy", "psycopg")}
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "psycopg":
            found |= {f"psycopg.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_a_page_or_a_route_writes_no_query(module: Path) -> None:
    assert imported_of_sqlalchemy(module.read_text("utf-8")) <= HANDED_ON


@pytest.mark.parametrize("planted", [
    "from sqlalchemy import Connection, select", "from sqlalchemy.sql import text", "import sqlalchemy as sa",
    "import psycopg", "from psycopg import sql",
])  # fmt: skip
def test_a_query_in_a_page_is_found(planted: str) -> None:
    assert imported_of_sqlalchemy(planted) - HANDED_ON


def test_there_are_pages_and_routes_to_look_at() -> None:
    assert len(MODULES) > 60
