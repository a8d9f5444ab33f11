"""Claims waiting events of a channel and turns each into exactly one outcome with a reason.

A batch is one short transaction. If anything in it fails, the batch is rolled back and its events are taken singly, so
that one event never costs its neighbours. What cannot pass now waits; what cannot pass at all needs a person.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.base.errors import HubError, NotFound, Transient
from crm_core.base.log import error_facts, get_logger
from crm_core.intake import EventResult, ParsedEvent, take_in
from ingest.fetch.fetch import Fetcher
from ingest.files.store import assure, has_contents, hashes_of, keep, lose
from ingest.journal.claim import (
    Claimed,
    ClaimLost,
    Failure,
    claim,
    claim_to_fetch,
    fail,
    finish,
    hold,
    park_poison_events,
    regain_keys,
)
from ingest.journal.disk_space import DiskGuard
from ingest.journal.stats import count_captures
from ingest.journal.transitions import forget
from ingest.processing.garbage import collection_postponed
from ingest.processing.parse import read, retry
from ingest.processing.reasons import with_earlier
from ingest.screening.screen import Screened, Screener
from ingest.sources.settings import LoadedSource, loaded

_log = get_logger(__name__)

_SETTINGS_FRESH_SECONDS = 5.0  # a changed setting of a source is used everywhere after this
_FILE_TRIES = 3  # then the lead is made without its files
#: While the disk is low the files are waited for instead, for so long: by then somebody has been told, and a lead that is
#: a day old is worth less than one without its drawing.
_ROOM_PATIENCE = timedelta(hours=1)
_ROOM_PAUSE_SECONDS = 10.0
_CONFLICT_ROUNDS = 3  # two transactions met on one row: repeated at once, this often

#: Two writers met. Nothing is wrong with the event.
_CONFLICTS = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
    errors.LockNotAvailable,
)
#: The database is away or out of something. The event waits.
_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, errors.QueryCanceled)


@dataclass(slots=True)
class Drained:
    """What one drain did."""

    finished: int = 0
    failed: int = 0
    batches: int = 0
    more: bool = False  # it stopped because its time was up, not because nothing was left
    to_fetch: int = 0  # events that now wait for what `fetch` gets
    channels: set[str] = field(default_factory=set)  # of the events for which something was fetched


class Processor:
    """One a process: a connection and the sources as they were a moment ago. Not for use by two threads."""

    def __init__(self, config: HubConfig) -> None:
        self.config = config
        self._connection: psycopg.Connection[Any] | None = None
        self._sources: dict[int, tuple[float, LoadedSource]] = {}
        self._ours: tuple[float, frozenset[str]] = (float("-inf"), frozenset())
        self.fetcher = Fetcher(config)
        self.screener = Screener(config)
        self._disk = DiskGuard(config.home, config.disk_floor_bytes)

    def close(self) -> None:
        self.screener.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connection(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self.config.database_url, "worker")
            self._connection.row_factory = dict_row  # type: ignore[assignment]
            set_json_loads(orjson.loads, self._connection)
        return self._connection

    def source(self, source_id: int) -> LoadedSource:
        known = self._sources.get(source_id)
        now = time.monotonic()
        if known is not None and now - known[0] < _SETTINGS_FRESH_SECONDS:
            return known[1]
        row = (
            self.connection()
            .execute(
                "SELECT s.id, s.name, s.connector, s.channel, s.config, s.state, s.line, s.pool_id, s.allowed_hosts,"
                "       s.quarantine_until, m.rules AS mapping, m.version AS mapping_version,"
                "       EXISTS (SELECT 1 FROM deadline_policy WHERE removed_at IS NULL) AS has_deadlines"
                "  FROM source s LEFT JOIN source_mapping m ON m.source_id = s.id AND m.state = 'published'"
                " WHERE s.id = %s",
                (source_id,),
            )
            .fetchone()
        )
        if row is None:
            raise NotFound("source_unknown", f"There is no source {source_id}.")
        source = loaded(self.config, row)
        self._sources[source_id] = (now, source)
        return source

    def our_addresses(self) -> frozenset[str]:
        """Addresses of the hub's mailboxes, and what their settings call ours: never a client's, whatever channel they
        come in on."""
        now = time.monotonic()
        if now - self._ours[0] >= _SETTINGS_FRESH_SECONDS:
            rows = (
                self.connection()
                .execute(
                    "SELECT config->>'user' AS name FROM source WHERE channel = 'mail' UNION"
                    " SELECT jsonb_array_elements_text(config->'own_addresses') FROM source"
                    "  WHERE channel = 'mail' AND jsonb_typeof(config->'own_addresses') = 'array'"
                )
                .fetchall()
            )
            self._ours = now, frozenset(row["name"] for row in rows if row["name"] and "@" in row["name"])
        return self._ours[1]

    def drain(self, channel: str, budget_seconds: float = 5.0) -> Drained:
        """Works until nothing is due or the time is up. Raises OperationalError if the database is away; claimed events
        come back when their lease ends. On a disk that is all but full nothing is claimed: the events wait."""
        drained = Drained()
        end = time.monotonic() + budget_seconds
        while self._disk.state().takes_work:
            with collection_postponed():
                with self.connection().cursor() as cursor:
                    token, events = claim(cursor, channel, self.config.batch_size, self.config.lease_seconds)
                    if not events:
                        park_poison_events(cursor)
                        return drained
                self._settle(token, events, drained)
            drained.batches += 1
            if time.monotonic() >= end:
                drained.more = True
                # While untried ones keep coming, this is the only turn that a tried one gets.
                with self.connection().cursor() as cursor:
                    token, events = claim(cursor, channel, 1, self.config.lease_seconds, tried_only=True)
                if events:
                    self._settle(token, events, drained)
                return drained
        return drained

    def fetch(self, budget_seconds: float = 5.0) -> Drained:
        """Settles events that only point at something, one at a time, until none is due or the time is up. Waits for
        foreign servers: nothing that must go on meanwhile may wait for it. Raises OperationalError as `drain` does."""
        drained = Drained()
        end = time.monotonic() + budget_seconds
        while time.monotonic() < end:
            if not self._disk.state().takes_events:
                return drained  # what is fetched goes through the door, and the door is shut
            with self.connection().cursor() as cursor:
                token, events = claim_to_fetch(cursor, self.config.lease_seconds, self.fetcher.resting())
            if not events:
                return drained
            self._settle(token, events, drained, fetching=True)
            drained.batches += 1
            drained.channels.add(events[0].channel)
        drained.more = True
        return drained

    def _settle(self, token: str, events: Sequence[Claimed], drained: Drained, *, fetching: bool = False) -> None:
        items: list[ParsedEvent] = []
        failures: list[Failure] = []
        by_id = {event.id: event for event in events}
        # A person who has just changed a setting or a mapping and sends something through again means the new one.
        for source_id in {event.source_id for event in events if event.replayed}:
            self._sources.pop(source_id, None)
        try:
            ours = self.our_addresses()
            for event in events:
                result = read(event, self.source, ours)
                if isinstance(result, ParsedEvent):
                    result = self._complete(event, result, fetching=fetching)
                (items if isinstance(result, ParsedEvent) else failures).append(result)  # type: ignore[arg-type]
            screened = self._screen(by_id, items)
            failures += screened.held
            kept = self._keep(by_id, screened.items, failures)
            self._write(token, by_id, kept, screened.aside, failures)
            drained.finished += len(kept) + len(screened.aside)
            drained.failed += len(failures)
            drained.to_fetch += sum(failure.to_fetch for failure in failures)
        except ClaimLost:
            _log.warning("claim_lost", events=len(events))
        except _PASSING + _CONFLICTS + (psycopg.Error, HubError, *BUGS) as error:
            if self.connection().broken:
                raise
            if len(events) > 1:
                _log.info("batch_taken_singly", events=len(events), error=type(error).__name__)
                for event in events:
                    self._settle(token, [event], drained)
                return
            self._give_up(token, events[0], error)
            drained.failed += 1

    def _complete(self, event: Claimed, item: ParsedEvent, *, fetching: bool) -> ParsedEvent | Failure:
        """What must be done outside of the transaction before an item can be taken in."""
        return self.fetcher.complete(self.connection(), event, self.source(event.source_id), item, fetching=fetching)

    def _screen(self, events: dict[int, Claimed], items: Sequence[ParsedEvent]) -> Screened:
        """Spam is set aside before anybody becomes a contact."""
        read_ones = [(events[item.event_id], item, self.source(item.source_id)) for item in items]
        return self.screener.screen(self.connection(), read_ones)

    def _keep(self, events: dict[int, Claimed], items: Sequence[ParsedEvent], failures: list[Failure]) -> list[ParsedEvent]:
        """Contents of files go to the disk before the rows that name them. A disk that stays full costs the files, which
        the raw event still has, and not the lead."""
        kept: list[ParsedEvent] = []
        for item in items:
            event = events[item.event_id]
            if has_contents(item) and self._waits_for_room(event):
                failures.append(Failure(
                    event.id, "waiting", "files_not_stored", "The hub's disk is full; the files of this inquiry wait for room.",
                    attempts=event.attempts, pause_seconds=_ROOM_PAUSE_SECONDS, is_try=False,
                ))  # fmt: skip
                continue
            try:
                kept.append(keep(self.config.home, item))
            except OSError as error:
                _log.error("files_not_stored", event_id=event.uid, error=type(error).__name__)
                if event.attempts < _FILE_TRIES:
                    failures.append(retry(event, "files_not_stored", "The hub's disk does not take the files of this inquiry."))
                else:
                    kept.append(lose(item, "not_stored"))
        return kept

    def _waits_for_room(self, event: Claimed) -> bool:
        return not self._disk.state().takes_events and datetime.now(UTC) - event.received_at < _ROOM_PATIENCE

    def _write(
        self, token: str, events: dict[int, Claimed], items: Sequence[ParsedEvent], aside: Sequence[EventResult],
        failures: Sequence[Failure],
    ) -> None:  # fmt: skip
        for attempt in range(_CONFLICT_ROUNDS):
            try:
                with self.connection().transaction(), self.connection().cursor() as cursor:
                    hold(cursor, token, list(events))
                    assure(cursor, self.config.home, hashes_of(items))
                    row = cursor.execute("SELECT clock_timestamp() AS now").fetchone()
                    now = row["now"]  # type: ignore[index]
                    taken = [*(take_in(cursor, items, now) if items else ()), *aside]
                    finish(cursor, token, [_as_row(events[one.event_id], one) for one in taken])
                    regain_keys(cursor, [events[one.event_id] for one in taken])
                    if erased := [one.event_id for one in taken if one.was_erased]:
                        forget(cursor, erased)
                    fail(cursor, token, failures)
                    count_captures(
                        cursor,
                        ((events[one.event_id].channel, one.outcome,
                          max(0.0, (now - events[one.event_id].received_at).total_seconds()))
                         for one in taken if events[one.event_id].first_time),
                    )  # fmt: skip
                return
            except _CONFLICTS:
                if attempt == _CONFLICT_ROUNDS - 1:
                    raise

    def _give_up(self, token: str, event: Claimed, error: BaseException) -> None:
        """The last table: what an error of a single event does to it."""
        if isinstance(error, Transient):
            failure = retry(event, error.code, error.message)
        elif isinstance(error, _CONFLICTS):
            failure = retry(event, "conflict", "It met other changes to the same contact again and again.")
        elif isinstance(error, _PASSING):
            failure = retry(event, "database_busy", "The database did not answer in time.")
        elif isinstance(error, HubError):
            failure = Failure(event.id, "needs_attention", error.code, error.message)
        else:
            _log.error("event_failed", event_id=event.uid, **error_facts(error))
            failure = Failure(
                event.id, "needs_attention", "internal_error",
                f"A defect in Leadhub stopped this event ({type(error).__name__}). It is kept; replay it after an update.",
            )  # fmt: skip
        with self.connection().cursor() as cursor:
            fail(cursor, token, [failure])


#: Defects of our own: they park one event, loudly, and the others go on.
BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def _as_row(event: Claimed, taken: EventResult) -> dict[str, Any]:
    is_same_lead = event.lead_id is not None and event.lead_id == taken.lead_id
    return {
        "id": taken.event_id, "outcome": taken.outcome, "lead_id": taken.lead_id, "contact_id": taken.contact_id,
        "reason": with_earlier(event.reason, taken.reason) if is_same_lead else taken.reason,
    }  # fmt: skip


def drain(engine: Engine | None, config: HubConfig, channel: str, budget_seconds: float = 5.0) -> Drained:
    """All that workers do for a channel, with a connection of its own: drains it, and fetches what its events point at."""
    del engine  # the pool's connections are SQLAlchemy's; this path is psycopg's own
    processor = Processor(config)
    try:
        drained = processor.drain(channel, budget_seconds)
        while channel in processor.fetch(budget_seconds).channels:
            more = processor.drain(channel, budget_seconds)
            drained.finished += more.finished
            drained.failed += more.failed
            drained.batches += more.batches
            drained.more |= more.more
        return drained
    finally:
        processor.close()
