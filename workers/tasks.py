"""The tasks, a few lines each: what to do is said in `ingest`, here only that it is done."""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from typing import Any

import psycopg
from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown
from psycopg.rows import dict_row

from crm_core.config import HubConfig
from crm_core.database import connect
from ingest.backfill import run_next
from ingest.files_fetching import fetch_next
from ingest.files_tidying import FOLDERS, tidy
from ingest.process import Processor
from ingest.sweep import beat_heart, due_now, note_canary, park_and_settle
from ingest.watch import TOUCHES, watch
from workers.aside import Aside
from workers.celery_app import OUTBOUND
from workers.wake import send_fetch_hint, send_hint

_log = logging.getLogger(__name__)

#: A drain ends after this and asks to be continued, so that a stopping worker is not waited for and sweeps get their turn.
DRAIN_SECONDS = 3.0
#: A look at long history goes on in the next minute, so that a sweep never waits long behind it.
WATCH_SECONDS = 5.0
#: A turn in the lane that fetches; the canary of that queue waits behind it and behind one question.
FETCH_SECONDS = 3.0
FILES_SECONDS = 5.0
#: A worker that ends waits so long for what a foreign server is just giving.
_END_SECONDS = 1.0
#: While the database is away a worker rests instead of spinning.
_REST_SECONDS = 1.0


class _Hands:
    """What one worker process holds: its processor, and the lanes beside it, made on first use, after the fork."""

    def __init__(self, config: HubConfig) -> None:
        self.config = config
        self.processor: Processor | None = None
        self.fetching = Processor(config)  # the lane's own; it connects for a turn only
        self.aside = Aside()

    def get(self) -> Processor:
        if self.processor is None:
            self.processor = Processor(self.config)
        return self.processor

    def drop(self) -> None:
        if self.processor is not None:
            self.processor.close()
            self.processor = None


def register(app: Celery, config: HubConfig) -> None:
    """Puts the tasks on the app, in the process that the children will be forked from.

    Each process makes its own connections on first use, after the fork. Not shared: Celery would hand the tasks of the
    first app, and its configuration, to every other app of the process.
    """
    hands = _Hands(config)
    # Named before the fork: whichever child a canary reaches, it is the worker as a whole that shows a sign of life.
    worker = f"{socket.gethostname()}:{os.getpid()}"

    @app.task(name="drain", shared=False)
    def drain(channel: str) -> None:
        """Turns what waits in a channel into outcomes."""
        try:
            drained = hands.get().drain(channel, DRAIN_SECONDS)
        except psycopg.OperationalError as error:
            _log.warning("database_away", extra={"error": type(error).__name__})
            hands.drop()
            time.sleep(_REST_SECONDS)
            return
        if drained.more:
            send_hint(app, channel)
        if drained.to_fetch:
            send_fetch_hint(app)

    @app.task(name="fetch", shared=False)
    def fetch() -> None:
        """Fetches what events point at."""
        hands.aside.do("fetch", "fetch", _fetch)

    def _fetch() -> None:
        try:
            fetched = hands.fetching.fetch(FETCH_SECONDS)
        except psycopg.OperationalError as error:
            _log.warning("database_away", extra={"error": type(error).__name__})
            return
        finally:
            hands.fetching.close()
        for channel in fetched.channels:
            send_hint(app, channel)
        if fetched.more:
            send_fetch_hint(app)

    @app.task(name="sweep", shared=False)
    def sweep() -> None:
        """Finds channels where something is due and nobody knows, parks what kills workers, settles silent calls."""
        try:
            with hands.get().connection().cursor() as cursor:
                park_and_settle(cursor)
                beat_heart(cursor, "sweep", "", {})
                due = due_now(cursor)
        except psycopg.OperationalError as error:
            _log.warning("database_away", extra={"error": type(error).__name__})
            hands.drop()
            return
        for channel in due.channels:
            send_hint(app, channel)
        if due.to_fetch:
            send_fetch_hint(app)

    @app.task(name="watch", shared=False)
    def watch_sources() -> None:
        """Looks at what the forms have sent since the last look: new fields, missing contacts, silence."""
        end = time.monotonic() + WATCH_SECONDS
        try:
            read = TOUCHES
            while read == TOUCHES and time.monotonic() < end:
                with hands.get().connection().transaction(), hands.get().connection().cursor() as cursor:
                    # The database's clock: what is a moment old is told by it.
                    row = cursor.execute("SELECT clock_timestamp() AS now").fetchone()
                    read = watch(cursor, row["now"], config.zone)  # type: ignore[index]
        except psycopg.OperationalError as error:
            _log.warning("database_away", extra={"error": type(error).__name__})
            hands.drop()

    @app.task(name="backfill", shared=False)
    def backfill() -> None:
        """Asks one provider that only announces for what its announcements missed."""
        hands.aside.do("backfill", "backfill", _backfill)

    def _backfill() -> None:
        try:
            looked = run_next(config)
        except psycopg.OperationalError as error:
            _log.warning("database_away", extra={"error": type(error).__name__})
            return
        if looked is not None and looked.added:
            send_hint(app, looked.channel)

    @app.task(name="files", shared=False)
    def fetch_files() -> None:
        """Fetches files that forms name by their address, a few at a time."""
        hands.aside.do("files", "files", _files)

    def _files() -> None:
        end = time.monotonic() + FILES_SECONDS
        try:
            while fetch_next(config) is not None and time.monotonic() < end:
                pass
        except psycopg.OperationalError as error:
            _log.warning("database_away", extra={"error": type(error).__name__})

    @app.task(name="tidy", shared=False)
    def tidy_files() -> None:
        """Deletes contents that nobody names, one folder a minute; all of them within five hours."""
        try:
            tidy(config, int(time.time() // 60) % FOLDERS)
        except psycopg.OperationalError as error:
            _log.warning("database_away", extra={"error": type(error).__name__})
        except OSError as error:
            _log.warning("files_not_tidied", extra={"error": type(error).__name__})

    @app.task(name="canary", shared=False)
    def canary(queue: str, sent_at: float) -> None:
        """Proves that this queue is being worked off, and how long that takes."""
        if queue == OUTBOUND:
            hands.aside.do("fetch", "canary", lambda: _lane_canary(sent_at))
            return
        try:
            with hands.get().connection().cursor() as cursor:
                note_canary(cursor, queue, max(0.0, time.time() - sent_at))
                beat_heart(cursor, "worker", worker, {"queue": queue})
        except psycopg.OperationalError:
            hands.drop()

    def _lane_canary(sent_at: float) -> None:
        """In the lane itself: how long an announced lead waits for its turn. No sign of life of the worker's own work."""
        with (
            suppress(psycopg.OperationalError),
            connect(config.database_url, "worker") as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            note_canary(cursor, OUTBOUND, max(0.0, time.time() - sent_at))

    @worker_process_init.connect(weak=False)
    def _after_fork(**_: Any) -> None:
        hands.drop()

    @worker_process_shutdown.connect(weak=False)
    def _ending(**_: Any) -> None:
        hands.aside.end(_END_SECONDS)
        hands.drop()
