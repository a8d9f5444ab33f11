"""What a worker does, whoever asks for it: a message of the broker, or the worker's own look into the journal.

A few lines each: what is to be done is said in `ingest`. Every job survives a database that is away; what it has not done
is due again.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import psycopg
from celery import Celery

from crm_core.base.config import HubConfig
from crm_core.base.log import get_logger
from crm_core.notifications.mailing import forget_old
from ingest.files.tidy import FOLDERS, tidy
from ingest.monitoring.audit_sealing import seal_audit
from ingest.processing.due_times import pull_back
from ingest.processing.process import Processor
from ingest.processing.sweep import Due, beat_heart, due_now, forget_canaries, note_canary, park_and_close
from ingest.watch.watch import TOUCHES, watch
from workers.celery_app import FETCH, MAINTENANCE, QUEUES
from workers.lanes import Lanes
from workers.stopwatch import Stopwatch
from workers.wake import send_fetch_wakeup, send_wakeup

_log = get_logger(__name__)

#: A drain ends after this and asks to be continued, so that a stopping worker is not waited for and sweeps get their turn.
DRAIN_SECONDS = 3.0
#: A look at long history goes on in the next minute, so that a sweep never waits long behind it.
WATCH_SECONDS = 5.0
#: How soon after the clock was set back what waits for a time of the other clock is due. It reads what waits only.
PULL_SECONDS = 5.0
#: While the database is away a worker rests instead of spinning.
_REST_SECONDS = 1.0

_Job = TypeVar("_Job", bound=Callable[..., Any])


def _outlives_the_database(job: _Job) -> _Job:
    @functools.wraps(job)
    def outliving(self: Jobs, *args: Any, **kwargs: Any) -> Any:
        try:
            return job(self, *args, **kwargs)
        except psycopg.OperationalError as error:
            _log.warning("database_away", job=job.__name__, error=type(error).__name__)
            self.close()
            time.sleep(_REST_SECONDS)

    return cast("_Job", outliving)


class Jobs:
    """For one thread: it has a connection of its own, made on first use. `worker` is what a sign of life is shown under.

    `turn` is the process's: one of its threads drains at a time. `lanes` too.
    """

    def __init__(self, config: HubConfig, app: Celery, worker: str, turn: threading.Lock, lanes: Lanes) -> None:
        self.config, self.app, self.worker, self.turn, self.lanes = config, app, worker, turn, lanes
        self._processor: Processor | None = None
        self._pulled_at = float("-inf")

    def close(self) -> None:
        if self._processor is not None:
            self._processor.close()
            self._processor = None

    @property
    def processor(self) -> Processor:
        if self._processor is None:
            self._processor = Processor(self.config)
        return self._processor

    @_outlives_the_database
    def drain(self, channel: str) -> None:
        """Turns what waits in a channel into outcomes, and asks to be continued."""
        with self.turn:
            drained = self.processor.drain(channel, DRAIN_SECONDS)
        if drained.more:
            send_wakeup(self.app, channel)
        if drained.to_fetch and not send_fetch_wakeup(self.app):
            self.lanes.fetch()

    @_outlives_the_database
    def sweep(self) -> None:
        """Finds channels where something is due and nobody knows, and tells; does it here if the broker takes nothing."""
        due = self._look("sweep", "")
        for channel in due.channels:
            if not send_wakeup(self.app, channel):
                self.drain(channel)
        if due.to_fetch and not send_fetch_wakeup(self.app):
            self.lanes.fetch()

    @_outlives_the_database
    def work_off(self, seconds: float, alive: Callable[[], None] = lambda: None) -> bool:
        """Sweeps, and turns into outcomes what is due in each channel, in turns of `seconds`; `alive` is called before each.
        True when it should be done again at once. Asks nothing of the broker."""
        due = self._look("worker", self.worker)
        moved = 0
        for channel in due.channels:
            alive()
            with self.turn:
                drained = self.processor.drain(channel, seconds)
            moved += drained.finished + drained.failed
        if due.to_fetch:
            self.lanes.fetch()
        return moved > 0

    def _look(self, role: str, instance: str) -> Due:
        """Parks what kills workers, settles silent calls, shows a sign of life, and says where something is due."""
        with self.processor.connection().cursor() as cursor:
            if time.monotonic() - self._pulled_at > PULL_SECONDS:
                self._pulled_at = time.monotonic()
                pulled = pull_back(cursor, self.config.lease_seconds, self.config.backfill_minutes)
                if pulled:
                    _log.warning("clock_was_set_back", due_now=pulled)
            park_and_close(cursor)
            beat_heart(cursor, role, instance, {})
            return due_now(cursor)

    @_outlives_the_database
    def watch(self) -> None:
        """Looks at what the forms have sent since the last look: new fields, missing contacts, silence."""
        end = time.monotonic() + WATCH_SECONDS
        read = TOUCHES
        while read == TOUCHES and time.monotonic() < end:
            connection = self.processor.connection()
            with connection.transaction(), connection.cursor() as cursor:
                # The database's clock: what is a moment old is told by it.
                row = cursor.execute("SELECT clock_timestamp() AS now").fetchone()
                read = watch(cursor, row["now"], self.config.zone)  # type: ignore[index]

    @_outlives_the_database
    def tidy(self) -> None:
        """Deletes contents that nobody names, one folder a minute, all of them within five hours; and what was told long ago."""
        forget_old(self.processor.connection())
        try:
            tidy(self.config, int(time.time() // 60) % FOLDERS)
        except OSError as error:
            _log.warning("files_not_tidied", error=type(error).__name__)

    @_outlives_the_database
    def seal(self) -> None:
        """Chains what was written into the audit since."""
        try:
            seal_audit(self.processor.connection(), self.config.home, datetime.now(UTC))
        except OSError as error:
            _log.warning("audit_head_not_noted", error=type(error).__name__)

    @_outlives_the_database
    def canary(self, queue: str, stopwatch: Stopwatch) -> None:
        """Proves that this queue is being worked off, and how long that takes."""
        if queue == FETCH:
            self.lanes.canary(stopwatch)
            return
        with self.processor.connection().cursor() as cursor:
            note_canary(cursor, queue, stopwatch.seconds())
            if queue == MAINTENANCE:
                forget_canaries(cursor, QUEUES.values())
            beat_heart(cursor, "worker", self.worker, {"queue": queue})

    def backfill(self) -> None:
        self.lanes.backfill()

    def files(self) -> None:
        self.lanes.files()

    def give(self) -> None:
        self.lanes.give()

    def deadlines(self) -> None:
        self.lanes.deadlines()

    def search(self) -> None:
        self.lanes.search()

    def suggest(self) -> None:
        self.lanes.suggest()

    def mail(self) -> None:
        self.lanes.mail()
