"""Doubles under pressure: two workers at once, an erasure at the same moment, people who only look alike, a long history."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from desk import Desk
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.intake import take_in
from ingest.erasure.person_events import erase_contact
from ingest.journal.accept import RawEvent, insert_events
from ingest.journal.ledger import ledger
from ingest.processing.process import Processor
from ingest.processing.replay import event_rows, read_rows

ADMIN = Principal("user", 1, "Admin", "admin", None)
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def send(desk: Desk, ip: str = "198.51.100.7", **fields: str) -> str:
    raw_event = RawEvent(desk.form_source, "form", urlencode(fields).encode(), headers=FORM, remote_ip=ip)
    return insert_events(desk.door, [raw_event])[0].uid


def waits_for_a_lock(desk: Desk, thread: threading.Thread) -> bool:
    """True once another session waits for a lock; False if the thread ended without."""
    end = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < end:
        if desk.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"):
            return True
        time.sleep(0.01)
    return False


def in_the_background(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_two_people_known_by_messengers_alone_stay_two_when_one_server_sends_both(desk: Desk) -> None:
    send(desk, name="Анна", telegram="@anna_first", message="Перезвоните")
    send(desk, name="Анна", telegram="@quite_another", message="Перезвоните")
    desk.drain("form")
    assert desk.one("SELECT count(DISTINCT contact_id) FROM touch WHERE kind = 'form'") == 2
    assert desk.one("SELECT count(*) FROM lead") == 2


def test_people_whose_names_are_none_stay_as_many_as_they_wrote(desk: Desk) -> None:
    """From one office, without an address: what is no name for a contact is still what one of them typed."""
    sent = [send(desk, name=name, message="Call us") for name in ("x1", "x2", "test", "x1")]
    desk.drain("form")
    assert ["double" in desk.event(uid)["reason"] for uid in sent] == [False, False, False, True]
    assert len({desk.event(uid)["lead_id"] for uid in sent}) == 3


def test_equal_submissions_under_a_shared_phone_are_one_lead_when_two_workers_have_them(desk: Desk) -> None:
    send(desk, phone="+7 495 111-22-33", message="первый")
    desk.drain("form")
    desk.rows("UPDATE identifier SET strength = 'shared' WHERE kind = 'phone' RETURNING id")
    fields = {"phone": "+7 495 111-22-33", "message": "Нужен счёт"}
    uids = [send(desk, **fields), send(desk, **fields)]
    processor = Processor(desk.config)
    ids = [desk.event(uid)["id"] for uid in uids]
    one, other = read_rows(event_rows(processor, ids), processor.source, processor.our_addresses())
    before = desk.one("SELECT count(*) FROM lead")

    def take(item: Any) -> None:
        with connect(desk.config.database_url, "worker") as connection:
            connection.row_factory = dict_row  # type: ignore[assignment]
            with connection.transaction(), connection.cursor() as cursor:
                take_in(cursor, [item], datetime.now(UTC))

    with connect(desk.config.database_url, "worker") as first:
        first.row_factory = dict_row  # type: ignore[assignment]
        with first.transaction(), first.cursor() as cursor:
            take_in(cursor, [one], datetime.now(UTC))
            second = in_the_background(lambda: take(other))
            waits_for_a_lock(desk, second)
        second.join(60)
    processor.close()
    assert desk.one("SELECT count(*) FROM lead") == before + 1
    assert desk.one("SELECT count(*) FROM touch WHERE double_of IS NOT NULL") == 1


def test_correction_of_a_person_who_is_erased_at_this_moment_makes_a_contact_of_its_own(desk: Desk, engine: Engine) -> None:
    send(desk, name="Анна", phone="+7 900 123-45-67", message="Нужен расчёт")
    desk.drain("form")
    erased = desk.one("SELECT id FROM contact")
    send(desk, name="Анна", phone="+7 900 123-45-68", message="Нужен расчёт")
    with engine.begin() as connection:
        erase_contact(connection, ADMIN, erased, "letter", desk.config.secret_key, datetime.now(UTC))
        worker = in_the_background(lambda: desk.drain("form"))
        assert waits_for_a_lock(desk, worker)
    worker.join(60)
    assert desk.rows("SELECT name FROM contact WHERE id = %s", erased) == [{"name": ""}]
    assert desk.one("SELECT count(*) FROM contact WHERE name = 'Анна' AND erased_at IS NULL") == 1
    assert desk.one("SELECT count(*) FROM lead WHERE state = 'open'") == 1


def test_look_for_doubles_goes_by_indexes_however_long_the_history(desk: Desk) -> None:
    desk.rows("INSERT INTO contact (root_id) VALUES (1) RETURNING id")
    desk.rows(
        "INSERT INTO touch (contact_id, kind, at, likeness, fingerprint) SELECT 1, 'form', now() - n * interval '1 minute',"
        " md5(n::text), md5((-n)::text) FROM generate_series(1, 20000) n RETURNING 1"
    )
    desk.connection.execute("ANALYZE touch")
    plan = desk.rows(
        "EXPLAIN SELECT id FROM touch WHERE (likeness = ANY(%s) OR fingerprint = ANY(%s)) AND fingerprint <> ''"
        " AND at BETWEEN now() - interval '20 days' AND now() ORDER BY id", ["a", "b"], ["c", "d"],
    )  # fmt: skip
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "Bitmap Index Scan on ix_touch_likeness" in text
    assert "Bitmap Index Scan on ix_touch_fingerprint" in text


def test_four_workers_account_for_every_double_once(desk: Desk) -> None:
    desk.rows('UPDATE source SET config = \'{"spam": "off"}\' WHERE id = %s RETURNING id', desk.form_source)
    for n in range(60):
        fields = {"name": f"Анна {n % 7}", "phone": f"+7 900 123-4{n % 5}-{n % 10}0", "message": f"Заявка {n % 3}"}
        for _ in range(3):
            send(desk, **fields)
        send(desk, **fields | {"phone": fields["phone"][:-1] + "7"})
    config = replace(desk.config, batch_size=5)
    failed: list[int] = []

    def work() -> None:
        processor = Processor(config)
        failed.append(processor.drain("form", 60).failed)
        processor.close()

    threads = [in_the_background(work) for _ in range(4)]
    for thread in threads:
        thread.join(120)
    desk.drain("form")
    assert desk.rows("SELECT state, count(*) AS n FROM inbound_event GROUP BY state") == [{"state": "done", "n": 240}]
    assert desk.one("SELECT count(*) FROM touch") == 240
    assert desk.one("SELECT sum(touches) FROM lead") == 120  # pressed twice is wanted once
    # Equal marks are one lead, whichever worker had them.
    split = desk.rows("SELECT fingerprint FROM touch GROUP BY fingerprint HAVING count(DISTINCT lead_id) > 1")
    assert split == []
    with desk.engine.connect() as connection:
        assert all(row.balanced for row in ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1)))


def test_number_that_no_column_can_hold_does_not_stop_an_inquiry(desk: Desk) -> None:
    body = b'{"name":"Anna","phone":"+7 900 123-45-67","n":123456789012345678901234567890,"f":1e999,"deep":{"x":[-1e400]}}'
    uid = desk.post(desk.form_source, "form", body, {"content-type": "application/json"})
    desk.drain("form")
    assert desk.event(uid)["outcome"] == "created"
