"""All that is kept about a caller is the same in whatever order, batches and doubles his calls are told, by two workers too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.base.config import HubConfig

OURS = "74951112233"
NOW = datetime.now(UTC)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine, ("Anna",))
    yield built
    built.close()


def history(dice: random.Random, caller: str, prefix: str) -> list[dict[str, str]]:
    """A few hours of one caller: missed for several reasons, reached, called back in vain and with success; true order."""
    told: list[dict[str, str]] = []
    minutes = 400
    for n in range(dice.randint(2, 7)):
        minutes -= dice.randint(10, 50)
        at = (NOW - timedelta(minutes=minutes)).isoformat()
        kind = dice.choice(("missed", "missed", "voicemail", "talked", "tried", "called back"))
        ends = {"caller": caller, "to": OURS, "direction": "in"}
        if kind in ("tried", "called back"):
            ends = {"caller": OURS, "to": caller, "direction": "out"}
        call = {"call_id": f"{prefix}{n}", **ends}
        told.append({"event": "newCall", "started_at": at, **call})
        if kind in ("talked", "called back"):
            answered = (NOW - timedelta(minutes=minutes - 0.5)).isoformat()
            told.append({"event": "answer", "answeringNumber": "101", "started_at": at, "answered_at": answered, **call})
            talk = {"answeringNumber": "101", "answered_at": answered}  # the last word of a talk says that it was one
            told.append({"event": "hangup", "cause": "normalClearing", "started_at": at, **talk, **call})
        else:
            if kind == "voicemail":
                told.append({"event": "answer", "user": "voicemail", **call})
            told.append({"event": "hangup", "cause": dice.choice(("cancel", "busy", "noAnswer")), "started_at": at, **call})
    return told


def tell(desk: Desk, events: list[dict[str, str]], dice: random.Random) -> None:
    for event in events:
        for _ in range(dice.choice((1, 1, 1, 2))):
            desk.call(**event)  # type: ignore[arg-type]
        if dice.random() < 0.4:
            desk.drain("call")
    desk.drain("call")


def end_state(desk: Desk) -> dict[str, Any]:
    return {
        "tasks": desk.rows(
            "SELECT a.phone, a.state, a.missed, a.tried, a.result->>'code' AS code, a.result->>'seconds_to_call_back' AS seconds,"
            " a.lead_id IS NOT NULL AS has_lead, c.call_key, a.due_at, a.owner_id FROM activity a JOIN call c ON c.id = a.call_id"
            " ORDER BY a.phone, a.created_at"
        ),
        "leads": desk.rows(
            "SELECT i.value, l.title, l.state, l.touches, l.owner_id FROM lead l JOIN call c ON c.lead_id = l.id"
            " CROSS JOIN LATERAL (SELECT min(c2.remote) AS value FROM call c2 WHERE c2.lead_id = l.id) i GROUP BY 1, 2, 3, 4, 5"
            " ORDER BY 1, 2"
        ),
        "calls": desk.rows(
            "SELECT call_key, outcome, direction, lead_id IS NOT NULL AS has_lead, contact_id IS NOT NULL AS has_contact,"
            " (SELECT count(*) FROM touch t WHERE t.call_id = call.id) AS touches,"
            " (SELECT count(*) FROM touch t WHERE t.call_id = call.id AND t.lead_id = call.lead_id) AS on_lead,"
            " (SELECT min(t.title) FROM touch t WHERE t.call_id = call.id) AS title FROM call ORDER BY call_key"
        ),
        "contacts": desk.rows("SELECT count(*) AS n FROM contact"),
    }


def differences(got: dict[str, Any], wanted: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The rows that differ, short enough to be read."""
    return [
        (name, [row for row in got[name] if row not in wanted[name]], [row for row in wanted[name] if row not in got[name]])
        for name in wanted
        if got[name] != wanted[name]
    ]


def forget(desk: Desk) -> None:
    desk.connection.execute(
        "TRUNCATE inbound_event, call, touch, activity, lead, assignment, contact, contact_identifier, identifier, suggestion"
        " CASCADE"
    )


@pytest.mark.parametrize("seed", range(12))
def test_caller_ends_as_in_true_order_in_any_order(desk: Desk, seed: int) -> None:
    dice = random.Random(seed)
    first, second = history(dice, "+79213334455", "a"), history(dice, "+79213334466", "b")
    tell(desk, first + second, random.Random(0))
    wanted = end_state(desk)
    for _ in range(4):
        forget(desk)
        told = first + second
        dice.shuffle(told)
        tell(desk, told, dice)
        found = differences(end_state(desk), wanted)
        assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("seed", range(3))
def test_callers_end_as_in_true_order_when_two_workers_take_them(desk: Desk, seed: int) -> None:
    dice = random.Random(seed)
    told = [event for n in range(20) for event in history(dice, f"+7921333{n:04d}", f"{n}-")]
    tell(desk, told, random.Random(0))
    wanted = end_state(desk)
    forget(desk)
    dice.shuffle(told)
    for event in told:
        desk.call(**event)  # type: ignore[arg-type]
    desk.drain_at_once("call", 2)
    found = differences(end_state(desk), wanted)
    assert not found, "\n".join(map(str, found))
