"""When a worker should leave, and when silence has another reason."""

from __future__ import annotations

from itertools import pairwise

import pytest

from workers.deafness import CHECK_SECONDS, DEAF_CHECKS, WORK_SECONDS, Ear, Look


def verdicts(*looks: Look, every: float = CHECK_SECONDS) -> list[str | None]:
    ear = Ear()
    return [ear.verdict(look, n * every) for n, look in enumerate(looks)]


def test_worker_that_takes_nothing_of_what_waits_is_deaf_within_half_a_minute() -> None:
    heard = [Look(waiting=0, received=7, working=0)]
    said = verdicts(*heard, *[Look(waiting=3, received=7, working=0)] * DEAF_CHECKS)
    assert said == [None] * DEAF_CHECKS + ["deaf"]
    # And the longest that one look itself takes: connecting and a socket's patience.
    assert CHECK_SECONDS * (DEAF_CHECKS + 1) + 6 <= 30


def test_worker_that_never_heard_anything_is_deaf_too() -> None:
    assert verdicts(*[Look(waiting=1, received=0, working=0)] * (DEAF_CHECKS + 1))[-1] == "deaf"


@pytest.mark.parametrize(
    "look",
    [
        Look(waiting=None, received=7, working=0),  # the broker is away
        Look(waiting=0, received=7, working=0),  # nobody tells anything: the schedule may be dead, the hub idle
        Look(waiting=9, received=7, working=2),  # long work
    ],
)
def test_silence_with_a_reason_is_no_deafness(look: Look) -> None:
    assert set(verdicts(*[look] * (DEAF_CHECKS * 4))) == {None}


def test_work_that_outlives_every_limit_explains_nothing() -> None:
    said = verdicts(*[Look(waiting=9, received=7, working=2)] * 60)
    assert said[int(WORK_SECONDS / CHECK_SECONDS)] is None
    assert said[int(WORK_SECONDS / CHECK_SECONDS) + DEAF_CHECKS] == "deaf"


def test_process_that_was_stopped_for_minutes_is_not_deaf_when_it_wakes() -> None:
    ear = Ear()
    look = Look(waiting=4, received=7, working=0)
    assert [ear.verdict(look, at) for at in (0.0, 600.0, 604.0)] == [None] * 3


def test_busy_worker_behind_others_is_not_deaf() -> None:
    """Something waits at each look, and one message came in between."""
    looks = [Look(waiting=9, received=n // (DEAF_CHECKS - 1), working=0) for n in range(40)]
    assert any(a.received != b.received for a, b in pairwise(looks))
    assert set(verdicts(*looks)) == {None}


def test_worker_leaves_when_processes_ended_and_nobody_made_new_ones() -> None:
    short = Look(waiting=None, received=0, working=0, missing=1)
    assert verdicts(*[short] * DEAF_CHECKS)[-1] == "processes_missing"
    replaced = [short, short, Look(waiting=None, received=0, working=0)] * 5
    assert set(verdicts(*replaced)) == {None}
