"""The audit is chained: whatever is changed in it afterwards is noticed, also by whom the triggers do not stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from crm_core.access.audit_chain import FIRST, link, seal, verify
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from ingest.monitoring.audit_sealing import HEADS, noted, seal_audit, verify_audit

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
Chain = psycopg.Connection[Any]


@pytest.fixture
def chain(config: HubConfig, engine: Engine) -> Iterator[Chain]:
    with connect(config.database_url, "worker") as connection:
        yield connection


CHANGED = history.Action("lead.change")


def write(engine: Engine, *subjects: str) -> None:
    with engine.begin() as connection:
        for subject in subjects:
            history.record(connection, "user:1", CHANGED, subject.removeprefix("lead:"), {"fields": ["stage"], "Ж": 1.5})


@contextmanager
def without_triggers(chain: Chain) -> Iterator[None]:
    """As somebody with the application's role, which owns its tables and can switch their triggers off."""
    for how in ("DISABLE", "ENABLE"):
        for table in ("audit_entry", "audit_seal"):
            chain.execute(f"ALTER TABLE {table} {how} TRIGGER USER".encode())
        if how == "DISABLE":
            yield


def test_rows_are_chained_in_order_and_verified(chain: Chain, engine: Engine, config: HubConfig) -> None:
    write(engine, "lead:1", "lead:2", "lead:3")
    head = seal_audit(chain, config.home, NOW)
    assert head is not None
    assert head.position == 3
    assert seal_audit(chain, config.home, NOW) is None, "nothing new"
    found = verify_audit(chain, config.home, NOW)
    assert (found.entries, found.head, found.broken) == (3, head, None)
    assert noted(config.home) == [head]
    assert (config.home / HEADS).stat().st_mode & 0o077 == 0
    [first] = chain.execute("SELECT hash FROM audit_seal WHERE position = 1").fetchall()
    [row] = chain.execute(
        "SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM audit_entry ORDER BY id LIMIT 1"
    ).fetchall()
    told = f'[{row[0]}, "{row[1]}", "user:1", "lead.change", "lead:1", {{"Ж": 1.5, "fields": ["stage"]}}]'
    assert bytes(first[0]) == link(FIRST, told), "anybody can compute it from the documented form"


@pytest.mark.parametrize("statement", [
    "UPDATE audit_entry SET actor = 'user:2'", "DELETE FROM audit_entry", "TRUNCATE audit_entry", "TRUNCATE audit_entry CASCADE",
    "UPDATE audit_seal SET position = position + 10", "DELETE FROM audit_seal", "TRUNCATE audit_seal", "TRUNCATE audit_entry, audit_seal",
])  # fmt: skip
def test_nothing_but_adding_is_let_through(chain: Chain, engine: Engine, statement: str) -> None:
    write(engine, "lead:1")
    seal(chain)
    with pytest.raises(psycopg.errors.RaiseException, match="is append-only"):
        chain.execute(statement.encode())
    assert verify(chain).entries == 1


def rewrite(chain: Chain) -> None:
    """Takes a row out and makes the whole chain anew, as a careful forger would."""
    chain.execute("DELETE FROM audit_entry WHERE subject = 'lead:2'")
    chain.execute("TRUNCATE audit_seal")
    seal(chain, everything=True)


@pytest.mark.parametrize("forge, code", [
    (lambda c: c.execute("UPDATE audit_entry SET actor = 'user:2' WHERE subject = 'lead:2'"), "entry_changed"),
    (lambda c: c.execute("UPDATE audit_entry SET at = at - interval '1 microsecond' WHERE subject = 'lead:2'"), "entry_changed"),
    (lambda c: c.execute("UPDATE audit_entry SET data = '{}' WHERE subject = 'lead:2'"), "entry_changed"),
    (lambda c: c.execute("DELETE FROM audit_entry WHERE subject = 'lead:2'"), "entry_missing"),
    (lambda c: c.execute("DELETE FROM audit_seal WHERE position = 2"), "seal_missing"),
    (lambda c: c.execute("TRUNCATE audit_entry"), "entry_missing"),
    (lambda c: c.execute("TRUNCATE audit_entry, audit_seal"), "truncated"),
    (lambda c: c.execute("DELETE FROM audit_entry WHERE subject = 'lead:4'") and c.execute("DELETE FROM audit_seal WHERE position = 4"), "truncated"),
    (rewrite, "truncated"),
    (lambda c: (rewrite(c), c.execute("INSERT INTO audit_entry (actor, action, subject) VALUES ('x', 'x', 'x')")), "rewritten"),
])  # fmt: skip
def test_every_forgery_is_noticed(
    chain: Chain, engine: Engine, config: HubConfig, forge: Callable[[Chain], object], code: str
) -> None:
    write(engine, "lead:1", "lead:2", "lead:3", "lead:4")
    head = seal_audit(chain, config.home, NOW)
    with without_triggers(chain):
        forge(chain)
    found = verify_audit(chain, config.home, NOW)
    assert found.broken is not None
    assert found.broken.code == code
    # What was noted stays, however long the forged chain grows and whoever seals it.
    write(engine, *(f"lead:{n}" for n in range(10, 30)))
    seal_audit(chain, config.home, NOW + timedelta(days=1))
    assert head in noted(config.home)
    assert verify_audit(chain, config.home, NOW).broken is not None


def test_a_row_that_is_committed_late_is_sealed_late(chain: Chain, engine: Engine) -> None:
    slow = engine.connect()
    transaction = slow.begin()
    history.record(slow, "user:1", CHANGED, "slow")
    write(engine, "lead:quick")
    first = seal(chain)
    transaction.commit()
    slow.close()
    second = seal(chain)
    assert (first and first.position, second and second.position) == (1, 2)
    assert verify(chain).broken is None
    order = chain.execute(
        "SELECT e.subject FROM audit_seal s JOIN audit_entry e ON e.id = s.entry_id ORDER BY position"
    ).fetchall()
    assert [row[0] for row in order] == ["lead:quick", "lead:slow"]


def test_many_who_seal_and_write_at_once_make_one_chain(config: HubConfig, engine: Engine, chain: Chain) -> None:
    def work(worker: int) -> None:
        with connect(config.database_url, "worker") as own:
            for n in range(15):
                write(engine, f"lead:{worker}-{n}")
                seal_audit(own, config.home, NOW)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    found = verify_audit(chain, config.home, NOW)
    assert (found.entries, found.broken) == (60, None)


def test_heads_are_kept_one_a_day_and_half_a_line_hurts_nothing(chain: Chain, engine: Engine, config: HubConfig) -> None:
    for day in range(3):
        for hour in range(2):
            write(engine, f"lead:{day}{hour}")
            seal_audit(chain, config.home, NOW + timedelta(days=day, hours=hour))
    assert [head.position for head in noted(config.home)] == [2, 4, 6]
    with (config.home / HEADS).open("a", encoding="ascii") as file:
        file.write("2026-11-30T12:0")
    assert [head.position for head in noted(config.home)] == [2, 4, 6]
    assert verify_audit(chain, config.home, NOW).broken is None


def test_only_the_end_is_compared_when_asked(chain: Chain, engine: Engine, config: HubConfig) -> None:
    write(engine, *(f"lead:{n}" for n in range(10)))
    seal_audit(chain, config.home, NOW)
    found = verify_audit(chain, config.home, NOW, last=4)
    assert (found.entries, found.broken) == (4, None)
    with without_triggers(chain):
        chain.execute("UPDATE audit_entry SET actor = 'x' WHERE subject = 'lead:8'")
    broken = verify_audit(chain, config.home, NOW, last=4).broken
    assert broken is not None
    assert (broken.code, broken.position) == ("entry_changed", 9)


def test_no_row_of_the_audit_is_changed_by_the_migration(engine: Engine, chain: Chain) -> None:
    """Rows of before the chain are sealed at the first pass, as they are."""
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO audit_entry (actor, action, subject) SELECT 'cli', 'x', 'lead:' || n FROM generate_series(1, 12) n")
        )
    assert verify(chain).entries == 12
