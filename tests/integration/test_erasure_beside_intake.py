"""Erasing a person while something new of him is on its way: nothing comes back, nothing new is lost, nothing half done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from crm_core.erasure import commands
from crm_core.intake import ParsedEvent, take_in
from crm_core.parsed import Inquiry
from ingest.erasure.person_events import erase_contact

ADMIN = Principal("user", 1, "Admin", "admin", None)
PHONE, EMAIL = "+7 900 123-45-01", "anna@example.com"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def meanwhile(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], Any]) -> None:
    """Does it after an erasure has looked at the person's identifiers, and before it locks them."""
    number, done = commands.lock_number, threading.Event()

    def late(text: str) -> int:
        if not done.is_set():
            done.set()
            deed()
        return number(text)

    monkeypatch.setattr(commands, "lock_number", late)


def erase(desk: Desk, contact_id: int, before_commit: Callable[[], Any] = lambda: None) -> None:
    with desk.engine.begin() as connection:
        erase_contact(connection, ADMIN, contact_id, "letter", desk.config.secret_key, datetime.now(UTC))
        before_commit()


def test_inquiry_by_an_address_that_was_linked_at_the_last_moment_makes_a_person_of_its_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.form(name="Anna", phone=PHONE)
    desk.drain("form")
    erased = desk.one("SELECT id FROM contact")

    def link() -> None:
        desk.form(name="Anna", phone=PHONE, email=EMAIL)
        desk.drain("form")

    meanwhile(monkeypatch, link)
    worker = threading.Thread(target=lambda: desk.drain("form"))

    def new_inquiry() -> None:
        desk.form(name="Anna", email=EMAIL, message="Something new")
        worker.start()
        end = time.monotonic() + 10
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not desk.one(waiting):
            assert time.monotonic() < end, "the worker did not come as far as the person's lock"
            time.sleep(0.01)

    erase(desk, erased, new_inquiry)
    worker.join(20)
    desk.rows("UPDATE inbound_event SET next_attempt_at = now() WHERE state = 'waiting' RETURNING id")
    desk.drain("form")
    assert desk.rows("SELECT name, (SELECT count(*) FROM contact_identifier i WHERE i.contact_id = c.id) AS n"
                     " FROM contact c WHERE id = %s", erased) == [{"name": "", "n": 0}]  # fmt: skip
    assert desk.rows("SELECT l.message FROM lead l JOIN contact c ON c.id = l.contact_id WHERE c.erased_at IS NULL") == [
        {"message": "Something new"}
    ]
    assert desk.one("SELECT count(*) FROM inbound_event WHERE state <> 'done'") == 0


def test_person_who_was_merged_at_the_last_moment_is_not_called_erased(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.form(name="Anna", email=EMAIL)
    desk.form(name="Anna", phone=PHONE)
    desk.drain("form")
    _, later = (row["id"] for row in desk.rows("SELECT id FROM contact ORDER BY id"))

    def merge() -> None:
        desk.form(name="Anna", phone=PHONE, email=EMAIL)
        desk.drain("form")

    meanwhile(monkeypatch, merge)
    with pytest.raises(Conflict):
        erase(desk, later)
    erase(desk, later)  # asked again, the whole person goes
    assert desk.one("SELECT count(*) FROM contact WHERE erased_at IS NULL OR name <> ''") == 0
    assert desk.one("SELECT count(*) FROM inbound_event WHERE body <> ''") == 0


@pytest.mark.parametrize(("seconds", "outcome"), [(-60, "ignored"), (60, "created"), (3600, "ignored"), (None, "ignored")])
def test_same_words_after_an_erasure_are_new_only_if_they_were_written_since(
    desk: Desk, seconds: float | None, outcome: str
) -> None:
    def take(received: datetime, told: datetime | None) -> str:
        uid = desk.form(name="Anna")
        event = desk.rows("UPDATE inbound_event SET state = 'done', outcome = 'created' WHERE uid = %s RETURNING id", uid)
        inquiry = Inquiry(name="Anna", phones=(PHONE,), message="Call me back", submitted_at=told)
        item = ParsedEvent(event[0]["id"], desk.form_source, "Site", "form", received, (inquiry,))
        with desk.connection.transaction(), desk.connection.cursor() as cursor:
            return take_in(cursor, [item], received)[0].outcome

    first = datetime.now(UTC) - timedelta(hours=1)
    assert take(first, first) == "created"
    erase(desk, desk.one("SELECT id FROM contact"))
    now = datetime.now(UTC)
    told = None if seconds is None else now + timedelta(seconds=seconds)
    assert take(now + timedelta(minutes=2), told) == outcome
