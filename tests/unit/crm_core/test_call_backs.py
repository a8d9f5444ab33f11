"""Call-backs of one caller: the same whatever the order in which his calls were told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.calls.call_backs import HandClosing, HeardCall, cases_of, heard

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def call(kind: Any, minutes: float) -> HeardCall:
    return HeardCall(f"{kind} {minutes}", f"{kind} {minutes}", kind, at(minutes), at(minutes) if kind == "talked" else None)


def shown(calls: list[HeardCall], closings: list[HandClosing] | None = None) -> list[tuple[Any, ...]]:
    return [
        (case.first.call, case.missed, case.tried, case.is_open, case.seconds_to_call_back)
        for case in cases_of(calls, closings or [])
    ]


@pytest.mark.parametrize(
    "calls, cases",
    [
        ([], []),
        ([call("talked", 0)], []),
        ([call("tried", 0)], []),
        ([call("missed", 0)], [("missed 0", 1, 0, True, None)]),
        ([call("missed", 0), call("missed", 3)], [("missed 0", 2, 0, True, None)]),
        ([call("missed", 0), call("talked", 5)], [("missed 0", 1, 0, False, 300)]),
        ([call("talked", -5), call("missed", 0)], [("missed 0", 1, 0, True, None)]),
        ([call("tried", -1), call("missed", 0), call("tried", 2), call("tried", 4)], [("missed 0", 1, 2, True, None)]),
        (
            [call("missed", 0), call("talked", 5), call("missed", 9), call("missed", 10)],
            [("missed 0", 1, 0, False, 300), ("missed 9", 2, 0, True, None)],
        ),
        ([call("missed", 0), call("talked", 0)], [("missed 0", 1, 0, False, 0)]),
    ],
)
def test_cases_are_those_of_true_order_in_every_order(calls: list[HeardCall], cases: list[tuple[Any, ...]]) -> None:
    for told in permutations(calls):
        assert shown(list(told)) == cases


@given(
    st.lists(st.tuples(st.sampled_from(["missed", "tried", "talked"]), st.integers(0, 30)), max_size=12, unique=True),
    st.randoms(use_true_random=False),
)
def test_each_missed_call_is_in_one_case_and_only_the_last_is_open(calls: list[tuple[str, int]], dice: Any) -> None:
    told = [call(kind, minutes) for kind, minutes in calls]
    shuffled = list(told)
    dice.shuffle(shuffled)
    assert shown(shuffled) == shown(told)
    cases = cases_of(told)
    assert sum(case.missed for case in cases) == sum(kind == "missed" for kind, _ in calls)
    assert all(not case.is_open for case in cases[:-1])
    last = max((one for one in told if one.kind != "tried"), key=lambda one: (one.at, one.kind == "talked"), default=None)
    assert bool(cases and cases[-1].is_open) == (last is not None and last.kind == "missed")


def test_case_closed_by_hand_stays_closed_and_the_next_miss_opens_another() -> None:
    closing = HandClosing("task", at(5))
    assert shown([call("missed", 0), call("missed", 9)], [closing]) == [
        ("missed 0", 1, 0, False, None),
        ("missed 9", 1, 0, True, None),
    ]
    # A talk before it, told late: it is one case all the same, and not one more.
    cases = cases_of([call("missed", 0), call("talked", 3)], [closing])
    assert [(case.closed_by_hand, case.seconds_to_call_back) for case in cases] == [(closing, 180)]
    assert cases_of([], [closing]) == []


@pytest.mark.parametrize(
    "outcome, direction, kind",
    [
        ("answered", "in", "talked"), ("out_answered", "out", "talked"), ("missed", "in", "missed"), ("after_hours", "in", "missed"),
        ("voicemail", "in", "missed"), ("lost", "in", "missed"), ("out_no_answer", "out", "tried"), ("busy", "out", "tried"),
        ("busy", "in", "missed"), ("internal", "internal", None), ("blocked", "in", None), (None, "in", None),
    ],
)  # fmt: skip
def test_what_a_call_means_for_call_backs(outcome: str | None, direction: str, kind: str | None) -> None:
    found = heard("c", "c", outcome, direction, NOON, None, None)
    assert (found.kind if found else None) == kind
