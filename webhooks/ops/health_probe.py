"""A value that is made in the background and served from memory, so that a hung server cannot hang who looks at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """The last value of `make`, at most `fresh_seconds` old if `make` answers within `wait_seconds`, else an older one.

    `make` runs in one thread at a time and must handle its own errors.
    """

    def __init__(self, make: Callable[[], Value], fresh_seconds: float, wait_seconds: float) -> None:
        self._make = make
        self._fresh_seconds = fresh_seconds
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._running: threading.Event | None = None
        self._value: Value | None = None
        self._at = float("-inf")

    def get(self) -> tuple[Value | None, float]:
        """The value and its age in seconds; None (and infinity) if there has never been one."""
        with self._lock:
            if monotonic() - self._at < self._fresh_seconds:
                return self._value, monotonic() - self._at
            if self._running is None:
                self._running = threading.Event()
                threading.Thread(target=self._refresh, args=(self._running,), name="probe", daemon=True).start()
            running = self._running
        running.wait(self._wait_seconds)
        with self._lock:
            return self._value, monotonic() - self._at

    def _refresh(self, running: threading.Event) -> None:
        try:
            value = self._make()
            with self._lock:
                self._value, self._at = value, monotonic()
        finally:
            with self._lock:
                self._running = None
            running.set()
