"""Migration 0016: the hub's own codes leave the words of people, who may have typed the very same words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.database import libpq_url, migrate
from crm_core.leads.spam_flag import unflag_spam

OLD = "0015"
HEAD = Principal("user", 1, "Head", "head", None)
_LEAD = (
    "INSERT INTO lead (id, contact_id, channel, source_id, event_id, received_at, last_touch_at, state, lost_reason, spam, closed_at)"
    " OVERRIDING SYSTEM VALUE VALUES (%s, 1, 'form', 1, %s, now(), now(), %s, %s, %s, now())"
)


@pytest.fixture
def old_database(database_url: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    with psycopg.connect(libpq_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        migrate(database_url, OLD)
        connection.execute("INSERT INTO source (name, connector, channel) VALUES ('Site', 'generic_form', 'form')")
        connection.execute("INSERT INTO contact (root_id, name, last_seen_at) VALUES (1, 'Anna', now())")
        yield connection


def old_lead(
    connection: psycopg.Connection[dict[str, Any]],
    number: int,
    state: str,
    why: str,
    *,
    typed: bool = False,
    marked: str | None = None,
) -> None:
    """`marked`: the reason that a lead had before it was called spam."""
    spam: dict[str, Any] = {"score": 0, "reasons": []}
    if marked is not None:
        before = {"state": "closed", "lost_reason": marked, "closed_at": "2026-01-01T00:00:00+00:00"}
        spam["marked"] = {"by": "user:1", "at": "2026-01-02T00:00:00+00:00", "why": "an offer", "before": before, "tasks": []}
    connection.execute(_LEAD, (number, number, state, why, Jsonb(spam)))
    if typed:
        connection.execute(
            "INSERT INTO touch (contact_id, lead_id, kind, at, data) VALUES (1, %s, 'stage', now(), %s)",
            (number, Jsonb({"changed": {"lost_reason": {"from": "", "to": why}}})),
        )


def test_codes_of_the_hub_and_words_of_people_are_told_apart(
    old_database: psycopg.Connection[dict[str, Any]], database_url: str, engine: Engine
) -> None:
    old_lead(old_database, 1, "closed", "merged")
    old_lead(old_database, 2, "closed", "erased")
    old_lead(old_database, 3, "closed", "spam", marked="too dear")
    old_lead(old_database, 4, "closed", "spam", marked="merged")
    old_lead(old_database, 5, "closed", "erased", typed=True)
    old_lead(old_database, 6, "lost", "merged")
    old_lead(old_database, 7, "lost", "too dear", typed=True)
    old_lead(old_database, 8, "closed", "")
    migrate(database_url)
    rows = old_database.execute("SELECT id, closed_code, lost_reason FROM lead ORDER BY id").fetchall()
    assert [tuple(row.values()) for row in rows] == [
        (1, "merged", ""), (2, "erased", ""), (3, "spam", ""), (4, "spam", ""), (5, "", "erased"), (6, "", "merged"),
        (7, "", "too dear"), (8, "", ""),
    ]  # fmt: skip
    with engine.begin() as connection:
        for lead in (3, 4):
            unflag_spam(connection, HEAD, lead, "a mistake", datetime.now(UTC))
    rows = old_database.execute("SELECT closed_code, lost_reason FROM lead WHERE id IN (3, 4) ORDER BY id").fetchall()
    assert [tuple(row.values()) for row in rows] == [("", "too dear"), ("merged", "")]


def test_migration_that_was_broken_off_is_repeated(old_database: psycopg.Connection[dict[str, Any]], database_url: str) -> None:
    old_lead(old_database, 1, "closed", "merged")
    migrate(database_url)
    old_database.execute("UPDATE alembic_version SET version_num = %s", (OLD,))
    migrate(database_url, "0016")
    assert old_database.execute("SELECT closed_code, lost_reason FROM lead").fetchone() == {
        "closed_code": "merged",
        "lost_reason": "",
    }


def test_old_worker_may_still_close_a_lead_and_the_next_update_reads_it(
    old_database: psycopg.Connection[dict[str, Any]], database_url: str
) -> None:
    migrate(database_url, "0018")
    old_lead(old_database, 1, "closed", "merged")
    old_lead(old_database, 2, "closed", "spam", marked="too dear")
    old_lead(old_database, 3, "closed", "erased", typed=True)
    migrate(database_url)
    rows = old_database.execute("SELECT id, closed_code, lost_reason FROM lead ORDER BY id").fetchall()
    assert [tuple(row.values()) for row in rows] == [(1, "merged", ""), (2, "spam", ""), (3, "", "erased")]
