"""Migration 0015: what the journal hid in JSON becomes columns, of rows in every state and of the form of the version before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from crm_core.base.config import HubConfig
from crm_core.base.database import connect, libpq_url, migrate
from ingest.journal.claim import claim_to_fetch, finish, regain_keys
from ingest.journal.states import STATES

OLD = "0014"
_OLD_INSERT = (
    "INSERT INTO inbound_event (source_id, channel, body, headers, state, outcome, error, reason, claim_token, next_attempt_at)"
    " VALUES (1, 'form', 'x', %s, %s, %s, %s, %s, %s, now() - interval '1 minute') RETURNING id"
)


@pytest.fixture
def old_database(database_url: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A database of the version before, and a connection that sees rows as dictionaries."""
    with psycopg.connect(libpq_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        migrate(database_url, OLD)
        yield connection


def old_event(
    connection: psycopg.Connection[dict[str, Any]], state: str, headers: str = "{}", error: str | None = None, reason: str = "{}"
) -> int:
    outcome = "created" if state == "done" else None
    token = "token" if state == "working" else None
    row = connection.execute(_OLD_INSERT, (headers, state, outcome, error, reason, token)).fetchone()
    assert row is not None
    return int(row["id"])


def columns(connection: psycopg.Connection[dict[str, Any]], event_id: int) -> tuple[Any, ...]:
    row = connection.execute(
        "SELECT state, to_fetch, verified_at_door, rejected_key, reason FROM inbound_event WHERE id = %s", (event_id,)
    ).fetchone()
    assert row is not None
    return tuple(row.values())


def test_events_of_the_version_before_are_the_same_in_columns(
    old_database: psycopg.Connection[dict[str, Any]], database_url: str
) -> None:
    plain = {state: old_event(old_database, state) for state in STATES}
    verified = {state: old_event(old_database, state, headers='{"x-leadhub-verified": "door"}') for state in STATES}
    forged = old_event(old_database, "done", headers='{"x-leadhub-verified": "else"}')
    fetching = {
        state: old_event(old_database, state, error='{"code": "to_be_fetched", "by": "fetch"}')
        for state in ("waiting", "working")
    }
    rejected = {
        state: old_event(old_database, state, reason='{"provider_key": "k-1"}')
        for state in ("waiting", "working", "needs_attention", "rejected")
    }
    migrate(database_url)
    for state in STATES:
        assert columns(old_database, plain[state]) == (state, False, False, None, {})
        assert columns(old_database, verified[state]) == (state, False, True, None, {})
    assert columns(old_database, forged) == ("done", False, False, None, {})
    for state, event_id in fetching.items():
        assert columns(old_database, event_id) == (state, True, False, None, {})
    for state, event_id in rejected.items():
        assert columns(old_database, event_id) == (state, False, False, "k-1", {})


def test_migration_that_was_broken_off_is_repeated(old_database: psycopg.Connection[dict[str, Any]], database_url: str) -> None:
    event_id = old_event(old_database, "rejected", reason='{"provider_key": "k-1"}')
    migrate(database_url)
    old_database.execute("UPDATE alembic_version SET version_num = %s", (OLD,))
    migrate(database_url, "0015")
    assert columns(old_database, event_id) == ("rejected", False, False, "k-1", {})


def test_rejected_event_of_an_old_worker_regains_its_key(config: HubConfig) -> None:
    """Written after the migration by a worker that was not yet replaced."""
    with connect(config.database_url, "worker") as connection, connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "INSERT INTO inbound_event (source_id, channel, body, reason, to_fetch)"
            " VALUES (1, 'form', 'x', '{\"provider_key\": \"k-1\"}', true)"
        )
        token, events = claim_to_fetch(cursor, 60, [])
        row = {"id": events[0].id, "outcome": "created", "reason": {"code": "new"}, "lead_id": None, "contact_id": None}
        finish(cursor, token, [row])
        regain_keys(cursor, events)
        found = cursor.execute("SELECT provider_key, rejected_key FROM inbound_event").fetchone()
    assert found == {"provider_key": "k-1", "rejected_key": None}
