"""The lanes of a worker process beside its work: what waits for foreign servers (what was announced, providers' lists, files),
and making findable what changed."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
from celery import Celery
from psycopg.rows import dict_row
from sqlalchemy.exc import OperationalError

from crm_core.base.config import HubConfig
from crm_core.base.database import connect, make_engine
from crm_core.base.log import get_logger
from crm_core.notifications.mailing import send_due
from ingest.fetch.backfill import run_next
from ingest.files.download import fetch_next
from ingest.monitoring.search_upkeep import keep_up
from ingest.monitoring.suggestions_upkeep import suggest_nightly
from ingest.processing.process import Processor
from ingest.processing.sweep import note_canary
from ingest.watch.deadlines import look_at_waits
from ingest.watch.waiting_leads import give_out
from workers.background import BackgroundLanes
from workers.celery_app import FETCH
from workers.stopwatch import Stopwatch
from workers.wake import send_fetch_wakeup, send_wakeup

_log = get_logger(__name__)

#: A turn in the lane that fetches; the canary of that queue waits behind it and behind one question.
FETCH_SECONDS = 3.0
FILES_SECONDS = 5.0
GIVE_SECONDS = 3.0
DEADLINES_SECONDS = 3.0
#: A turn of making things findable; it gives way to whatever comes.
SEARCH_SECONDS = 1.0


class Lanes:
    """One a process. Each method returns at once; a lane does its jobs one at a time."""

    def __init__(self, config: HubConfig, app: Celery) -> None:
        self._config, self._app = config, app
        self._fetching = Processor(config)  # the lane's own: it knows which sources rest, and connects for a turn only
        self._background = BackgroundLanes()

    def end(self, patience_seconds: float) -> None:
        self._background.end(patience_seconds)

    def fetch(self) -> None:
        """Fetches what events point at."""
        self._background.do("fetch", "fetch", self._fetch)

    def backfill(self) -> None:
        """Asks one provider that only announces for what its announcements missed."""
        self._background.do("backfill", "backfill", self._backfill)

    def files(self) -> None:
        """Fetches files that forms name by their address, a few at a time."""
        self._background.do("files", "files", self._files)

    def search(self) -> None:
        """Makes findable what changed, as long as nothing waits."""
        self._background.do("search", "search", self._search)

    def suggest(self) -> None:
        """Once a night, compares all contacts for pairs that may be one person."""
        self._background.do("suggest", "suggest", self._suggest)

    def mail(self) -> None:
        """Mails what employees were told and have not read."""
        if self._config.smtp_url:
            self._background.do("mail", "mail", self._mail)

    def canary(self, watch: Stopwatch) -> None:
        """How long an announced lead waits for its turn. No sign of life of the worker's own work."""
        self._background.do("fetch", "canary", lambda: self._canary(watch))

    def _fetch(self) -> None:
        try:
            fetched = self._fetching.fetch(FETCH_SECONDS)
        except psycopg.OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)
            return
        finally:
            self._fetching.close()
        for channel in fetched.channels:
            send_wakeup(self._app, channel)
        if fetched.more:
            send_fetch_wakeup(self._app)

    def _backfill(self) -> None:
        try:
            looked = run_next(self._config)
        except psycopg.OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)
            return
        if looked is not None and looked.added:
            send_wakeup(self._app, looked.channel)

    def _files(self) -> None:
        end = time.monotonic() + FILES_SECONDS
        try:
            while fetch_next(self._config) is not None and time.monotonic() < end:
                pass
        except psycopg.OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)

    def give(self) -> None:
        """Gives leads that had nobody to whoever can take them now."""
        self._background.do("give", "give", self._give)

    def _give(self) -> None:
        engine = make_engine(self._config.database_url, "worker", pool_size=1)
        try:
            give_out(engine, self._config.timezone, GIVE_SECONDS)
        except OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)
        finally:
            engine.dispose()

    def deadlines(self) -> None:
        """Looks who waits too long for an answer, and does what was said for it."""
        self._background.do("deadlines", "deadlines", self._deadlines)

    def _deadlines(self) -> None:
        engine = make_engine(self._config.database_url, "worker", pool_size=1)
        try:
            look_at_waits(engine, DEADLINES_SECONDS)
        except OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)
        finally:
            engine.dispose()

    def _search(self) -> None:
        engine = make_engine(self._config.database_url, "worker", pool_size=1)
        try:
            keep_up(engine, SEARCH_SECONDS)
        except OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)
        finally:
            engine.dispose()

    def _suggest(self) -> None:
        engine = make_engine(self._config.database_url, "worker", pool_size=1)
        try:
            suggest_nightly(engine, self._config, datetime.now(UTC))
        except OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)
        finally:
            engine.dispose()

    def _mail(self) -> None:
        try:
            with connect(self._config.database_url, "worker") as connection:
                send_due(connection, self._config)
        except psycopg.OperationalError as error:
            _log.warning("database_away", error=type(error).__name__)

    def _canary(self, watch: Stopwatch) -> None:
        with (
            suppress(psycopg.OperationalError),
            connect(self._config.database_url, "worker") as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            note_canary(cursor, FETCH, watch.seconds())
