"""Sixteen clients that race for the same people: the contacts are exactly those that the inquiries name, and none is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from case_hub import at_once
from desk import Desk
from sqlalchemy import Engine

from bench.racing import CLIENTS, Asked, inquiries, pieces, race
from crm_core.base.config import HubConfig
from ingest.processing.process import Processor


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def at_the_same_time(config: HubConfig) -> float:
    began = time.monotonic()

    def work(_: int) -> None:
        with closing(Processor(replace(config, batch_size=3))) as processor:
            processor.drain("form", budget_seconds=300)

    at_once(CLIENTS, work)
    return time.monotonic() - began


def test_pieces_are_what_the_named_addresses_connect() -> None:
    asked = [Asked(1, (0,)), Asked(1, (2,)), Asked(1, (3,)), Asked(1, (0, 2)), Asked(2, (0,))]
    assert pieces(asked) == [0, 0, 1, 0, 2]


def test_sixteen_clients_make_exactly_the_contacts_that_are_named(desk: Desk) -> None:
    """Case 66, for forty people at once."""
    asked = inquiries(7, people=40, count=240)
    raced = race(desk.config, desk.form_source, asked, at_the_same_time)
    assert (raced.contacts, raced.open_leads, raced.touches) == (raced.expected, raced.expected, len(asked))
    assert (raced.misplaced, raced.deadlocks) == (0, 0)


def test_phone_mail_and_both_at_once_are_one_contact(desk: Desk) -> None:
    """Case 66: sixteen times over, all sixteen clients on one person."""
    asked = [Asked(number // 3, ((0,), (2,), (0, 2))[number % 3]) for number in range(48)]
    raced = race(desk.config, desk.form_source, asked, at_the_same_time)
    assert (raced.contacts, raced.expected, raced.open_leads, raced.misplaced, raced.deadlocks) == (16, 16, 16, 0, 0)


def test_call_and_form_of_one_person_at_once_are_one_lead(desk: Desk) -> None:
    """Case 65: each channel by a worker of its own."""
    for number in range(12):
        desk.form(name="Ирина", phone=f"+792133344{number:02d}")
        desk.call("hangup", f"c{number}", f"+792133344{number:02d}", cause="cancel")

    def work(number: int) -> None:
        with closing(Processor(replace(desk.config, batch_size=2))) as processor:
            processor.drain(("form", "call")[number % 2], budget_seconds=120)

    at_once(4, work)
    assert desk.one("SELECT count(*) FROM contact") == 12
    assert {row["touches"] for row in desk.rows("SELECT touches FROM lead")} == {2}
    assert desk.one("SELECT count(*) FROM assignment") == 12
