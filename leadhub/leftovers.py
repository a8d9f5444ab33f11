"""Children of a hub that was killed: remembered on disk with their start time, ended before the next start.

The kernel ends them too when their parent dies; this waits until it is true, so that ports and files are free.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

from leadhub import private_file
from leadhub.supervisor import Supervisor

_PATIENCE_SECONDS = 8.0
_FILE = "children.json"
_STAT_START_TIME = 19  # field 22 of proc(5), counted behind the name, which may hold anything


def write(home: Path, supervisor: Supervisor) -> None:
    """A disk that does not take it costs nothing now: the kernel ends the children all the same."""
    pids = [child.process.pid for child in supervisor.children.values() if child.process is not None]
    with contextlib.suppress(OSError):
        private_file.write(home / _FILE, json.dumps([[pid, start_time(pid)] for pid in pids]))


def end(home: Path) -> None:
    """Waits for the children of an earlier hub, then kills them with all that they started."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while left := _alive(home):
        if time.monotonic() > deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    forget(home)


def forget(home: Path) -> None:
    with contextlib.suppress(OSError):
        (home / _FILE).unlink(missing_ok=True)


def start_time(pid: int) -> int:
    """Clock ticks since boot; with the number it names a process for good. 0 if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    after_name = stat.rpartition(")")[2].split()
    return 0 if after_name[0] == "Z" else int(after_name[_STAT_START_TIME])


def _alive(home: Path) -> list[int]:
    try:
        remembered = json.loads((home / _FILE).read_text())
    except (OSError, ValueError):
        return []
    return [pid for pid, started in remembered if started and start_time(pid) == started]
