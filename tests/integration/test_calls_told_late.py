"""Calls after an outage, with the caller named once, and told late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from desk import Desk
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from ingest.journal.silent_calls import close_silent_calls

MOBILE = "+79213334455"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def grown_old(desk: Desk) -> None:
    """The workers were away since yesterday."""
    desk.rows(
        "UPDATE inbound_event SET received_at = received_at - interval '10 hours',"
        " next_attempt_at = next_attempt_at - interval '10 hours' RETURNING id"
    )


def settle(desk: Desk) -> int:
    with connect(desk.config.database_url, "worker") as connection, connection.cursor(row_factory=dict_row) as cursor:
        return close_silent_calls(cursor)


def test_answered_call_makes_no_lead_when_its_events_waited_for_hours(desk: Desk) -> None:
    desk.call("newCall", "c", MOBILE)
    desk.call("answer", "c", MOBILE, answeringNumber="101")
    desk.call("hangup", "c", MOBILE)
    grown_old(desk)
    desk.drain()
    assert desk.one("SELECT outcome FROM call") == "answered"
    assert desk.one("SELECT count(*) FROM lead") == 0
    assert desk.one("SELECT count(*) FROM activity") == 0


def test_old_ringing_call_is_settled_only_when_nothing_older_waits(desk: Desk) -> None:
    ring = desk.call("newCall", "c", MOBILE)
    grown_old(desk)
    desk.drain()
    assert desk.one("SELECT phase FROM call") == "ringing"
    desk.call("answer", "c", MOBILE, answeringNumber="101")
    desk.rows(
        "UPDATE inbound_event SET received_at = received_at - interval '9 hours 59 minutes' WHERE uid <> %s RETURNING id", ring
    )
    assert settle(desk) == 0
    desk.drain()
    assert desk.one("SELECT phase FROM call") == "talking"
    assert desk.one("SELECT count(*) FROM lead") == 0


def test_ringing_call_is_lost_when_its_event_is_old_and_nothing_else_came(desk: Desk) -> None:
    desk.call("newCall", "c", MOBILE)
    grown_old(desk)
    desk.drain()
    assert settle(desk) == 1
    desk.drain()
    assert desk.one("SELECT outcome FROM call") == "lost"
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 1
    assert settle(desk) == 0


@pytest.mark.parametrize("together", [True, False])
def test_missed_call_makes_lead_and_call_back_when_only_its_first_event_names_the_caller(desk: Desk, together: bool) -> None:
    desk.call("newCall", "c", MOBILE)
    if not together:
        desk.drain()
    end = desk.call("hangup", "c", "", cause="cancel")
    desk.drain()
    assert desk.event(end)["outcome"] == "created"
    assert desk.one("SELECT phone FROM activity WHERE state = 'open'") == desk.one("SELECT value FROM identifier")
    assert desk.one("SELECT remote FROM call") == MOBILE


def test_silent_call_makes_its_lead_when_its_last_event_names_nobody(desk: Desk) -> None:
    desk.call("newCall", "c", MOBILE)
    desk.call("newCall", "c", "", answeringNumber="102")
    grown_old(desk)
    desk.drain()
    assert settle(desk) == 1
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 1


@pytest.mark.parametrize("together", [True, False])
def test_missed_call_opens_its_call_back_when_the_caller_is_named_last(desk: Desk, together: bool) -> None:
    desk.call("hangup", "c", "", cause="cancel")
    if not together:
        desk.drain()
    desk.call("newCall", "c", MOBILE)
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert desk.rows("SELECT state, missed FROM activity") == [{"state": "open", "missed": 1}]


def test_call_back_stays_open_when_a_talk_before_the_last_missed_call_is_told_late(desk: Desk) -> None:
    now = datetime.now(UTC)

    def told(event: str, call_id: str, minutes: float, **more: str) -> str:
        at = (now - timedelta(minutes=minutes)).isoformat()
        return desk.call(event, call_id, MOBILE, **more, **({"started_at": at} if event == "newCall" else {}))

    told("newCall", "first", 30)
    first_end = told("hangup", "first", 29)
    told("newCall", "second", 10)
    told("hangup", "second", 9)
    desk.rows("UPDATE inbound_event SET received_at = %s WHERE uid = %s RETURNING id", now - timedelta(minutes=29), first_end)
    desk.drain()
    assert desk.one("SELECT missed FROM activity WHERE state = 'open'") == 2
    late = told("answer", "first", 29.5, answeringNumber="101")
    desk.rows("UPDATE inbound_event SET received_at = %s WHERE uid = %s RETURNING id", now - timedelta(minutes=29), late)
    desk.drain()
    assert desk.one("SELECT count(*) FROM call WHERE outcome = 'answered'") == 1
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 1
    told("newCall", "third", 0)
    told("answer", "third", 0, answeringNumber="101")
    told("hangup", "third", 0)
    desk.drain()
    assert desk.one("SELECT result->>'code' FROM activity") == "got_through"


def test_call_back_is_not_held_when_its_contact_is_in_somebody_elses_hands(desk: Desk) -> None:
    desk.call("newCall", "a", MOBILE)
    desk.call("hangup", "a", MOBILE)
    desk.drain()
    desk.call("newCall", "b", MOBILE)
    desk.call("hangup", "b", MOBILE)
    with connect(desk.config.database_url, "worker") as person, person.transaction():
        person.execute("SELECT id FROM contact FOR NO KEY UPDATE")
        worker = threading.Thread(target=desk.drain, args=("call",))
        worker.start()
        while not desk.one(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            pass
        person.execute("SELECT id FROM activity FOR UPDATE NOWAIT")
    worker.join()
    assert desk.one("SELECT missed FROM activity WHERE state = 'open'") == 2
