"""Tells the workers that there is work in a channel: after the commit, without data, never in a request's way.

A hint may be lost at any time: a sweep repeats it, and a worker that hears nothing looks into the journal itself. So nothing
here waits, retries or raises.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from celery import Celery

from crm_core.base.config import HubConfig
from crm_core.base.log import get_logger
from workers.celery_app import FETCH, QUEUES, make_app

_log = get_logger(__name__)

#: So many messages wait in a queue at most, and one more for each sender that looked at the same moment. While one waits, no
#: process was free to take it, and whoever takes it finds everything committed until then. Six, because a queue carries five
#: kinds of messages at most.
MOST_WAITING = 6

#: One hint a channel within this time is enough: a worker drains all that is there.
_PAUSE_SECONDS = 0.02
#: Where this many events came within a pause, a worker is draining anyway, and hints only cost; then this is enough.
_FLOOD = 10
_FLOOD_PAUSE_SECONDS = 0.1
#: After a failure the broker is left alone for this long.
_BREAKER_SECONDS = 5.0
#: A broker that stays away is told of this often, and not with every hint.
_TELL_SECONDS = 60.0


class _Failures:
    """What this process says about hints that were not taken: the first, and one a minute."""

    def __init__(self) -> None:
        self._told_at = float("-inf")

    def tell(self, task: str, queue: str, error: Exception) -> None:
        if time.monotonic() - self._told_at > _TELL_SECONDS:
            self._told_at = time.monotonic()
            _log.warning("hint_failed", task=task, queue=queue, error=type(error).__name__)

    def end(self) -> None:
        self._told_at = float("-inf")


_failures = _Failures()


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
                if not send_wakeup(app, channel):
                    self.failed += 1
                    time.sleep(_BREAKER_SECONDS)
                    break
                self.sent += 1
            time.sleep(_PAUSE_SECONDS if events < _FLOOD else _FLOOD_PAUSE_SECONDS)


def send_wakeup(app: Celery, channel: str) -> bool:
    """Publishes one hint unless enough wait already; False if the broker did not take it."""
    return send(app, "drain", QUEUES[channel], [channel])


def send_fetch_wakeup(app: Celery) -> bool:
    """Publishes that something waits for what must be fetched; False if the broker did not take it."""
    return send(app, "fetch", QUEUES[FETCH], [])


def send(app: Celery, task: str, queue: str, args: Sequence[Any]) -> bool:
    """Publishes a message unless enough wait in its queue already; False if the broker did not take it. Waits for the broker
    as long as its sockets may (some seconds), and never raises."""
    try:
        with app.producer_pool.acquire(block=True, timeout=app.conf.broker_pool_acquire_timeout) as producer:
            if waiting(app, producer.channel, queue) < MOST_WAITING:
                app.send_task(task, args=args, queue=queue, retry=False, ignore_result=True, producer=producer)
    except Exception as error:  # noqa: BLE001 - a thread that sends must outlive whatever a broker and its client may throw
        _failures.tell(task, queue, error)
        return False
    _failures.end()
    return True


def waiting(app: Celery, channel: Any, queue: str) -> int:
    """How many messages wait in a queue, by a channel of kombu's. One question to the broker; raises as the client does."""
    return int(app.amqp.queues[queue](channel).queue_declare().message_count)
