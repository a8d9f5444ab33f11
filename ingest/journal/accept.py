"""The one door: an arrival goes in here, and its receipt comes out after the commit or not at all.

Request threads hand their rows to one writer thread a process and wait for the commit of their batch. Nothing is
delayed to make batches; while one is being committed the next one gathers. Refuses only what cannot be committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from crm_core.base.config import HubConfig
from crm_core.base.log import error_facts, get_logger
from ingest.journal.accept_writer import Counts, JournalWriter, PendingInsert, away, full, refuse
from ingest.journal.disk_space import DiskGuard
from ingest.journal.insert import insert_events
from ingest.journal.raw_event import RawEvent, Receipt, masked_headers

__all__ = ["Counts", "GroupAcceptor", "RawEvent", "Receipt", "insert_events", "masked_headers"]

_WAIT_SECONDS = 2.6  # a request waits this long at most: with all delays of a busy machine, under the promised four
_QUEUE_BOUND = 256  # requests waiting in one process; beyond, "come back" is the honest answer
_BATCH_BOUND = 256  # rows in one statement
_BATCH_BYTES = 64 * 1024 * 1024  # of bodies in one statement; a message of PostgreSQL's protocol ends at 1 GB
_QUEUE_BYTES = 256 * 1024 * 1024  # of bodies waiting in one process; beyond, as with too many requests
_HEAVY_BYTES = 1024 * 1024  # lighter bodies are not counted: 256 of them are a quarter of a gigabyte
_PROBE_SECONDS = 0.3  # pause between attempts to reach a database that is away

_log = get_logger(__name__)


class GroupAcceptor:
    """One a process; its thread starts with the first arrival. `on_accepted(channel)` is called after the commit."""

    def __init__(self, config: HubConfig, on_accepted: Callable[[str], None]) -> None:
        self._on_accepted = on_accepted
        self._writer = JournalWriter(config)
        self._disk = DiskGuard(config.home, config.disk_floor_bytes)
        self._queue: SimpleQueue[PendingInsert | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._down = False
        self._heavy_bytes = 0  # of bodies that weigh, waiting
        self.counts = self._writer.counts

    def accept(self, raw_event: RawEvent, wait_seconds: float = _WAIT_SECONDS) -> Receipt:
        """The receipt, after the commit. Transient in that time if there is none."""
        if self._down or self._queue.qsize() >= _QUEUE_BOUND:
            self.counts.refused += 1
            raise away()
        size = len(raw_event.body)
        if not self._disk.takes(size):
            self.counts.refused += 1
            raise full()
        if size > _HEAVY_BYTES:
            return self._accept_heavy(raw_event, wait_seconds, size)
        return self._accept(raw_event, wait_seconds)

    def _accept_heavy(self, raw_event: RawEvent, wait_seconds: float, size: int) -> Receipt:
        """Uploads: not so many of them at once that memory would run out."""
        with self._lock:
            if self._heavy_bytes + size > _QUEUE_BYTES:
                self.counts.refused += 1
                raise away()
            self._heavy_bytes += size
        try:
            return self._accept(raw_event, wait_seconds)
        finally:
            with self._lock:
                self._heavy_bytes -= size

    def _accept(self, raw_event: RawEvent, wait_seconds: float) -> Receipt:
        pending = PendingInsert(raw_event)
        self._queue.put(pending)
        if self._thread is None:
            self._start()
        if not pending.done.acquire(timeout=wait_seconds):
            pending.abandoned = True
            self.counts.refused += 1
            raise away()
        if pending.receipt is None:
            self.counts.refused += 1
            raise pending.error or away()
        return pending.receipt

    def close(self) -> None:
        """Ends the writer after what is queued. For tests and orderly ends; a killed process needs none of it."""
        thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(timeout=_WAIT_SECONDS)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="acceptor", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch, is_last = self._gather()
            try:
                if batch:
                    self._down = not self._writer.write(batch)
            except Exception as error:  # noqa: BLE001 - the only writer of its process goes on, whatever happens
                _log.error("journal_batch_failed", **error_facts(error))
                self._writer.close()
                refuse(batch)
            self._wake(batch)
            if is_last:
                self._writer.close()
                return
            while self._down:
                self._await_database()

    def _gather(self) -> tuple[list[PendingInsert], bool]:
        """What is there, at least one slip; True if the end was asked for."""
        batch: list[PendingInsert] = []
        size = 0
        pending = self._queue.get()
        while pending is not None:
            if not pending.abandoned:
                batch.append(pending)
                size += len(pending.raw_event.body)
            if len(batch) >= _BATCH_BOUND or size >= _BATCH_BYTES or self._queue.empty():
                return batch, False
            pending = self._queue.get()
        return batch, True

    def _wake(self, batch: Sequence[PendingInsert]) -> None:
        for channel in {pending.raw_event.channel for pending in batch if pending.receipt and not pending.receipt.redelivery}:
            try:
                self._on_accepted(channel)
            except Exception as error:  # noqa: BLE001 - a wake-up is a courtesy: the sweeper finds what it missed
                self.counts.failed_wakes += 1
                _log.error("wake_failed", **error_facts(error))

    def _await_database(self) -> None:
        """Requests are told at once to come back while this thread tries, so that none of them queues up behind it."""
        if self._writer.probe():
            self._down = False
            return
        while not self._queue.empty():
            pending = self._queue.get()
            if pending is None:
                self._queue.put(None)  # the end was asked for: gather it as usual
                self._down = False
                return
            pending.resolve(None, away())
        time.sleep(_PROBE_SECONDS)
