"""A worker that is alive but deaf leaves, so that whoever keeps it running starts another.

Deaf: the broker answers, messages wait in the queues, and this worker takes none although its processes have nothing to do.
No reason to leave: a broker that is away, empty queues (the schedule may be dead), long work. Processing goes on
meanwhile (`looking`); but a worker that hears nothing is slow, and a reconnection that hangs does not mend itself.
A worker leaves, too, when processes of its pool ended and nobody made new ones.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import Any

from celery import Celery
from celery.signals import task_received, worker_init
from celery.worker import state

from crm_core.base.log import get_logger
from workers.celery_app import QUEUES
from workers.wake import waiting

_log = get_logger(__name__)

#: sysexits' EX_TEMPFAIL: nothing is wrong with the installation, start it again.
LEFT_STATUS = 75
CHECK_SECONDS = 4.0
#: So many checks in a row, so that neither a process that was stopped for a minute nor a reconnection is taken for deafness.
DEAF_CHECKS = 5
#: Work explains silence, but only as long as work may take (`task_time_limit`, 90 s), and some more.
WORK_SECONDS = 105.0
#: Who does not end when asked to is ended.
_LEAVE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one check saw."""

    waiting: int | None  # messages in the queues; None: the broker does not answer
    received: int  # messages that this worker ever took
    working: int  # messages it holds
    missing: int = 0  # processes of its pool that ended and were not replaced


class Ear:
    """Judges the checks one after the other."""

    def __init__(self) -> None:
        self._received = -1
        self._heard_at = 0.0
        self._unheard = self._short = 0

    def verdict(self, look: Look, now: float) -> str | None:
        """Why the worker should leave, in one word; None: it should not. `now` is monotonic."""
        if look.received != self._received:
            self._received, self._heard_at = look.received, now
            self._unheard = 0
        elif not look.waiting or (look.working and now - self._heard_at < WORK_SECONDS):
            self._unheard = 0
        else:
            self._unheard += 1
        self._short = self._short + 1 if look.missing else 0
        if self._unheard >= DEAF_CHECKS:
            return "deaf"
        return "processes_missing" if self._short >= DEAF_CHECKS else None


class Guard:
    """A thread in a worker's main process. `left` is the reason why it made the worker end, if it did."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._received = 0
        self._worker: Any = None
        self.left: str | None = None

    def start(self) -> None:
        worker_init.connect(self._note_worker, weak=False)
        task_received.connect(self._note_received, weak=False)
        threading.Thread(target=self._run, name="guard", daemon=True).start()

    def _note_worker(self, sender: Any = None, **_: object) -> None:
        self._worker = sender

    def _note_received(self, **_: object) -> None:
        self._received += 1

    def _run(self) -> None:
        ear = Ear()
        while self.left is None:
            time.sleep(CHECK_SECONDS)
            look = Look(self._waiting(), self._received, len(state.reserved_requests), self._missing())
            self.left = ear.verdict(look, time.monotonic())
        _log.error("worker_leaves", reason=self.left, waiting=look.waiting, missing=look.missing)
        state.should_stop = LEFT_STATUS
        time.sleep(_LEAVE_SECONDS)
        os._exit(LEFT_STATUS)

    def _waiting(self) -> int | None:
        try:
            # A connection for each look: one that hangs like the worker's own would tell nothing.
            with self._app.connection_for_read() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, interval_max=0)
                return sum(waiting(self._app, connection.default_channel, queue) for queue in QUEUES.values())
        except Exception:  # noqa: BLE001 - whatever it is, the broker does not answer
            return None

    def _missing(self) -> int:
        """How many of the pool's processes have ended and are still counted."""
        pool = getattr(getattr(self._worker, "pool", None), "_pool", None)
        return sum(not _is_alive(process.pid) for process in list(getattr(pool, "_pool", ())))


def _is_alive(pid: int) -> bool:
    """Without reaping it: that is the pool's business."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False
