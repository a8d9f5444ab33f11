"""Bringing a database to this version: who waits for whom, and what is said when it cannot be done."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from crm_core.base.database import migrate, schema_is_current, schema_state
from crm_core.base.errors import Misconfigured


def test_schema_of_a_newer_version_is_left_alone_and_named(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert schema_state(database_url) == "ahead"
        with pytest.raises(Misconfigured) as refused:
            migrate(database_url)
        assert refused.value.code == "schema_ahead"
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_migration_comes_after_whoever_holds_its_table_and_keeps_nobody_waiting(database_url: str) -> None:
    _start_at(database_url, "0011")  # 0012 adds a column to `touch`
    holder = psycopg.connect(database_url)
    holder.execute("LOCK TABLE touch IN ACCESS SHARE MODE")
    failed: list[BaseException] = []

    def run() -> None:
        try:
            migrate(database_url)
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with psycopg.connect(database_url, autocommit=True, options="-c lock_timeout=2000") as reader:
            for _ in range(8):  # some of them meet an attempt; a wait behind one that does not give up would fail
                reader.execute("SELECT count(*) FROM touch")
                time.sleep(0.2)
        assert schema_state(database_url) == "behind"
        assert thread.is_alive()
    finally:
        holder.close()
        thread.join(60)
    assert failed == []
    assert schema_is_current(database_url)


def test_several_that_migrate_at_once_do_not_stop_an_index_built_beside_the_traffic(database_url: str) -> None:
    _start_at(database_url, "0013")  # 0014 builds an index outside a transaction
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [database_url] * 4))
    assert schema_is_current(database_url)
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE starts_with(indexname, 'ix_inbound_event_lead_id')"
        ).fetchall()
    assert [definition.partition(" WHERE ")[2] for (definition,) in found] == ["(lead_id IS NOT NULL)"]


def test_index_is_built_anew_when_an_attempt_was_killed_in_the_middle(database_url: str) -> None:
    _start_at(database_url, "0013")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE INDEX ix_inbound_event_lead_id_new ON inbound_event (lead_id)")
        connection.execute("DROP INDEX ix_inbound_event_lead_id")
        migrate(database_url)
        found = connection.execute(
            "SELECT to_regclass('ix_inbound_event_lead_id_new') IS NULL, to_regclass('ix_inbound_event_lead_id') IS NULL"
        )
        assert found.fetchone() == (True, False)


def _start_at(url: str, revision: str) -> None:
    """The database as that revision left it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    migrate(url, revision)
