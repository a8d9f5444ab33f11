"""Erasing a person: nothing that names him is left, everything stays counted, and a sender's repetition stays out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from desk import Desk
from principals import OPERATOR
from sqlalchemy import Engine, text

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, NotFound
from crm_core.erasure.commands import digest_of_identifier
from ingest.erasure.erase import erase
from ingest.journal.ledger import ledger
from ingest.processing.replay import Selection, replay

ADMIN = Principal("user", 1, "Admin", "admin", None)
NOW = datetime.now(UTC)
PERSON = {
    "name": "Иван Уникальный", "phone": "+7 900 123-45-67", "email": "unique.ivan@example.com",
    "message": "Слово-пароль Барвинок", "utm_source": "ya", "_ga": "GA1.2.777.888", "agree": "on",
}  # fmt: skip
#: Whatever of the person could be found again, in the spellings that tables keep.
TRACES = ("Уникальн", "9001234567", "unique.ivan", "Барвинок", "777.888")


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def _everything(engine: Engine) -> str:
    """Every row of every table as text, raw bodies readable."""
    with engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        rows = [str(row) for name in tables for row in connection.execute(text(f'SELECT t::text FROM "{name}" t'))]
        bodies = connection.scalars(text("SELECT encode(body, 'escape') FROM inbound_event")).all()
    return "\n".join(rows + list(bodies))


def test_nothing_that_names_the_person_is_left_in_any_table(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(**PERSON)
    desk.form(**PERSON | {"message": "Ещё раз Барвинок"})
    desk.call("newCall", "c1", "+79001234567")
    desk.call("hangup", "c1", "+79001234567", cause="cancel")
    desk.form(name="Пётр", phone="+7 900 765-43-21", message="Другой человек")
    desk.drain()
    contact = desk.one("SELECT root_id FROM contact WHERE name = 'Иван Уникальный' ORDER BY id LIMIT 1")
    before = _everything(engine)
    assert all(trace in before for trace in ("Уникальн", "9001234567", "unique.ivan"))
    erased = erase(engine, config, ADMIN, contact, "letter of today", NOW)
    assert erased.leads == 1
    left = _everything(engine)
    assert [trace for trace in TRACES if trace in left] == []
    assert "Другой человек" in left
    assert "9007654321" in left


def test_counts_and_outcomes_stay_so_that_the_ledger_balances(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(**PERSON)
    desk.drain()
    with engine.connect() as connection:
        before = ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1))
    erase(engine, config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", NOW)
    with engine.connect() as connection:
        assert ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1)) == before
    (lead,) = desk.rows("SELECT * FROM lead")
    assert (lead["state"], lead["closed_code"], lead["attribution"]) == ("closed", "erased", {"utm_source": "ya"})


def test_a_sender_that_repeats_the_erased_submission_brings_nobody_back(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(**PERSON)
    desk.drain()
    erase(engine, config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", NOW)
    again = desk.form(**PERSON)
    desk.drain()
    event = desk.event(again)
    assert (event["outcome"], event["reason"]["code"]) == ("ignored", "erased_submission_sent_again")
    assert bytes(event["body"]) == b""
    assert desk.one("SELECT count(*) FROM contact") == 1
    assert [trace for trace in TRACES if trace in _everything(engine)] == []


def test_a_redelivery_under_the_same_key_is_counted_and_stays_empty(desk: Desk, engine: Engine, config: HubConfig) -> None:
    first = desk.form(key="k1", **PERSON)
    desk.drain()
    erase(engine, config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", NOW)
    assert desk.form(key="k1", **PERSON) == first
    desk.drain()
    event = desk.event(first)
    assert (event["redeliveries"], bytes(event["body"]), event["outcome"]) == (1, b"", "created")


def test_a_new_inquiry_of_the_same_person_is_welcome(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(**PERSON)
    desk.drain()
    old = desk.one("SELECT root_id FROM contact")
    erase(engine, config, ADMIN, old, "letter", NOW)
    desk.form(**PERSON | {"message": "Я передумал, позвоните"})
    desk.drain()
    (lead,) = desk.rows("SELECT * FROM lead WHERE state = 'open'")
    assert lead["contact_id"] != old


def test_the_deed_is_provable_and_replays_leave_it_alone(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(**PERSON)
    desk.drain()
    contact = desk.one("SELECT root_id FROM contact")
    erase(engine, config, ADMIN, contact, "letter", NOW)
    wanted = digest_of_identifier(config.secret_key, "phone", "+79001234567")
    assert desk.one("SELECT contact_id FROM tombstone WHERE kind = 'phone' AND digest = %s", wanted) == contact
    assert desk.one("SELECT count(*) FROM audit_entry WHERE action = 'contact.erase'") == 1
    report = replay(engine, OPERATOR, config, Selection(state="done"), dry_run=False)
    assert (report.selected, report.replayed) == (0, 0)


def test_a_person_whose_event_is_on_its_way_is_not_erased_half(desk: Desk, engine: Engine, config: HubConfig) -> None:
    uid = desk.form(**PERSON)
    desk.drain()
    replay(engine, OPERATOR, config, Selection(uids=(uid,)), dry_run=False)
    with pytest.raises(Conflict, match="worked on"):
        erase(engine, config, ADMIN, desk.one("SELECT root_id FROM contact"), "letter", NOW)
    assert desk.one("SELECT name FROM contact") == "Иван Уникальный"


def test_merged_contacts_are_erased_as_one_person(desk: Desk, engine: Engine, config: HubConfig) -> None:
    desk.form(phone=PERSON["phone"], name="Иван Уникальный")
    desk.form(email=PERSON["email"], name="Иван Уникальный")
    desk.drain()
    desk.form(**PERSON)
    desk.drain()
    assert desk.one("SELECT count(*) FROM merge_event") == 1
    erase(engine, config, ADMIN, 2, "letter", NOW)
    assert [trace for trace in TRACES if trace in _everything(engine)] == []


def test_nobody_is_erased_who_does_not_exist(desk: Desk, engine: Engine, config: HubConfig) -> None:
    with pytest.raises(NotFound):
        erase(engine, config, ADMIN, 99, "letter", NOW)
