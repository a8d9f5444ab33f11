"""Cases of identity that had no test of their own: in bulk beside single ones, twice at once, and a worker that dies after its commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from case_hub import at_once
from desk import Desk
from sqlalchemy import Engine

from bench.racing import inquiries, race
from crm_core.base.config import HubConfig
from ingest.processing.process import Processor

PERSON = {"name": "Ирина Волкова", "phone": "+79213334455", "email": "irina@gmail.com", "message": "A window"}


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def test_bulk_beside_single_inquiries_of_the_same_people_doubles_nobody(desk: Desk) -> None:
    """Case 63: one worker takes two hundred at once, as after a backfill, three others take theirs one by one."""

    def start(config: HubConfig) -> float:
        def work(number: int) -> None:
            with closing(Processor(replace(config, batch_size=200 if number == 0 else 1))) as processor:
                processor.drain("form", budget_seconds=300)

        at_once(4, work)
        return 1.0

    raced = race(desk.config, desk.form_source, inquiries(5, people=300, count=900), start)
    assert (raced.contacts, raced.open_leads, raced.touches) == (raced.expected, raced.expected, 900)
    assert (raced.misplaced, raced.deadlocks) == (0, 0)


@pytest.mark.parametrize("round_", range(5))
def test_form_posted_twice_at_once_is_one_inquiry_and_one_lead(desk: Desk, round_: int) -> None:
    """Case 64: two equal posts without a key, by two workers; a second person posts in between."""
    fields = PERSON | {"phone": f"+7921333440{round_}"}
    for posted in (fields, {"name": "Пётр Лебедев", "email": "petr@gmail.com", "message": "A door"}, fields):
        desk.form(**posted)

    def work(_: int) -> None:
        with closing(Processor(replace(desk.config, batch_size=1))) as processor:
            processor.drain("form", budget_seconds=60)

    at_once(3, work)
    leads = desk.rows("SELECT l.touches, c.name FROM lead l JOIN contact c ON c.id = l.contact_id ORDER BY c.name")
    assert leads == [{"touches": 1, "name": "Ирина Волкова"}, {"touches": 1, "name": "Пётр Лебедев"}]
    assert desk.rows("SELECT counted, count(*) AS n FROM touch GROUP BY counted ORDER BY counted") == [
        {"counted": False, "n": 1}, {"counted": True, "n": 2},
    ]  # fmt: skip
    assert desk.one("SELECT count(*) FROM assignment") == desk.one("SELECT count(*) FROM notification") == 2


def test_redelivery_after_the_commit_gives_the_same_ids_and_one_notification(desk: Desk) -> None:
    """Case 67: the sender heard nothing and sends again, and whoever was woken looks once more."""
    first = desk.form(key="order-1", **PERSON)
    desk.drain()
    before = desk.rows("SELECT id, contact_id, touches, owner_id, version FROM lead")
    event = desk.event(first)
    for _ in range(3):
        assert desk.form(key="order-1", **PERSON) == first
        desk.drain()
    assert desk.rows("SELECT id, contact_id, touches, owner_id, version FROM lead") == before
    again = desk.event(first)
    assert (again["lead_id"], again["contact_id"], again["outcome"]) == (event["lead_id"], event["contact_id"], "created")
    assert desk.one("SELECT count(*) FROM notification") == desk.one("SELECT count(*) FROM touch") == 1
