"""Work that waits for foreign servers, on threads beside a worker's own work: one a lane, made when there is something.

A worker process takes a message and hands it over here, so it never waits itself. What a thread leaves behind when its
process ends is in the journal under a lease, like everything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from crm_core.base.log import error_facts, get_logger

_log = get_logger(__name__)

Job = Callable[[], None]


class BackgroundLanes:
    """One a process, made after the fork. Each lane does its jobs in their order, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[str, Job]] = {}  # lane → jobs by name
        self._threads: dict[str, threading.Thread] = {}
        self._ended = False

    def do(self, lane: str, name: str, job: Job) -> None:
        """Returns at once. A job that waits already under this name is replaced: once more is enough."""
        with self._lock:
            if self._ended:
                return
            self._waiting.setdefault(lane, {})[name] = job
            if lane not in self._threads:
                thread = threading.Thread(target=self._work, args=(lane,), name=f"aside-{lane}", daemon=True)
                self._threads[lane] = thread
                thread.start()

    def end(self, patience_seconds: float) -> None:
        """Begins nothing more, and waits that long at most for what is being done."""
        with self._lock:
            self._ended = True
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(patience_seconds / len(threads))

    def _work(self, lane: str) -> None:
        while True:
            with self._lock:
                waiting = self._waiting[lane]
                if self._ended or not waiting:
                    del self._threads[lane]
                    return
                job = waiting.pop(next(iter(waiting)))
            try:
                job()
            except Exception as error:  # noqa: BLE001 - a defect in one job must not end the lane of all others
                _log.error("lane_failed", lane=lane, **error_facts(error))
