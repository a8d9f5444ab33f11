"""A pool gets its turn back for a lead that was none: once, and not where the rules say otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.routing.commands import activate_version, save_version
from ingest.processing.lead_spam import mark_spam, unmark_spam

ZONE = ZoneInfo("Europe/Moscow")


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def turns(desk: Desk) -> int:
    return int(desk.one("SELECT sum(assigned)::int FROM pool_member"))


def spam(desk: Desk, lead_id: int) -> None:
    with desk.engine.begin() as connection:
        mark_spam(connection, HUB, lead_id, "a robot", datetime.now(UTC))


def test_turn_of_a_spam_lead_comes_back_once_and_goes_when_it_is_none_after_all(desk: Desk) -> None:
    desk.form(name="Ирина", email="irina@example.com")
    desk.drain()
    lead, owner = (desk.one(f"SELECT {column} FROM lead") for column in ("id", "owner_id"))
    assert turns(desk) == 1
    for _ in range(2):
        spam(desk, lead)
        assert turns(desk) == 0
    assert desk.one("SELECT refunded_why FROM assignment WHERE refunded_at IS NOT NULL") == "spam"
    with desk.engine.begin() as connection:
        unmark_spam(connection, HUB, lead, "", datetime.now(UTC))
    assert turns(desk) == 1
    assert desk.one("SELECT assigned FROM pool_member WHERE owner_id = %s", owner) == 1
    assert desk.one("SELECT count(*) FROM assignment WHERE refunded_at IS NOT NULL") == 0


def test_turn_of_a_folded_lead_comes_back_once(desk: Desk) -> None:
    desk.form(name="Ирина Соколова", phone="+79213334455")
    desk.form(name="Ирина Соколова", email="irina@example.com")
    desk.drain()
    assert turns(desk) == 2
    desk.form(name="Ирина Соколова", phone="+79213334455", email="irina@example.com")
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead WHERE closed_code = 'merged'") == 1
    assert turns(desk) == 1
    desk.form(name="Ирина Соколова", phone="+79213334455", email="irina@example.com")
    desk.drain()
    assert turns(desk) == 1


def test_no_turn_comes_back_for_a_reason_that_the_rules_leave_out(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        version = save_version(connection, HUB, {"settings": {"refund": ["merged"]}}, ZONE)
        activate_version(connection, HUB, version, ZONE, datetime.now(UTC))
    desk.form(name="Ирина", email="irina@example.com")
    desk.drain()
    spam(desk, desk.one("SELECT id FROM lead"))
    assert turns(desk) == 1
