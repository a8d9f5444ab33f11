"""What is done again and again, and how often. Times are monotonic: a clock that is set changes nothing here.

Beat sends each job through the broker; a worker that does not hear of one for too long does it by itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from celery.beat import Scheduler

from crm_core.base.log import get_logger
from workers.celery_app import FETCH, MAINTENANCE, QUEUES
from workers.stopwatch import Stopwatch
from workers.wake import send

_log = get_logger(__name__)

SWEEP_SECONDS = 1.0  # a lost hint delays an event by no more than this
CANARY_SECONDS = 10.0

#: Job → seconds between two. Drift and silence (`watch`) are matters of minutes and hours; `backfill` takes one source a turn,
#: how often each is asked is LEADHUB_BACKFILL_MINUTES; `tidy` takes the folder whose minute it is;
#: `search` makes findable what changed, and whoever searches meanwhile does it himself;
#: `suggest` looks whether it is night, and compares all contacts once in it;
#: `give` finds an owner for leads that had nobody; `deadlines` looks who waits too long for an answer; `mail` tells employees what they have not read;
#: so long as `seal` takes, a row of the audit is outside of its chain.
PERIODS: Final[Mapping[str, float]] = {
    "sweep": SWEEP_SECONDS, "watch": 60.0, "backfill": 20.0, "files": 10.0, "tidy": 60.0, "seal": 10.0, "search": 2.0,
    "give": 3.0, "mail": 5.0, "suggest": 60.0, "deadlines": 2.0,
}  # fmt: skip
#: Beside the journal's work, where they keep nobody waiting.
_BESIDE: Final = ("backfill", "files", "search", "give", "mail", "suggest", "deadlines")
_QUEUES: Final = {name: QUEUES[FETCH if name in _BESIDE else MAINTENANCE] for name in PERIODS}


class Timetable:
    """What is due when. What a stopped process missed is not made up for: once is enough."""

    def __init__(self, periods: Mapping[str, float]) -> None:
        self._periods = dict(periods)
        self._due = dict.fromkeys(periods, float("-inf"))

    def take(self, now: float) -> list[str]:
        """The names that are due at this monotonic time; each is next due a period later."""
        due = [name for name, at in self._due.items() if at <= now]
        for name in due:
            self._due[name] = now + self._periods[name]
        return due

    def pause(self, now: float) -> float:
        """Seconds until something is due."""
        return max(0.0, min(self._due.values()) - now)


class WakeupScheduler(Scheduler):
    """Beat's schedule, by the monotonic clock and without a file. Two beats at once do no harm."""

    def setup_schedule(self) -> None:
        canaries = {f"canary {queue}": CANARY_SECONDS for queue in QUEUES.values()}
        self._timetable = Timetable({**PERIODS, **canaries})

    def tick(self, *_: Any, **__: Any) -> float:
        for name in self._timetable.take(time.monotonic()):
            task, _space, queue = name.partition(" ")
            arguments = Stopwatch.start().arguments() if queue else ()
            if not send(self.app, task, queue or _QUEUES[task], [queue, *arguments] if queue else []):
                break  # the broker is away: nothing else would get through, and all of it comes again
        return self._timetable.pause(time.monotonic())
