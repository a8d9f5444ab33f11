"""How long something took from one process to another: by the monotonic clock on one machine, else by the wall clock."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """A start that travels in a message. `boot` names the machine's run that its monotonic time belongs to."""

    wall: float
    boot: str = ""
    monotonic: float = 0.0

    @classmethod
    def start(cls) -> Self:
        return cls(time.time(), boot_id(), time.monotonic())

    def arguments(self) -> tuple[float, str, float]:
        return self.wall, self.boot, self.monotonic

    def seconds(self) -> float:
        """Since the start. Never negative, and exact where the clock was set meanwhile, on the machine where it began."""
        if self.boot and self.boot == boot_id():
            return max(0.0, time.monotonic() - self.monotonic)
        return max(0.0, time.time() - self.wall)


@cache
def boot_id() -> str:
    """Of this machine's kernel since it was started, "" where that is not told. Containers of one machine share it."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
