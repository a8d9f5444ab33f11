"""Erasing beside other people and beside the workers: nobody else loses anything, and nobody waits in a circle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from desk import Desk
from principals import OPERATOR
from sqlalchemy import Engine, text

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from ingest.erasure.erase import erase
from ingest.processing.replay import Selection, replay
from ingest.quarantine.quarantine import Pick, release

ADMIN = Principal("user", 1, "Admin", "admin", None)
NOW = datetime.now(UTC)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def contact_named(desk: Desk, name: str) -> int:
    return int(desk.one("SELECT root_id FROM contact WHERE name = %s", name))


def rows_read(desk: Desk) -> int:
    desk.connection.execute("SELECT pg_stat_clear_snapshot()")
    return int(
        desk.one(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
            " WHERE relname = 'inbound_event'"
        )
    )


def test_calls_of_a_colleague_under_the_same_number_stay(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(name="Иван Первый", phone="+7 900 123-45-67", email="first@example.com")
    desk.drain("form")
    desk.form(name="Пётр Второй", phone="+7 900 123-45-67", email="second@example.com")
    desk.drain("form")
    call = desk.call("newCall", "c1", "+79001234567")
    desk.call("hangup", "c1", "+79001234567", cause="cancel")
    desk.drain("call")
    called = desk.one("SELECT contact_id FROM call")
    other = next(row["id"] for row in desk.rows("SELECT id FROM contact") if row["id"] != called)
    erase(engine, config, ADMIN, other, "letter", NOW)
    assert desk.one("SELECT remote FROM call") == "+79001234567"
    assert bytes(desk.event(call)["body"]) != b""


def test_what_a_person_judged_keeps_no_word_of_what_was_written(desk: Desk, engine: Engine, config: HubConfig) -> None:
    uid = desk.form(
        name="Иван Уникальный", phone="+7 900 123-45-67", _gotcha="x",
        message="We offer SEO services, free audit https://barvinok.example.top",
    )  # fmt: skip
    desk.drain("form")
    assert desk.event(uid)["outcome"] == "spam"
    with engine.begin() as connection:
        assert release(connection, ADMIN, Pick((uid,)), NOW) == 1
    desk.drain("form")
    assert desk.event(uid)["verdict"]["reasons"]
    erase(engine, config, ADMIN, contact_named(desk, "Иван Уникальный"), "letter", NOW)
    verdict = desk.event(uid)["verdict"]
    assert (verdict["spam"], verdict.get("reasons", [])) == ("ham", [])


def test_erasure_does_not_wait_for_a_worker_that_waits_for_it(desk: Desk, engine: Engine, config: HubConfig) -> None:
    uid = desk.form(name="Иван", phone="+7 900 123-45-67")
    desk.drain("form")
    replay(engine, OPERATOR, config, Selection(uids=(uid,)), dry_run=False)
    with engine.begin() as worker:  # it holds its events first and asks for the person's locks then
        worker.execute(text("SELECT 1 FROM inbound_event WHERE uid = :uid FOR NO KEY UPDATE"), {"uid": uid})
        with pytest.raises(Conflict, match="worked on"):
            erase(engine, config, ADMIN, contact_named(desk, "Иван"), "letter", NOW)


def test_events_of_a_person_are_found_by_indexes_however_many_there_are(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(name="Иван", phone="+7 900 123-45-67")
    desk.form(name="Пётр", phone="+7 900 765-43-21")
    desk.drain("form")
    desk.rows(  # of somebody else: what is of nobody is looked through on purpose
        "INSERT INTO inbound_event (source_id, channel, body, state, outcome, contact_id)"
        " SELECT %s, 'form', '', 'done', 'ignored', %s FROM generate_series(1, 20000) RETURNING 1",
        desk.form_source, contact_named(desk, "Пётр"),
    )  # fmt: skip
    desk.connection.execute("ANALYZE inbound_event")
    before = rows_read(desk)
    erase(engine, config, ADMIN, contact_named(desk, "Иван"), "letter", NOW)
    engine.dispose()  # a session tells what it read when it ends
    end = time.monotonic() + 60
    while (read := rows_read(desk) - before) == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert 0 < read < 1000
