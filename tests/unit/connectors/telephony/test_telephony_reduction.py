"""What the exchanges' events come to when the hub reduces them, in every order in which they may arrive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.kit import ConnectorConfig, Request, registry
from crm_core.calls.rules import derive, merge
from crm_core.parsed import CallEvent

NOW = datetime(2026, 1, 15, 7, 21, tzinfo=UTC)
ZADARMA = {
    "caller_id": "79001234567",
    "called_did": "74951112233",
    "call_start": "2026-01-15 10:20:30",
    "pbx_call_id": "in_1",
}
START, END = {"event": "NOTIFY_START"}, {"event": "NOTIFY_END", "duration": "0", "disposition": "no answer"}
RING_101, RING_102 = ({"event": "NOTIFY_INTERNAL", "internal": extension} for extension in ("101", "102"))
ANSWER = {"event": "NOTIFY_ANSWER", "destination": "102"}
ANSWERED_END = {"event": "NOTIFY_END", "internal": "102", "duration": "40", "disposition": "answered"}
MENU_END = {"event": "NOTIFY_END", "duration": "9", "disposition": "answered"}
CTI = {"callId": "c-1", "from": "79001234567", "to": "74951112233", "direction": "in"}
NEW, PICKED, HUNG = (
    {"event": "newCall"},
    {"event": "answer", "answeringNumber": "101"},
    {"event": "hangup", "cause": "normalClearing"},
)


def outcomes(connector_name: str, call: Mapping[str, str], events: list[dict[str, str]], **settings: Any) -> set[str | None]:
    """The outcomes of all orders of the events; one, if the order does not matter."""
    connector = registry.get(connector_name)
    config = connector.config_model.model_validate({"region": "RU", "timezone": "Europe/Moscow", **settings})
    found: set[str | None] = set()
    for order in permutations(events):
        facts = None
        for event in order:
            facts = merge(facts, one(connector_name, {**call, **event}, config), NOW)
        assert facts is not None
        found.add(derive(facts, NOW + timedelta(minutes=1)).outcome)
    return found


def one(connector_name: str, data: Mapping[str, str], config: ConnectorConfig) -> CallEvent:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    (event,) = registry.get(connector_name).parse(Request("POST", "", "", headers, urlencode(data).encode(), NOW), config)
    assert isinstance(event, CallEvent)
    return event


@pytest.mark.parametrize(
    "events, outcome",
    [
        ([START, RING_101, RING_102, END], "missed"),
        ([END], "missed"),
        ([START, RING_101, RING_102, ANSWER, ANSWERED_END], "answered"),
        ([ANSWER, END], "answered"),
        ([{**END, "disposition": "busy"}], "busy"),
    ],
)
def test_zadarma_call_comes_to_one_outcome_when_events_are_in_any_order(events: list[dict[str, str]], outcome: str) -> None:
    assert outcomes("zadarma", ZADARMA, events, secret="s") == {outcome}


def test_zadarma_menu_is_no_answer_when_the_switch_says_so() -> None:
    switched = {"secret": "s", "unanswered_without_extension": True}
    assert outcomes("zadarma", ZADARMA, [START, MENU_END], **switched) == {"abandoned_in_ivr"}
    assert outcomes("zadarma", ZADARMA, [START, ANSWER, MENU_END], **switched) == {"answered"}
    assert outcomes("zadarma", ZADARMA, [START, MENU_END], secret="s") == {"answered"}


@pytest.mark.parametrize(
    "events, outcome",
    [
        ([NEW, HUNG], "missed"),
        ([HUNG], "missed"),
        ([NEW, PICKED, HUNG], "answered"),
        ([NEW, {**HUNG, "answered_at": "2026-01-15T10:20:40+03:00"}], "answered"),
        ([NEW, {**PICKED, "user[]": "voicemail"}, HUNG], "voicemail"),
        ([{**NEW, "direction": "out"}, {**HUNG, "direction": "out", "cause": "busy"}], "busy"),
        ([{**NEW, "direction": "out"}, {**HUNG, "direction": "out"}], "out_no_answer"),
    ],
)
def test_cti_call_comes_to_one_outcome_when_events_are_in_any_order(events: list[dict[str, str]], outcome: str) -> None:
    assert outcomes("generic_call", CTI, events) == {outcome}
