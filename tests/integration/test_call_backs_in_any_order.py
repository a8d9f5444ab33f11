"""A caller's end state is that of what happened: events of many calls in any order, in any batches, by two workers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.activities.commands import finish_activity
from crm_core.base.config import HubConfig

MOBILE = "+79213334455"
OURS = "74951112233"
NOW = datetime.now(UTC)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


def missed(name: str, minutes: float) -> list[dict[str, str]]:
    return [
        {"event": "newCall", "call_id": name, "caller": MOBILE, "started_at": ago(minutes)},
        {"event": "hangup", "call_id": name, "caller": MOBILE, "cause": "cancel"},
    ]


def talked(name: str, minutes: float, extension: str = "102", **more: str) -> list[dict[str, str]]:
    ends = {"caller": MOBILE} | more
    return [
        {"event": "newCall", "call_id": name, "started_at": ago(minutes), **ends},
        {"event": "answer", "call_id": name, "answeringNumber": extension, "answered_at": ago(minutes - 0.5), **ends},
        {"event": "hangup", "call_id": name, "answeringNumber": extension, "cause": "normalClearing", **ends},
    ]


def called_back(name: str, minutes: float) -> list[dict[str, str]]:
    return talked(name, minutes, caller=OURS, to=MOBILE, direction="out")


def tried(name: str, minutes: float) -> list[dict[str, str]]:
    ends = {"caller": OURS, "to": MOBILE, "direction": "out"}
    return [
        {"event": "newCall", "call_id": name, "started_at": ago(minutes), **ends},
        {"event": "hangup", "call_id": name, "cause": "noAnswer", **ends},
    ]


def tell(desk: Desk, events: list[dict[str, str]], dice: random.Random) -> None:
    """Some at a time, some of them twice."""
    for event in events:
        desk.call(**event)  # type: ignore[arg-type]
        if dice.random() < 0.2:
            desk.call(**event)  # type: ignore[arg-type]
        if dice.random() < 0.4:
            desk.drain("call")
    desk.drain("call")


def end_state(desk: Desk) -> dict[str, Any]:
    return {
        "tasks": desk.rows(
            "SELECT state, missed, tried, result->>'code' AS code, result->>'seconds_to_call_back' AS seconds FROM activity"
            " ORDER BY created_at"
        ),
        "leads": desk.rows("SELECT state, touches FROM lead"),
        "owners": desk.rows("SELECT count(DISTINCT owner_id) AS n FROM lead"),
    }


def forget(desk: Desk) -> None:
    desk.connection.execute(
        "TRUNCATE inbound_event, call, touch, activity, lead, assignment, contact, contact_identifier, identifier, suggestion"
        " CASCADE"
    )


def test_eight_misses_and_one_call_back_are_one_lead_and_one_task_in_any_order(desk: Desk) -> None:
    events = [event for n in range(8) for event in missed(f"m{n}", 80 - 10 * n)] + called_back("back", 5)
    for seed in range(16):
        dice = random.Random(seed)
        told = list(events)
        if seed:
            dice.shuffle(told)
        tell(desk, told, dice)
        assert end_state(desk) == {
            "tasks": [{"state": "done", "missed": 8, "tried": 0, "code": "got_through", "seconds": str(round(75.5 * 60))}],
            "leads": [{"state": "open", "touches": 9}],
            "owners": [{"n": 1}],
        }, seed
        forget(desk)


def test_attempts_talks_and_new_misses_are_told_apart_by_time_in_any_order(desk: Desk) -> None:
    events = [*tried("t0", 95), *missed("m1", 90), *tried("t1", 80), *tried("t2", 70), *talked("in", 60), *missed("m2", 30)]
    for seed in range(10):
        dice = random.Random(seed)
        told = list(events)
        dice.shuffle(told)
        tell(desk, told, dice)
        assert end_state(desk)["tasks"] == [
            {"state": "done", "missed": 1, "tried": 2, "code": "got_through", "seconds": str(round(30.5 * 60))},
            {"state": "open", "missed": 1, "tried": 0, "code": None, "seconds": None},
        ], seed
        forget(desk)


@pytest.mark.parametrize("order", ["true", "talk first"])
def test_missed_call_told_late_opens_nothing_when_he_was_reached_since(desk: Desk, order: str) -> None:
    told = missed("m", 20) + talked("in", 10) if order == "true" else talked("in", 10) + missed("m", 20)
    for event in told:
        desk.call(**event)  # type: ignore[arg-type]
        desk.drain("call")
    assert desk.rows("SELECT state, missed FROM activity") == [{"state": "done", "missed": 1}]
    assert desk.rows("SELECT touches FROM lead") == [{"touches": 2}]


def test_task_that_a_person_closed_is_never_opened_again_by_a_late_miss(desk: Desk, engine: Engine) -> None:
    tell(desk, missed("m1", 20), random.Random(1))
    with engine.begin() as connection:
        finish_activity(
            connection, Principal("user", 1, "A", "admin"), desk.one("SELECT id FROM activity"), "said no", datetime.now(UTC)
        )
    tell(desk, missed("m0", 25), random.Random(1))
    assert desk.rows("SELECT state, missed FROM activity") == [{"state": "done", "missed": 2}]
    (later,) = [desk.call("hangup", "m9", MOBILE, cause="cancel")]
    desk.drain("call")
    assert desk.event(later)["state"] == "done"
    assert desk.rows("SELECT state, missed FROM activity ORDER BY id") == [
        {"state": "done", "missed": 2}, {"state": "open", "missed": 1},
    ]  # fmt: skip


def test_second_caller_beside_the_first_has_a_task_of_his_own(desk: Desk) -> None:
    other = [event | {"caller": "+79213334466", "call_id": event["call_id"] + "x"} for event in missed("m", 20)]
    events = missed("m", 20) + other + talked("in", 10)
    for seed in range(6):
        dice = random.Random(seed)
        dice.shuffle(events)
        tell(desk, events, dice)
        assert desk.rows("SELECT phone, state FROM activity ORDER BY phone") == [
            {"phone": MOBILE, "state": "done"}, {"phone": "+79213334466", "state": "open"},
        ], seed  # fmt: skip
        forget(desk)


@pytest.mark.parametrize("first", ["hangup", "answer"])
def test_client_belongs_to_who_talked_when_the_end_of_the_call_is_told_first(desk: Desk, first: str) -> None:
    """The pool's turn is Anna's or Boris's in turn; Vera, 103, talked to all of them."""
    for n in range(6):
        caller = f"+7921333{n:04d}"
        told = [event | {"caller": caller, "call_id": f"c{n}"} for event in talked("c", 10, "103")]
        told.sort(key=lambda event: event["event"] != first)
        for event in told:
            desk.call(**event)  # type: ignore[arg-type]
            desk.drain("call")
    vera = desk.owners["Vera"]
    assert desk.rows("SELECT DISTINCT owner_id FROM contact") == [{"owner_id": vera}]
    assert {row["owner_id"] for row in desk.rows("SELECT owner_id FROM lead")} <= {vera}
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 0


def test_lead_that_a_person_gave_to_somebody_stays_there_when_the_talk_is_told_late(desk: Desk) -> None:
    desk.call(**missed("c", 10)[1])  # type: ignore[arg-type]
    desk.drain("call")
    boris = desk.owners["Boris"]
    lead = desk.one("SELECT id FROM lead")
    desk.rows("UPDATE lead SET owner_id = %s RETURNING id", boris)
    desk.rows(
        "INSERT INTO assignment (lead_id, owner_id, kind, actor, trace) VALUES (%s, %s, 'manual', 'user:1', '{}') RETURNING id",
        lead, boris,
    )  # fmt: skip
    for event in talked("c", 10, "103"):
        desk.call(**event)  # type: ignore[arg-type]
    desk.drain("call")
    assert desk.one("SELECT owner_id FROM lead") == boris


def test_no_task_stays_open_when_two_workers_overtake_each_other(desk: Desk) -> None:
    """Sixty callers, missed and then reached, told in true order; the workers take them in whatever order they can."""
    for n in range(60):
        caller = f"+792133{n:05d}"
        for event in missed(f"m{n}", 20) + talked(f"t{n}", 10):
            desk.call(**event | {"caller": caller})  # type: ignore[arg-type]
    desk.drain_at_once("call", 4)
    assert desk.rows("SELECT state, count(*) AS n FROM activity GROUP BY state") == [{"state": "done", "n": 60}]
    assert desk.one("SELECT count(*) FROM lead") == 60
    assert desk.rows("SELECT DISTINCT touches FROM lead") == [{"touches": 2}]
