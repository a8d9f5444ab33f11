"""The mail role as it runs: several mailboxes, a broken one among them, sources that come, go and change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import mail_samples
import pytest
from dovecot import Dovecot
from free_ports import own_port
from mailbox_bench import ON_THIS_MACHINE, SMALL
from sqlalchemy import Engine, text

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.mailbox import run
from ingest.sources.sources import add_source, change_settings, set_state


@pytest.fixture
def add(engine: Engine, config: HubConfig, mail_server: Dovecot) -> Callable[..., tuple[int, str]]:
    """Adds a mailbox of its own and returns its source and its user."""

    def make(**more: Any) -> tuple[int, str]:
        user = f"role-{uuid4().hex[:10]}@example.com"
        settings = mail_server.settings(user, poll_seconds=0.2, **more)
        with engine.begin() as connection:
            return add_source(connection, HUB, config, "imap", user, settings).id, user

    return make


@pytest.fixture
def role(config: HubConfig) -> Iterator[Callable[..., Any]]:
    @contextmanager
    def running(woken: list[str] | None = None) -> Iterator[threading.Thread]:
        # A successor waits for the lease of a poll that was under way when its mailbox changed.
        hub = replace(config, lease_seconds=5.0, outbound_allow=ON_THIS_MACHINE)
        stop = threading.Event()
        thread = threading.Thread(target=run, args=(hub, stop, (woken if woken is not None else []).append, SMALL))
        thread.start()
        try:
            yield thread
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()

    return running


def until(engine: Engine, query: str, wanted: object, **values: object) -> None:
    """Waits until a query gives what is wanted; how long it takes is no matter of the test."""
    deadline = time.monotonic() + 60
    found: object = None
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            found = connection.execute(text(query), values).scalar()
        if found == wanted:
            return
        time.sleep(0.1)
    raise AssertionError(f"{query} {values}: {found!r} instead of {wanted!r}")


def until_nobody_reads(source: int) -> None:
    deadline = time.monotonic() + 60
    while any(thread.name == f"mailbox-{source}" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "a paused mailbox is still read"
        time.sleep(0.05)


EVENTS = "SELECT count(*) FROM inbound_event WHERE source_id = :source"
STATE = "SELECT state FROM mailbox_folder WHERE source_id = :source"


def test_broken_mailboxes_delay_nobody(
    role: Callable[..., Any], add: Callable[..., tuple[int, str]], engine: Engine, mail_server: Dovecot
) -> None:
    add(port=own_port())
    wrong, _ = add(password="wrong")
    good, user = add()
    mail_server.append_many(user, [mail_samples.plain(number) for number in range(1, 31)])
    woken: list[str] = []
    with role(woken):
        until(engine, EVENTS, 30, source=good)
        until(engine, STATE, "auth_failed", source=wrong)
        mail_server.append(user, mail_samples.plain(31))
        until(engine, EVENTS, 31, source=good)
        until(engine, "SELECT (data->>'mailboxes')::int FROM heartbeat WHERE role = 'mail'", 3)
    assert set(woken) == {"mail"}
    with engine.connect() as connection:
        leased = connection.execute(text("SELECT count(*) FROM mailbox_folder WHERE lease_token IS NOT NULL")).scalar()
    assert leased == 0, "an orderly end gives the leases back"


def test_sources_are_taken_up_paused_and_changed_while_the_role_runs(
    role: Callable[..., Any],
    add: Callable[..., tuple[int, str]],
    engine: Engine,
    config: HubConfig,
    mail_server: Dovecot,
) -> None:
    with role():
        source, user = add(password="wrong")
        mail_server.append(user, mail_samples.plain(1))
        until(engine, STATE, "auth_failed", source=source)
        with engine.begin() as connection:
            change_settings(connection, HUB, config, source, {"password": mail_server.password})
        until(engine, EVENTS, 1, source=source)
        with engine.begin() as connection:
            set_state(connection, HUB, source, "paused")
        until_nobody_reads(source)
        mail_server.append(user, mail_samples.plain(2))
        time.sleep(1)
        until(engine, EVENTS, 1, source=source)
        with engine.begin() as connection:
            set_state(connection, HUB, source, "active")
        until(engine, EVENTS, 2, source=source)


def test_mails_wait_in_the_mailbox_while_the_disk_is_low(
    role: Callable[..., Any],
    add: Callable[..., tuple[int, str]],
    engine: Engine,
    config: HubConfig,
    mail_server: Dovecot,
) -> None:
    source, user = add(start="all")
    mail_server.append(user, mail_samples.plain(1))
    stop = threading.Event()
    low = replace(config, disk_floor_mb=1_000_000)
    thread = threading.Thread(target=run, args=(low, stop, [].append, SMALL))
    thread.start()
    until(engine, "SELECT count(*) FROM heartbeat WHERE role = 'mail'", 1)  # it is alive, and has begun with its mailboxes
    time.sleep(1)  # five times the pause between two looks
    stop.set()
    thread.join(20)
    until(engine, EVENTS, 0, source=source)
    until(engine, "SELECT count(*) FROM mailbox_folder WHERE last_uid > 0", 0)
    with role():
        until(engine, EVENTS, 1, source=source)


def test_unreadable_settings_of_one_source_stop_no_other(
    role: Callable[..., Any], add: Callable[..., tuple[int, str]], engine: Engine, mail_server: Dovecot
) -> None:
    broken, _ = add()
    good, user = add()
    with engine.begin() as connection:
        connection.execute(text("""UPDATE source SET config = '{"host": 7}' WHERE id = :source"""), {"source": broken})
    mail_server.append(user, mail_samples.plain(1))
    with role():
        until(engine, EVENTS, 1, source=good)
