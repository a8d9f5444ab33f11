"""What the hub that runs on a home tells the commands beside it: its addresses, and that it is there at all.

The lock is the truth (the kernel releases it however the hub ends); the file only carries addresses.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from crm_core.base.errors import Misconfigured
from leadhub import private_file

_LOOK_SECONDS = 0.05
_LOCK_TRIES = 10  # a command that only looks (`read`) holds the lock for an instant


@dataclass(frozen=True, slots=True)
class RunningHub:
    pid: int
    host: str
    port: int
    database_url: str
    broker_url: str
    prepared: bool = False  # the schema is current: roles may begin


def lock(home: Path) -> IO[str]:
    """Takes the home for this process until the returned file is closed. Misconfigured if somebody has it."""
    path = home / "leadhub.lock"
    file = path.open("a+")
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.02)
    else:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise Misconfigured(
            "already_running",
            f"A hub is already running on {home} (process {holder or 'unknown'}). Stop that one, or give this one "
            "another LEADHUB_HOME.",
        )
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def write(home: Path, hub: RunningHub) -> None:
    """Replaces the file at once; it holds passwords, so only its owner reads it."""
    private_file.write(home / "running.json", json.dumps(asdict(hub)))


def read(home: Path) -> RunningHub | None:
    """None when no hub runs there, whatever an earlier one left behind."""
    try:
        hub = RunningHub(**json.loads((home / "running.json").read_text()))
        with (home / "leadhub.lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return hub
    except FileNotFoundError:
        return None
    return None


def read_prepared(home: Path, patience_seconds: float = 90.0) -> RunningHub | None:
    """The running hub once its database is prepared: roles are started before, to import while they wait.

    None when no hub runs (any more); after `patience_seconds` the hub as it is.
    """
    deadline = time.monotonic() + patience_seconds
    while (hub := read(home)) is not None and not hub.prepared and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return hub


def forget(home: Path) -> None:
    """A file that cannot be deleted does no harm: without the lock it says nothing."""
    with contextlib.suppress(OSError):
        (home / "running.json").unlink(missing_ok=True)
