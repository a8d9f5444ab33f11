"""Processing does not need the broker: a worker that hears no sweep for two seconds looks into the journal itself.

Each of a worker's processes has one thread for this. While sweeps come through the broker it only wakes, compares two
numbers and sleeps again. Several may look at once: claims skip what others hold, sweeps are idempotent.
"""

from __future__ import annotations

import faulthandler
import threading
import time
from collections.abc import Mapping
from multiprocessing.sharedctypes import RawArray
from typing import Final

from crm_core.base.log import error_facts, get_logger
from workers.jobs import Jobs
from workers.schedule import PERIODS

_log = get_logger(__name__)

LOOK_SECONDS = 1.0
#: A job that was not heard of for so many of its periods, the worker does by itself.
_PERIODS_UNHEARD = 2.0
#: A worker's processes do not look all at the same moment.
_APART_SECONDS = 0.3
#: A channel's turn, short because whoever stops a worker waits for it.
_TURN_SECONDS = 1.0
#: As long as a task may take (`task_time_limit`): an event that never ends must not hold a process for ever.
HANGING_SECONDS = 90.0

_LOOK: Final = "look"


class Heard:
    """When a worker's processes last did each job, by the monotonic clock. Make it before they are forked: they share it."""

    def __init__(self) -> None:
        self._names = {name: index for index, name in enumerate((*PERIODS, _LOOK))}
        self._at = RawArray("d", len(self._names))
        for name in self._names:
            self.note(name)

    def note(self, name: str) -> None:
        self._at[self._names[name]] = time.monotonic()

    def age(self, name: str) -> float:
        return time.monotonic() - float(self._at[self._names[name]])

    def take(self, name: str, seconds: float) -> bool:
        """True for who finds it older; then it is new. Two may find so in the same moment."""
        if self.age(name) <= seconds:
            return False
        self.note(name)
        return True


class JournalWatch:
    """One a process, made and started after the fork."""

    def __init__(self, jobs: Jobs, heard: Heard, periods: Mapping[str, float] = PERIODS) -> None:
        self._jobs, self._heard, self._periods = jobs, heard, periods
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="looker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self, patience_seconds: float) -> None:
        """Begins nothing more, and waits that long at most for what is being done."""
        self._ended.set()
        self._thread.join(patience_seconds)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                while self.look() and not self._ended.is_set():
                    pass
            except Exception as error:  # noqa: BLE001 - a defect in one look must not be the last of them
                _log.error("look_failed", **error_facts(error))
                self._jobs.close()

    def look(self) -> bool:
        """Does what was not heard of for too long. True when there is more to do at once."""
        missing = [name for name, seconds in self._periods.items() if self._heard.age(name) > _PERIODS_UNHEARD * seconds]
        if not missing:
            self._jobs.close()
            return False
        _be_ended_if_it_hangs()
        try:
            more = [self._do(name) for name in missing]
            return any(more)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _do(self, name: str) -> bool:
        if name == "sweep":
            return self._heard.take(_LOOK, _APART_SECONDS) and bool(self._jobs.work_off(_TURN_SECONDS, _be_ended_if_it_hangs))
        if self._heard.take(name, _PERIODS_UNHEARD * self._periods[name]):
            getattr(self._jobs, name)()
        return False


def _be_ended_if_it_hangs() -> None:
    """From now on; a later call counts anew. Works also where one event's reading lets no other thread run. The pool then
    makes another process, and what it held is due again when its lease ends."""
    faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True)
