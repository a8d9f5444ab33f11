"""A clock that was set back by an hour, or ahead by a day and back again. A database's clock cannot be set from here, so the
rows are written as the other clock would have written them."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from desk import Desk
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.due_times import pull_back
from ingest.sources.sources import add_source
from workers.celery_app import make_app
from workers.jobs import Jobs
from workers.lanes import Lanes

SHIFTS = [timedelta(hours=1), timedelta(days=1)]


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Any:
    made = Desk(config, engine)
    yield made
    made.close()


def pull(config: HubConfig) -> int:
    with psycopg.connect(config.database_url, autocommit=True, row_factory=dict_row) as connection:
        return pull_back(connection.cursor(), config.lease_seconds, config.backfill_minutes)


def shift(desk: Desk, by: timedelta, **more: Any) -> None:
    """Everything that waits, as a clock would have written it that was ahead by so much."""
    desk.rows(
        "UPDATE inbound_event SET next_attempt_at = next_attempt_at + %s, received_at = received_at + %s"
        " WHERE state IN ('waiting', 'working') RETURNING id", by, by,
    )  # fmt: skip
    for column, value in more.items():
        desk.rows(f"UPDATE inbound_event SET {column} = %s WHERE state IN ('waiting', 'working') RETURNING id", value)


def due_in(desk: Desk) -> float:
    return float(desk.one("SELECT extract(epoch FROM next_attempt_at - clock_timestamp())::float8 FROM inbound_event"))


@pytest.mark.parametrize("by", SHIFTS)
def test_new_events_never_wait_for_another_clock(desk: Desk, config: HubConfig, by: timedelta) -> None:
    for n in range(3):
        desk.form(name="Anna", email=f"a{n}@example.com")
    shift(desk, by)
    assert desk.drain("form").finished == 0
    assert pull(config) == 3
    assert desk.drain("form").finished == 3
    assert pull(config) == 0


@pytest.mark.parametrize(
    ("attempts", "to_fetch", "longest"),
    [(1, False, 45.0), (4, False, 60.0), (9, False, 1_920.0), (12, False, 5_400.0), (3, True, 5_400.0)],
)
def test_event_waits_for_its_own_longest_pause_at_most(
    desk: Desk, config: HubConfig, attempts: int, to_fetch: bool, longest: float
) -> None:
    desk.form(name="Anna", email="a@example.com")
    more = {"attempts": attempts, "error": Jsonb({"code": "x"}), "to_fetch": to_fetch}
    shift(desk, timedelta(seconds=longest - 5), **more)
    assert pull(config) == 0, "a pause of its own is not cut short"
    assert due_in(desk) > longest - 20
    shift(desk, timedelta(seconds=20))
    assert pull(config) == 1
    assert due_in(desk) <= 0


def test_lease_of_another_clock_ends_a_lease_from_now(desk: Desk, config: HubConfig) -> None:
    desk.form(name="Anna", email="a@example.com")
    shift(desk, timedelta(hours=1), state="working", claim_token="held", attempts=1)
    assert pull(config) == 1
    assert config.lease_seconds - 5 < due_in(desk) <= config.lease_seconds
    assert pull(config) == 0, "its holder may be at work"


def test_silent_call_of_another_clock_is_settled_after_its_silence(desk: Desk, config: HubConfig) -> None:
    desk.call("newCall", "c1", "79211234567")
    shift(desk, timedelta(hours=1))
    pull(config)
    desk.drain("call")
    within = "SELECT extract(epoch FROM settle_at - clock_timestamp())::float8 FROM call"
    assert 7_100 < float(desk.one(within)) <= 7_200, "two hours from now, not from the other clock's"
    desk.rows("UPDATE call SET settle_at = settle_at + interval '1 hour' RETURNING id")
    assert pull(config) == 1
    assert float(desk.one(within)) <= 0
    assert pull(config) == 0


def test_mailboxes_files_and_lists_are_due_by_this_clock(desk: Desk, config: HubConfig, engine: Engine) -> None:
    with engine.begin() as connection:
        settings = {"host": "imap.example.com", "user": "sales@hub.example", "password": "x", "poll_seconds": 20}
        mailbox = add_source(connection, HUB, config, "imap", "Sales", settings).id
    desk.form(name="Anna", email="a@example.com", file="https://example.com/plan.pdf")
    desk.drain("form")
    hour = "clock_timestamp() + interval '1 hour'"
    folder = (
        "INSERT INTO mailbox_folder (source_id, name, state, fails, next_poll_at, next_sweep_at, lease_until, last_error)"
        f" VALUES (%s, %s, %s, %s, {hour}, {hour}, {hour}, %s) RETURNING id"
    )
    live = desk.one(folder, mailbox, "INBOX", "live", 0, None)
    desk.one(folder, mailbox, "Failing", "backoff", 2, None)
    waits = desk.one(folder, mailbox, "Slow", "backoff", 2, Jsonb({"code": "throttled"}))
    desk.rows(f"INSERT INTO mail_ref (folder_id, uidvalidity, uid, next_try_at) VALUES (%s, 1, 1, {hour}) RETURNING id", live)
    assert desk.rows(f"UPDATE attachment SET attempts = 1, next_try_at = {hour} WHERE state = 'to_fetch' RETURNING id")
    desk.rows(f"INSERT INTO source_poll (source_id, next_at) VALUES (%s, {hour}) RETURNING source_id", mailbox)
    assert pull(config) == 6
    late = "SELECT id FROM mailbox_folder WHERE next_poll_at > clock_timestamp()"
    assert [row["id"] for row in desk.rows(late)] == [waits], "it was its server that asked for two hours at most"
    leases = desk.rows("SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 AS seconds FROM mailbox_folder")
    assert all(row["seconds"] <= config.lease_seconds for row in leases)
    for table, column in (("mail_ref", "next_try_at"), ("attachment", "next_try_at"), ("source_poll", "next_at")):
        assert desk.one(f"SELECT count(*) FROM {table} WHERE {column} > clock_timestamp()") == 0
    assert pull(config) == 0


def test_worker_does_what_waits_for_another_clock_without_a_broker(desk: Desk, config: HubConfig) -> None:
    for n in range(62):
        desk.form(name="Anna", email=f"a{n}@example.com")
    shift(desk, timedelta(hours=1))
    away = dataclasses.replace(config, broker_url="redis://127.0.0.1:1/0")
    app = make_app(away)
    jobs = Jobs(away, app, "here:1", threading.Lock(), Lanes(away, app))
    _until(lambda: not jobs.work_off(1.0), 10)
    jobs.close()
    assert desk.one("SELECT count(*) FROM inbound_event WHERE outcome IS NULL") == 0
    assert desk.one("SELECT count(*) FROM lead") == 62


def _until(ready: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
