"""The schedule and the canary's stopwatch go on whatever is done to the clock."""

from __future__ import annotations

import time

import pytest

from workers.schedule import Timetable
from workers.stopwatch import Stopwatch, boot_id


def test_each_name_is_due_at_once_and_then_once_a_period() -> None:
    table = Timetable({"fast": 1.0, "slow": 3.0})
    due = {now: table.take(now) for now in (100.0, 100.5, 101.0, 102.0, 103.0)}
    assert due == {100.0: ["fast", "slow"], 100.5: [], 101.0: ["fast"], 102.0: ["fast"], 103.0: ["fast", "slow"]}
    assert table.pause(103.25) == 0.75


def test_what_a_stopped_process_missed_is_done_once() -> None:
    table = Timetable({"sweep": 1.0})
    table.take(0.0)
    assert [table.take(600.0), table.take(600.1)] == [["sweep"], []]
    assert table.pause(700.0) == 0.0


def test_schedule_does_not_look_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour back, and a day ahead: the wall clock is not even asked."""
    monkeypatch.setattr(time, "time", lambda: pytest.fail("the schedule asked the wall clock"))
    table = Timetable({"sweep": 1.0})
    assert [bool(table.take(now)) for now in (5.0, 5.5, 6.0)] == [True, False, True]


@pytest.mark.parametrize("hours", [-1, 24])
def test_canary_tells_the_truth_when_the_clock_is_set_on_its_way(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    started = Stopwatch.start()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    assert 0.0 <= started.seconds() < 60.0


def test_canary_of_another_machine_is_measured_by_the_wall_clock() -> None:
    assert boot_id()
    other = Stopwatch(time.time() - 5.0, "another machine", 123_456.0)
    assert 5.0 <= other.seconds() < 65.0
    assert Stopwatch(time.time() + 60.0).seconds() == 0.0
