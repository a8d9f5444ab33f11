"""Tells the workers that there is work in a channel: after the commit, without data, never in a request's way.

A hint may be lost at any time; the sweep repeats it. So nothing here waits, retries or raises.
"""

from __future__ import annotations

import logging
import threading
import time

from celery import Celery
from kombu.exceptions import KombuError

from crm_core.config import HubConfig
from workers.celery_app import HINT_LIFE_SECONDS, OUTBOUND, QUEUES, make_app

_log = logging.getLogger(__name__)

#: One hint a channel within this time is enough: a worker drains all that is there.
_PAUSE_SECONDS = 0.02
#: Where this many events came within a pause, a worker is draining anyway, and hints only cost; then this is enough.
_FLOOD = 10
_FLOOD_PAUSE_SECONDS = 0.1
#: After a failure the broker is left alone for this long.
_BREAKER_SECONDS = 5.0


class Waker:
    """One a process. `wake` only notes the channel; a thread of its own talks to the broker."""

    def __init__(self, config: HubConfig) -> None:
        self._config = config
        self._wanted: set[str] = set()
        self._events = 0
        self._signal = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.sent = 0
        self.failed = 0

    def wake(self, channel: str) -> None:
        """Returns at once, whatever the broker does."""
        self._wanted.add(channel)
        self._events += 1  # a lost increment costs nothing
        if not self._signal.is_set():
            self._signal.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        app = make_app(self._config)
        while True:
            self._signal.wait()
            self._signal.clear()
            channels, self._wanted = self._wanted, set()
            events, self._events = self._events, 0
            for channel in channels:
                if not send_hint(app, channel):
                    self.failed += 1
                    time.sleep(_BREAKER_SECONDS)
                    break
                self.sent += 1
            time.sleep(_PAUSE_SECONDS if events < _FLOOD else _FLOOD_PAUSE_SECONDS)


def send_hint(app: Celery, channel: str) -> bool:
    """Publishes one hint; False if the broker did not take it."""
    return _send(app, "drain", channel, [channel])


def send_fetch_hint(app: Celery) -> bool:
    """Publishes that something waits for what must be fetched; False if the broker did not take it."""
    return _send(app, "fetch", OUTBOUND, [])


def _send(app: Celery, task: str, queue: str, args: list[str]) -> bool:
    try:
        app.send_task(
            task, args=args, queue=QUEUES[queue], expires=HINT_LIFE_SECONDS, retry=False, ignore_result=True
        )
    except (OSError, KombuError, ConnectionError) as error:
        _log.warning("hint_failed", extra={"channel": queue, "error": type(error).__name__})
        return False
    return True
