"""One waker a process for pages and API, made when something was first sent through again."""

from __future__ import annotations

import os
import threading

from crm_core.base.config import HubConfig
from ingest.monitoring.health import CHANNELS
from workers.wake import Waker


class _Held:
    """What this process has made."""

    def __init__(self) -> None:
        self.wakers: dict[str, Waker] = {}
        self.lock = threading.Lock()


_held = _Held()


def wake_all(config: HubConfig) -> None:
    """Tells the workers of every channel to look, after the commit. Never waits and never raises; a sweep looks anyway."""
    with _held.lock:
        waker = _held.wakers.setdefault(config.broker_url, Waker(config))
    for channel in CHANNELS:
        waker.wake(channel)


def _forget_after_fork() -> None:
    """The waker's thread does not come along into a child."""
    _held.lock = threading.Lock()
    _held.wakers.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
