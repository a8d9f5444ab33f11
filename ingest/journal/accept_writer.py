"""The writer's side of the door: batches of slips into the journal, and what to do when one does not go in.

Used by one thread only. A batch that fails is stored row by row; a line that breaks is made anew once; a server that
hangs is given up in time for its requests to say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors

from crm_core.base.config import HubConfig
from crm_core.base.errors import HubError, Transient
from crm_core.base.log import get_logger
from ingest.journal.bounded_connection import BoundedConnection, connect_bounded
from ingest.journal.insert import ON_CONFLICT, insert_named, is_conflict, kept_apart
from ingest.journal.insert_prepared import PreparedInsert, Values, values_of
from ingest.journal.raw_event import RawEvent, Receipt, new_uid, safe_key
from ingest.journal.transitions import count_redeliveries

# A little less than a request waits, so that a hung server is known before they leave.
_STATEMENT_SECONDS = 2.3
_HUNG_SECONDS = 1.0  # a failure that took longer than this is a hung server, not a broken line
_SINGLES_SECONDS = 1.5  # time for the rows of a failed batch, one by one
_MOST_UNCOUNTED = 1_000  # redeliveries that met a lock and wait to be counted

# A redelivery may meet the worker's lock on its row. It must not hold up its batch: its receipt is known without it.
_OPTIONS = "-c lock_timeout=250 -c statement_timeout=2000"

# Not the server's word on a statement but its last one, or none: shutting down, line lost, a standby now.
_LINE_LOST = ("57P", "08", "25006")

_log = get_logger(__name__)


@dataclass(slots=True)
class Counts:
    """What this process did since it started. Written by the writer thread, except `refused`."""

    accepted: int = 0
    redelivered: int = 0
    refused: int = 0
    batches: int = 0
    largest_batch: int = 0
    failed_wakes: int = 0


class PendingInsert:
    """One row on its way: the request thread waits on `done`, the writer releases it."""

    __slots__ = ("abandoned", "done", "error", "key", "raw_event", "receipt", "resolved", "uid", "values")

    def __init__(self, raw_event: RawEvent) -> None:
        self.raw_event = raw_event
        self.uid = new_uid()
        self.key = safe_key(raw_event.provider_key)
        self.values: Values = values_of(raw_event, self.uid, self.key)
        self.receipt: Receipt | None = None
        self.error: HubError | None = None
        self.abandoned = False  # its request has answered 503: the row must not go in any more
        self.resolved = False
        self.done = threading.Lock()
        self.done.acquire()

    def resolve(self, receipt: Receipt | None, error: HubError | None = None) -> None:
        self.receipt, self.error, self.resolved = receipt, error, True
        self.done.release()


def away() -> Transient:
    return Transient("database_away", "The hub cannot store anything at the moment; please repeat in some seconds.")


def full() -> Transient:
    return Transient("disk_full", "The hub's disk is full, so it cannot store anything now; please repeat later.")


def refuse(pending_inserts: Sequence[PendingInsert]) -> None:
    """Tells everybody who still waits to come back."""
    for pending in pending_inserts:
        if not pending.resolved:
            pending.resolve(None, away())


class JournalWriter:
    """One a process, with one connection that is made when it is needed."""

    def __init__(self, config: HubConfig) -> None:
        self._config = config
        self._connection: BoundedConnection | None = None
        self._prepared: PreparedInsert | None = None  # of this connection
        self._uncounted: list[int] = []
        self.counts = Counts()

    def write(self, batch: list[PendingInsert]) -> bool:
        """Stores the batch and settles every slip of it. False if the database is away and all were refused."""
        if len(batch) > 1:
            # Two processes with the same keys must take their index entries in the same order, or they deadlock.
            batch.sort(key=lambda pending: (pending.raw_event.source_id, pending.key or ""))
        remaining = batch
        began = time.monotonic()
        for attempt in (1, 2):
            try:
                connection = self._reach()
                if attempt == 2:
                    remaining = self._still_missing(connection, remaining)
                self._resolve(remaining, self._insert(connection, remaining))
                break
            except psycopg.Error as error:
                if self._connection is not None and not self._connection.closed:
                    self._write_singly(self._connection, remaining, error)
                    break
                remaining = [pending for pending in remaining if not pending.abandoned and not pending.resolved]
                # A line that broke is tried once more at once, so that a restarted server costs nobody a refusal. A
                # server that hung has used up the time of its requests.
                if attempt == 2 or not remaining or time.monotonic() - began > _HUNG_SECONDS:
                    _log.warning("database_away", error=type(error).__name__)
                    refuse(batch)
                    return False
        if self._uncounted:
            self._count_later()
        return True

    def probe(self) -> bool:
        """True if the database answers."""
        try:
            self._reach().execute("SELECT 1")
        except psycopg.Error:
            self.close()
            return False
        return True

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _reach(self) -> BoundedConnection:
        if self._connection is None or self._connection.closed:
            self._connection = connect_bounded(
                self._config.database_url, "web", limit_seconds=_STATEMENT_SECONDS, options=_OPTIONS
            )
            self._prepared = PreparedInsert(self._connection, ON_CONFLICT)
        return self._connection

    def _insert(self, connection: BoundedConnection, pending_inserts: Sequence[PendingInsert]) -> list[Receipt]:
        try:
            return insert_named(
                connection, [pending.raw_event for pending in pending_inserts], [pending.uid for pending in pending_inserts],
                self._prepared, [pending.values for pending in pending_inserts],
            )  # fmt: skip
        except psycopg.Error as error:
            if error.sqlstate is None or error.sqlstate.startswith(_LINE_LOST):
                connection.close()
            raise

    def _resolve(self, pending_inserts: Sequence[PendingInsert], receipts: Sequence[Receipt]) -> None:
        for pending, receipt in zip(pending_inserts, receipts, strict=True):
            pending.resolve(receipt)
            if receipt.redelivery:
                self.counts.redelivered += 1
            else:
                self.counts.accepted += 1
        self.counts.batches += 1
        self.counts.largest_batch = max(self.counts.largest_batch, len(pending_inserts))

    def _write_singly(self, connection: BoundedConnection, pending_inserts: list[PendingInsert], cause: psycopg.Error) -> None:
        """The rows of a failed batch one by one, so that a row that cannot go in takes no other with it."""
        _log.warning("journal_batch_stored_singly", rows=len(pending_inserts), sqlstate=cause.sqlstate)
        deadline = time.monotonic() + _SINGLES_SECONDS
        for pending in pending_inserts:
            if pending.resolved or pending.abandoned:
                continue
            if connection.closed or time.monotonic() > deadline:
                pending.resolve(None, away())
                continue
            if len(pending_inserts) == 1 and isinstance(cause, errors.LockNotAvailable):
                self._settle_failed(connection, pending, cause)  # asking once more would only wait once more
                continue
            try:
                self._resolve([pending], self._insert(connection, [pending]))
            except psycopg.Error as error:
                self._settle_failed(connection, pending, error)

    def _settle_failed(self, connection: BoundedConnection, pending: PendingInsert, error: psycopg.Error) -> None:
        try:
            receipt = self._known(connection, pending)
        except psycopg.Error:
            receipt = None  # then the answer is "come back", as for every other failure
        if receipt is None:
            _log.error("journal_row_refused", sqlstate=error.sqlstate)
            pending.resolve(None, away())
            return
        self._resolve([pending], [receipt])

    def _known(self, connection: BoundedConnection, pending: PendingInsert) -> Receipt | None:
        """The receipt of a row that is in already: by its uid if its answer was lost, by its key if it is locked."""
        row = connection.execute(
            "SELECT id, uid, sha256(body), unclaimed AND replayed = 0 FROM inbound_event"
            " WHERE uid = %s OR (source_id = %s AND provider_key = %s) ORDER BY uid <> %s",
            (pending.uid, pending.raw_event.source_id, pending.key, pending.uid),
        ).fetchone()
        if row is None:
            return None
        if row[1] != pending.uid and is_conflict(pending.raw_event, row[2], is_held=row[3]):
            # The locked row has the key and is another inquiry: this one would be acknowledged and lost.
            return insert_named(connection, [kept_apart(pending.raw_event)], [pending.uid])[0]
        if row[1] != pending.uid:
            self._uncounted.append(row[0])
        return Receipt(row[0], row[1], row[1] != pending.uid)

    def _still_missing(self, connection: BoundedConnection, pending_inserts: Sequence[PendingInsert]) -> list[PendingInsert]:
        """After a lost connection nobody knows whether the batch was committed, so the database is asked."""
        rows = connection.execute(
            "SELECT uid, id FROM inbound_event WHERE uid = ANY(%s)", ([pending.uid for pending in pending_inserts],)
        ).fetchall()
        ids = dict(rows)
        stored = [pending for pending in pending_inserts if pending.uid in ids]
        self._resolve(stored, [Receipt(ids[pending.uid], pending.uid, redelivery=False) for pending in stored])
        return [pending for pending in pending_inserts if pending.uid not in ids]

    def _count_later(self) -> None:
        """Counts redeliveries whose row was locked when they came; those that are still locked stay for the next batch."""
        if self._connection is None or self._connection.closed:
            return
        try:
            counted = count_redeliveries(self._connection, self._uncounted)
        except psycopg.Error as error:
            _log.warning("redeliveries_not_counted_yet", sqlstate=error.sqlstate)
            return
        self._uncounted = [event_id for event_id in self._uncounted if event_id not in counted][-_MOST_UNCOUNTED:]
