"""A worker's own look: what it does when it hears nothing, and that it does nothing while it hears."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from workers import journal_watch
from workers.journal_watch import Heard, JournalWatch
from workers.schedule import PERIODS

#: Each job was heard of just now, and then the monotonic time goes on by so much.
_HANGING = """
import sys, time
from workers import journal_watch as looking

class Hanging:
    def work_off(self, seconds, alive):
        alive()
        while True:
            pass

looking.HANGING_SECONDS = 0.3
looking._PERIODS_UNHEARD = -1.0
heard = looking.Heard()
time.sleep(looking._APART_SECONDS + 0.1)
looking.JournalWatch(Hanging(), heard, {"sweep": 1.0}).look()
"""


class Done(list[str]):
    """Jobs that only say what was asked of them."""

    def work_off(self, _seconds: float, _alive: Callable[[], None]) -> bool:
        self.append("sweep")
        return len(self) < 3

    def __getattr__(self, name: str) -> Callable[[], None]:
        return lambda: self.append(name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [1_000.0]
    monkeypatch.setattr(journal_watch.time, "monotonic", lambda: now[0])

    def go_on(seconds: float) -> None:
        now[0] += seconds

    return go_on


def look(done: Done, heard: Heard) -> list[str]:
    done.clear()
    looker: Any = JournalWatch(done, heard)  # type: ignore[arg-type]
    looker.look()
    return [name for name in done if name != "close"]


def test_nothing_is_done_while_sweeps_are_heard(clock: Callable[[float], None]) -> None:
    heard, done = Heard(), Done()
    clock(1.9)
    assert look(done, heard) == []
    clock(0.5)
    heard.note("sweep")
    assert look(done, heard) == []


def test_each_job_is_done_when_it_was_not_heard_of_for_two_of_its_periods(clock: Callable[[float], None]) -> None:
    heard, done = Heard(), Done()
    clock(2.1)
    assert look(done, heard) == ["sweep"]
    clock(200.0)
    assert sorted(look(done, heard)) == sorted(PERIODS)
    clock(1.0)
    assert look(done, heard) == ["sweep"], "the others were just done"


def test_processes_of_a_worker_share_what_was_heard_and_do_not_look_at_one_moment(clock: Callable[[float], None]) -> None:
    heard, first, second = Heard(), Done(), Done()
    clock(200.0)
    assert look(first, heard)
    assert look(second, heard) == []
    clock(0.4)
    assert look(second, heard) == ["sweep"], "but each looks, so that a backlog is worked off by all"


def test_process_whose_look_hangs_is_ended() -> None:
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", _HANGING], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "Timeout" in ran.stderr
    assert time.monotonic() - began < 60
