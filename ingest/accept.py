"""The one door: an arrival goes in here, and its receipt comes out after the commit or not at all.

Request threads hand their rows to one writer thread a process and wait for the commit of their batch. Nothing is
delayed to make batches; while one is being committed the next one gathers. Refuses only what cannot be committed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

import psycopg
from psycopg import errors

from crm_core.config import HubConfig
from crm_core.errors import HubError, Transient, UnknownSource
from ingest.arrival import RawArrival, Receipt, masked_headers, new_uid, safe_key
from ingest.bounded import BoundedConnection, connect_bounded
from ingest.insert import insert_events, insert_named

__all__ = ["Counts", "GroupAcceptor", "RawArrival", "Receipt", "insert_events", "masked_headers"]

_WAIT_SECONDS = 3.0  # a request waits this long at most; providers give up after five
_STATEMENT_SECONDS = 2.7  # and the writer a little less, so that a hung server is known before the requests leave
_HUNG_SECONDS = 1.0  # a failure that took longer than this is a hung server, not a broken line
_QUEUE_BOUND = 256  # requests waiting in one process; beyond, "come back" is the honest answer
_BATCH_BOUND = 256  # rows in one statement
_SINGLES_SECONDS = 1.5  # time for the rows of a failed batch, one by one
_MOST_UNCOUNTED = 1_000  # redeliveries that met a lock and wait to be counted
_PROBE_SECONDS = 0.3  # pause between attempts to reach a database that is away

# A redelivery may meet the worker's lock on its row. It must not hold up its batch: its receipt is known without it.
_OPTIONS = "-c lock_timeout=250 -c statement_timeout=2500"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What this process did since it started. Written by the writer thread, except `refused`."""

    accepted: int = 0
    redelivered: int = 0
    refused: int = 0
    batches: int = 0
    largest_batch: int = 0
    failed_wakes: int = 0


class _Slip:
    """One row on its way: the request thread waits on `done`, the writer releases it."""

    __slots__ = ("abandoned", "arrival", "done", "error", "receipt", "settled", "uid")

    def __init__(self, arrival: RawArrival) -> None:
        self.arrival = arrival
        self.uid = new_uid()
        self.receipt: Receipt | None = None
        self.error: HubError | None = None
        self.abandoned = False  # its request has answered 503: the row must not go in any more
        self.settled = False
        self.done = threading.Lock()
        self.done.acquire()

    def settle(self, receipt: Receipt | None, error: HubError | None = None) -> None:
        self.receipt, self.error, self.settled = receipt, error, True
        self.done.release()


def _away() -> Transient:
    return Transient("database_away", "The hub cannot store anything at the moment; please repeat in some seconds.")


class GroupAcceptor:
    """One a process; its thread starts with the first arrival. `on_accepted(channel)` is called after the commit."""

    def __init__(self, config: HubConfig, on_accepted: Callable[[str], None]) -> None:
        self._config = config
        self._on_accepted = on_accepted
        self._queue: SimpleQueue[_Slip | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._connection: BoundedConnection | None = None
        self._down = False
        self._uncounted: list[int] = []
        self.counts = Counts()

    def accept(self, arrival: RawArrival, wait_seconds: float = _WAIT_SECONDS) -> Receipt:
        """The receipt, after the commit. Transient in that time if there is none; UnknownSource if its source is gone."""
        if self._down or self._queue.qsize() >= _QUEUE_BOUND:
            self.counts.refused += 1
            raise _away()
        slip = _Slip(arrival)
        self._queue.put(slip)
        if self._thread is None:
            self._start()
        if not slip.done.acquire(timeout=wait_seconds):
            slip.abandoned = True
            self.counts.refused += 1
            raise _away()
        if slip.receipt is None:
            self.counts.refused += 1
            raise slip.error or _away()
        return slip.receipt

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
        queue = self._queue
        while True:
            batch: list[_Slip] = []
            slip = queue.get()
            while slip is not None:
                if not slip.abandoned:
                    batch.append(slip)
                if len(batch) >= _BATCH_BOUND or queue.empty():
                    break
                slip = queue.get()
            try:
                if batch:
                    self._write(batch)
            except Exception:  # noqa: BLE001 - the only writer of its process goes on, whatever happens
                _log.exception("journal batch failed unexpectedly")
                _settle_open(batch, _away())
            if slip is None:
                if self._connection is not None:
                    self._connection.close()
                return
            if self._down:
                self._await_database()

    def _write(self, batch: list[_Slip]) -> None:
        if len(batch) > 1:
            # Two processes with the same keys must take their index entries in the same order, or they deadlock.
            batch.sort(key=lambda slip: (slip.arrival.source_id, slip.arrival.provider_key or ""))
        remaining = batch
        began = time.monotonic()
        for attempt in (1, 2):
            try:
                connection = self._reach()
                if attempt == 2:
                    remaining = self._still_missing(connection, remaining)
                self._settle(remaining, _insert(connection, remaining))
                break
            except psycopg.Error as error:
                if self._connection is not None and not self._connection.closed:
                    self._write_singly(self._connection, remaining, error)
                    break
                remaining = [slip for slip in remaining if not slip.abandoned]
                # A line that broke is tried once more at once, so that a restarted server costs nobody a refusal. A
                # server that hung has used up the time of its requests.
                if attempt == 2 or not remaining or time.monotonic() - began > _HUNG_SECONDS:
                    self._down = True
                    _log.warning("database away: %s", type(error).__name__)
                    _settle_open(batch, _away())
                    return
        self._after_commit(batch)

    def _settle(self, slips: Sequence[_Slip], receipts: Sequence[Receipt]) -> None:
        for slip, receipt in zip(slips, receipts, strict=True):
            slip.settle(receipt)
            if receipt.redelivery:
                self.counts.redelivered += 1
            else:
                self.counts.accepted += 1
        self.counts.batches += 1
        self.counts.largest_batch = max(self.counts.largest_batch, len(slips))

    def _write_singly(self, connection: BoundedConnection, slips: list[_Slip], cause: psycopg.Error) -> None:
        """The rows of a failed batch one by one, so that a row that cannot go in takes no other with it."""
        _log.warning("journal batch of %d failed (%s), storing singly", len(slips), cause.sqlstate)
        deadline = time.monotonic() + _SINGLES_SECONDS
        for slip in slips:
            if slip.settled or slip.abandoned:
                continue
            if connection.closed or time.monotonic() > deadline:
                slip.settle(None, _away())
                continue
            if len(slips) == 1 and isinstance(cause, errors.LockNotAvailable):
                self._settle_failed(connection, slip, cause)  # asking once more would only wait once more
                continue
            try:
                self._settle([slip], _insert(connection, [slip]))
            except psycopg.Error as error:
                self._settle_failed(connection, slip, error)

    def _settle_failed(self, connection: BoundedConnection, slip: _Slip, error: psycopg.Error) -> None:
        if isinstance(error, errors.ForeignKeyViolation):
            slip.settle(None, UnknownSource("source_gone", "This address no longer belongs to a source."))
            return
        try:
            receipt = self._known(connection, slip)
        except psycopg.Error:
            receipt = None  # then the answer is "come back", as for every other failure
        if receipt is None:
            _log.error("journal row refused by the database (%s)", error.sqlstate)
            slip.settle(None, _away())
            return
        if receipt.redelivery:
            self._uncounted.append(receipt.event_id)
        self._settle([slip], [receipt])

    def _known(self, connection: BoundedConnection, slip: _Slip) -> Receipt | None:
        """The receipt of a row that is in already: by its uid if its answer was lost, by its key if it is locked."""
        row = connection.execute(
            "SELECT id, uid FROM inbound_event WHERE uid = %s OR (source_id = %s AND provider_key = %s)",
            (slip.uid, slip.arrival.source_id, safe_key(slip.arrival.provider_key)),
        ).fetchone()
        return None if row is None else Receipt(row[0], row[1], row[1] != slip.uid)

    def _still_missing(self, connection: BoundedConnection, slips: Sequence[_Slip]) -> list[_Slip]:
        """After a lost connection nobody knows whether the batch was committed, so the database is asked."""
        rows = connection.execute(
            "SELECT uid, id FROM inbound_event WHERE uid = ANY(%s)", ([slip.uid for slip in slips],)
        ).fetchall()
        ids = dict(rows)
        stored = [slip for slip in slips if slip.uid in ids]
        self._settle(stored, [Receipt(ids[slip.uid], slip.uid, False) for slip in stored])
        return [slip for slip in slips if slip.uid not in ids]

    def _after_commit(self, batch: Sequence[_Slip]) -> None:
        channels = {slip.arrival.channel for slip in batch if slip.receipt and not slip.receipt.redelivery}
        for channel in channels:
            try:
                self._on_accepted(channel)
            except Exception:  # noqa: BLE001 - a wake-up is a courtesy: the sweeper finds what it missed
                self.counts.failed_wakes += 1
                _log.exception("wake-up failed")
        if self._uncounted and self._connection is not None and not self._connection.closed:
            ids, self._uncounted = self._uncounted, []
            try:
                counted = self._connection.execute(
                    "UPDATE inbound_event e SET redeliveries = e.redeliveries + t.times FROM"
                    " (SELECT i.id, i.times FROM inbound_event l JOIN (SELECT id, count(*) AS times FROM unnest(%s::int8[])"
                    " AS u(id) GROUP BY id) AS i ON i.id = l.id FOR UPDATE OF l SKIP LOCKED) AS t"
                    " WHERE e.id = t.id RETURNING e.id",
                    (ids,),
                ).fetchall()
                done = {event_id for (event_id,) in counted}
                self._uncounted = [event_id for event_id in ids if event_id not in done][-_MOST_UNCOUNTED:]
            except psycopg.Error as error:
                _log.warning("redeliveries not counted (%s)", error.sqlstate)

    def _reach(self) -> BoundedConnection:
        if self._connection is None or self._connection.closed:
            self._connection = connect_bounded(
                self._config.database_url, "web", limit_seconds=_STATEMENT_SECONDS, options=_OPTIONS
            )
        return self._connection

    def _await_database(self) -> None:
        """Requests are told at once to come back while this thread tries, so that none of them queues up behind it."""
        while self._down:
            try:
                self._reach().execute("SELECT 1")
                self._down = False
            except psycopg.Error:
                self._drop_connection()
                while not self._queue.empty():
                    slip = self._queue.get()
                    if slip is None:
                        self._queue.put(None)
                        return
                    slip.settle(None, _away())
                time.sleep(_PROBE_SECONDS)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _insert(connection: BoundedConnection, slips: Sequence[_Slip]) -> list[Receipt]:
    try:
        return insert_named(connection, [slip.arrival for slip in slips], [slip.uid for slip in slips])
    except psycopg.OperationalError as error:
        # Not the server's word but the line's, or the server's last one (57P: it shuts down; 25006: it is a standby now).
        if error.sqlstate is None or error.sqlstate.startswith(("57P", "08", "25006")):
            connection.close()
        raise


def _settle_open(batch: Sequence[_Slip], error: HubError) -> None:
    for slip in batch:
        if not slip.settled:
            slip.settle(None, error)
