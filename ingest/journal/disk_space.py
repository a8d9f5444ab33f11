"""Room on the disk of the hub's home: below a floor nothing new is promised, below half of it nothing is worked on.

PostgreSQL ends when its log finds no room, so the hub stops before it does. Every process looks for itself, at most once
a second; a look is one `statvfs` (about a microsecond).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from crm_core.base.log import get_logger

_FRESH_SECONDS = 1.0
_COPIES = 2  # a body is written twice: into PostgreSQL's log and into its table

_MEBIBYTE = 1024 * 1024

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DiskState:
    """`free_bytes` is what an ordinary user may still write; None if it cannot be asked, and then nothing is refused."""

    home: Path
    floor_bytes: int  # 0: no floor
    free_bytes: int | None
    read_only: bool

    @property
    def takes_events(self) -> bool:
        return self._has(self.floor_bytes)

    @property
    def takes_work(self) -> bool:
        """What was promised already may still be worked on for a while; the rest is PostgreSQL's, to end and to recover."""
        return self._has(self.floor_bytes // 2)

    @property
    def words(self) -> str:
        if self.free_bytes is None:
            return f"The free space of {self.home} cannot be asked."
        if self.read_only:
            return f"The disk of {self.home} is read-only."
        return f"Only {self.free_bytes // _MEBIBYTE} MB are free on the disk of {self.home}."

    def _has(self, bytes_wanted: int) -> bool:
        if self.free_bytes is None or self.floor_bytes == 0:
            return True
        return not self.read_only and self.free_bytes >= bytes_wanted


def look(home: Path, floor_bytes: int) -> DiskState:
    """One question to the kernel."""
    try:
        found = os.statvfs(home)
    except OSError:  # the directory belongs to another machine, or is not there yet
        return DiskState(home, floor_bytes, None, read_only=False)
    return DiskState(home, floor_bytes, found.f_bavail * found.f_frsize, bool(found.f_flag & os.ST_RDONLY))


class DiskGuard:
    """The last look of this process, made anew after a second. Two threads may look at once; that does no harm."""

    def __init__(self, home: Path, floor_bytes: int, clock: Callable[[], float] = monotonic) -> None:
        self._home, self._floor_bytes, self._clock = home, floor_bytes, clock
        self._at = float("-inf")
        self._state = DiskState(home, floor_bytes, None, read_only=False)
        self._promised_bytes = 0  # since the last look
        self._was_low = False

    def state(self) -> DiskState:
        now = self._clock()
        if now - self._at >= _FRESH_SECONDS:
            self._look(now)
        return self._state

    def takes(self, body_bytes: int) -> bool:
        """True if the disk takes an arrival of that size and is above the floor afterwards."""
        state = self.state()
        if state.free_bytes is None or self._floor_bytes == 0:
            return True
        if not self._has_room(state, body_bytes):
            state = self._look(self._clock())
            if not self._has_room(state, body_bytes):
                return False
        self._promised_bytes += body_bytes * _COPIES
        return True

    def _has_room(self, state: DiskState, body_bytes: int) -> bool:
        free = (state.free_bytes or 0) - self._promised_bytes - body_bytes * _COPIES
        return not state.read_only and free >= self._floor_bytes

    def _look(self, now: float) -> DiskState:
        state = look(self._home, self._floor_bytes)
        self._state, self._at, self._promised_bytes = state, now, 0
        is_low = not state.takes_events
        if is_low != self._was_low:
            self._was_low = is_low
            facts = {"free_bytes": state.free_bytes, "floor_bytes": self._floor_bytes, "read_only": state.read_only}
            _log.warning("disk_low_nothing_is_taken_in" if is_low else "disk_has_room_again", **facts)
        return state
