"""Numbers that went to somebody else, dates that lie, and contacts that got too many numbers, through the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.sources.sources import add_source

MOBILE = "+79213334455"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def known_for(desk: Desk, days: int) -> None:
    desk.connection.execute("UPDATE contact_identifier SET last_seen_at = now() - make_interval(days => %s)", (days,))


def rule(desk: Desk, uid: str) -> str:
    return str(desk.event(uid)["reason"]["match"]["rule"])


def test_number_goes_to_its_new_owner_after_the_silence_that_the_source_says(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        own = add_source(connection, HUB, desk.config, "generic_form", "Prepaid", {"reissued_days": 60}).id
    desk.form(name="Иван", phone=MOBILE)
    desk.drain()
    known_for(desk, 70)
    first = desk.form(name="Мария", phone=MOBILE)
    desk.drain()
    assert rule(desk, first) == "shared_identifier_other_name"  # the hub's year has not passed
    known_for(desk, 70)
    body = orjson.dumps({"name": "Ольга", "phone": MOBILE})
    uid = desk.post(own, "form", body, {"content-type": "application/json"})
    desk.drain()
    assert rule(desk, uid) == "identifier_was_reissued"
    later = desk.form(phone=MOBILE)
    desk.drain()
    assert desk.event(later)["contact_id"] == desk.event(uid)["contact_id"]


def test_names_of_earlier_owners_do_not_make_a_number_shared(desk: Desk) -> None:
    """It was given to five people one after the other, and each time there is one who has it."""
    for name in ("Иван", "Мария", "Пётр", "Ольга", "Сергей"):
        desk.form(name=name, phone=MOBILE)
        desk.drain()
        known_for(desk, 400)
    assert desk.one("SELECT strength FROM identifier") == "strong"
    assert desk.one("SELECT count(*) FROM contact") == 5
    assert desk.one("SELECT count(*) FROM contact_identifier WHERE retired_at IS NULL AND exclusive") == 1


def test_number_leaves_who_had_it_when_a_known_person_comes_with_it_after_the_silence(desk: Desk) -> None:
    desk.form(name="Иван", phone=MOBILE)
    desk.form(name="Мария", email="maria@gmail.com")
    desk.drain()
    known_for(desk, 400)
    uid = desk.form(name="Мария", email="maria@gmail.com", phone=MOBILE)
    desk.drain()
    nameless = desk.form(phone=MOBILE)
    desk.drain()
    assert rule(desk, uid) == "strong_identifier"
    assert desk.event(nameless)["contact_id"] == desk.event(uid)["contact_id"]
    assert desk.one("SELECT count(*) FROM contact") == 2


def test_who_calls_without_a_name_keeps_the_number_with_its_owner(desk: Desk) -> None:
    desk.form(name="Иван", phone=MOBILE)
    desk.drain()
    known_for(desk, 400)
    desk.call("hangup", "c1", MOBILE, cause="cancel")
    desk.drain()
    uid = desk.form(name="Мария", phone=MOBILE)
    desk.drain()
    assert rule(desk, uid) == "shared_identifier_other_name"


@pytest.mark.parametrize("year", ["1970", "2099"])
def test_a_date_that_lies_moves_no_window(desk: Desk, year: str) -> None:
    """Case 72: what a call says of its own time is shown, and when it was received decides."""
    desk.call("hangup", "c1", MOBILE, cause="cancel", time=f"{year}-01-01T00:00:00Z")
    desk.drain()
    seen = desk.one("SELECT last_seen_at FROM contact_identifier")
    assert abs(seen - datetime.now(UTC)) < timedelta(hours=1)
    uid = desk.form(name="Мария", phone=MOBILE)
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert desk.event(uid)["reason"]["code"] == "open_lead"


def test_an_office_address_does_not_collect_the_numbers_of_its_clients(desk: Desk) -> None:
    """Seven clients whom a colleague of theirs enters: the sixth number and the next stay apart, for a person to look at."""
    for number in range(7):
        desk.form(name="Анна Смирнова", email="anna@gmail.com", phone=f"+792133300{number:02d}")
        desk.drain()
    counts = desk.rows(
        "SELECT count(*) AS n FROM contact_identifier ci JOIN identifier i ON i.id = ci.identifier_id"
        " WHERE i.kind = 'phone' GROUP BY ci.contact_id ORDER BY n DESC"
    )
    assert [row["n"] for row in counts] == [5, 1, 1]
    assert len({row["owner_id"] for row in desk.rows("SELECT owner_id FROM lead")}) == 1
    assert desk.one("SELECT count(*) FROM suggestion") == 2
    again = desk.form(name="Анна Смирнова", email="anna@gmail.com")
    desk.drain()
    assert rule(desk, again) == "strong_identifier"
