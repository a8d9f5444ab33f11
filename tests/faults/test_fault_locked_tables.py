"""Tables of the domain are locked, as a migration locks them: the door goes on, the work waits, and then nothing is missing."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import psycopg
import pytest
from faulthub import FaultHub
from faulttraffic import OperationLog, Senders, form, ordinary
from faultverdict import judge_journal
from psycopg import sql

pytestmark = pytest.mark.serial

#: Everything of which a migration may take hold, but the journal itself. Longer than the door's and the workers' patience.
_LOCKED_SECONDS = 8.0


def _lock(migration: psycopg.Connection[Any], statement: sql.Composed) -> None:
    """A worker that holds one of the tables and wants another may be met; a migration tries again then, too."""
    for _ in range(20):
        with contextlib.suppress(psycopg.errors.DeadlockDetected):
            migration.execute(statement)
            return
        migration.rollback()
    raise AssertionError("the tables could not be locked")


@pytest.mark.timeout(180)
def test_every_post_is_answered_and_kept_when_all_other_tables_are_locked(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub
    posts = [
        form(8_000_000 + n, person, [person.phone()], f"lock-{n}" if n % 2 else None)
        for n, person in enumerate(ordinary(320, 8_000_000))
    ]
    log = OperationLog()
    thread = threading.Thread(target=Senders(hub, log).send, args=(posts, 32.0))
    with psycopg.connect(hub.config.database_url) as migration:
        tables = migration.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('inbound_event', 'alembic_version')"
        ).fetchall()
        thread.start()
        time.sleep(1.0)  # the door knows its addresses
        _lock(
            migration,
            sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(sql.Identifier(*row) for row in tables)),
        )
        time.sleep(_LOCKED_SECONDS)
        answers = dict(log.answers)
        migration.rollback()
    thread.join()
    assert set(log.answers) == {"200", "acknowledged"}
    assert answers["200"] > 100, "the lock was held while posts came in"
    hub.until(lambda: hub.unfinished() == 0, 60)
    stored = [bytes(row["body"]) for row in hub.rows("SELECT body FROM inbound_event")]
    assert sorted(post.body for post in posts) == sorted(body for body in stored if body in {post.body for post in posts})
    judge_journal(hub)


def test_journal_refers_to_no_other_table(shared_fault_hub: FaultHub) -> None:
    assert (
        shared_fault_hub.rows(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND 'inbound_event'::regclass IN (conrelid, confrelid)"
        )
        == []
    )
