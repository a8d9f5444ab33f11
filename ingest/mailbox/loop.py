"""The mail role: one thread and one connection for each mailbox, so that a broken one never delays the others.

Starts, stops and restarts those threads as sources are added, paused and changed. Knows nothing of workers: after each
commit it calls `wake`.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from connectors.mail.imap import ImapConfig
from crm_core.base.config import HubConfig
from crm_core.base.database import connect, make_engine
from crm_core.base.errors import HubError
from crm_core.base.log import error_facts, get_logger
from crm_core.monitoring.models import Heartbeat
from crm_core.sources.models import Source
from ingest.http_client.addresses import allowed_here
from ingest.journal.disk_space import DiskGuard
from ingest.mailbox import folders
from ingest.mailbox.limits import DEFAULT, Limits
from ingest.mailbox.poll import poll
from ingest.mailbox.session import Session
from ingest.sources.sources import load_source

_LOOK_SECONDS = 2.0  # a new, paused or changed mailbox is noticed after this
_BEAT_SECONDS = 10.0
_LONGEST_SLEEP_SECONDS = 30.0  # so that a changed next_poll_at is seen
_END_SECONDS = 6.0  # a supervisor gives ten before it kills
_DATABASE_PAUSE_SECONDS = 2.0
_BUG_PAUSE_SECONDS = 60.0
_ROOM_PAUSE_SECONDS = 2.0  # while the disk is too full; mails wait in the mailbox, which is as safe

_log = get_logger(__name__)


@dataclass
class _Mailbox:
    """One source as it was when its thread was started."""

    stored: dict[str, Any]
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


def run(config: HubConfig, stop: threading.Event, wake: Callable[[str], None], limits: Limits = DEFAULT) -> None:
    """Until `stop` is set. A database that is away is waited for."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    engine = make_engine(config.database_url, "worker", pool_size=1)
    mailboxes: dict[int, _Mailbox] = {}
    beat_in = 0.0
    try:
        while not stop.is_set():
            try:
                with engine.begin() as connection:
                    _adjust(connection, config, mailboxes, owner, wake, limits)
                    if beat_in <= 0:
                        _beat(connection, len(mailboxes))
                        beat_in = _BEAT_SECONDS
            except SQLAlchemyError as error:
                _log.warning("mailbox_database_away", error=type(error).__name__)
            stop.wait(_LOOK_SECONDS)
            beat_in -= _LOOK_SECONDS
    finally:
        _end(config, engine, mailboxes, owner)


def _adjust(
    connection: SqlConnection,
    config: HubConfig,
    mailboxes: dict[int, _Mailbox],
    owner: str,
    wake: Callable[[str], None],
    limits: Limits,
) -> None:
    """Makes the threads those of the active mail sources."""
    rows = connection.execute(select(Source.id, Source.config).where(Source.channel == "mail", Source.state == "active"))
    wanted: dict[int, dict[str, Any]] = {row.id: row.config for row in rows}
    for source_id, mailbox in list(mailboxes.items()):
        if source_id not in wanted or mailbox.stored != wanted[source_id]:
            mailbox.stop.set()  # its lease keeps the successor waiting until it has ended
            del mailboxes[source_id]
        elif mailbox.thread is not None and not mailbox.thread.is_alive():
            del mailboxes[source_id]
    for source_id, stored in wanted.items():
        if source_id in mailboxes:
            continue
        mailbox = _Mailbox(stored)
        try:
            settings = load_source(connection, config, source_id).settings
        except (HubError, ValueError) as error:
            # Noted once; the source is loaded again when its settings change. A database that is away is no such note.
            mailboxes[source_id] = mailbox
            _log.error("mailbox_settings_unreadable", source_id=source_id, error=type(error).__name__)
            continue
        mailboxes[source_id] = mailbox
        if not isinstance(settings, ImapConfig):
            continue  # another connector's mail source; it brings its own poller
        mailbox.thread = threading.Thread(
            target=_watch,
            args=(config, source_id, settings, mailbox.stop, owner, wake, limits),
            name=f"mailbox-{source_id}",
            daemon=True,  # a server that hangs must not hold the process up; the lease is given back by `_end`
        )
        mailbox.thread.start()


def _watch(
    config: HubConfig,
    source_id: int,
    settings: ImapConfig,
    stop: threading.Event,
    owner: str,
    wake: Callable[[str], None],
    limits: Limits,
) -> None:
    """One mailbox, over and over."""
    session = Session(settings, partial(allowed_here, config), limits)
    disk = DiskGuard(config.home, config.disk_floor_bytes)
    database: psycopg.Connection[Any] | None = None
    fresh = True
    try:
        while not stop.is_set():
            if not disk.state().takes_events:
                session.close()  # the pause may be long, and servers end idle connections
                stop.wait(_ROOM_PAUSE_SECONDS)
                continue
            try:
                if database is None:
                    database = connect(config.database_url, "worker")
                if fresh:
                    folders.make_due(database, source_id)
                    fresh = False
                report = poll(
                    database,
                    session,
                    source_id,
                    owner=owner,
                    lease_seconds=config.lease_seconds,
                    wake=wake,
                    stopped=lambda: stop.is_set() or not disk.state().takes_events,
                )
                pause = report.pause_seconds if report.ran else folders.seconds_until_due(database, source_id, settings.folder)
            except psycopg.Error as error:
                _log.warning("mailbox_database_away", source_id=source_id, error=type(error).__name__)
                if database is not None:
                    database.close()
                database, pause = None, _DATABASE_PAUSE_SECONDS
            except Exception as error:  # noqa: BLE001 the edge of the role: a bug met by one mailbox is told and tried again
                _log.error(
                    "mailbox_poll_broke",
                    source_id=source_id,
                    **error_facts(error),
                )
                session.drop()
                pause = _BUG_PAUSE_SECONDS
            stop.wait(min(max(pause, 0.05), _LONGEST_SLEEP_SECONDS))
    finally:
        session.close()
        if database is not None:
            database.close()


def _beat(connection: SqlConnection, mailboxes: int) -> None:
    values = {
        "role": "mail",
        "instance": f"{socket.gethostname()}:{os.getpid()}",
        "data": {"mailboxes": mailboxes},
    }
    statement = insert(Heartbeat).values(**values, at=func.now())
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["role", "instance"],
            set_={"at": statement.excluded.at, "data": statement.excluded.data},
        )
    )


def _end(config: HubConfig, engine: Engine, mailboxes: dict[int, _Mailbox], owner: str) -> None:
    """Lets every thread finish its batch, then gives the leases back so that a successor need not wait."""
    for mailbox in mailboxes.values():
        mailbox.stop.set()
    for mailbox in mailboxes.values():
        if mailbox.thread is not None:
            mailbox.thread.join(_END_SECONDS / max(len(mailboxes), 1))
    try:
        with connect(config.database_url, "worker") as database:
            folders.release(database, owner)
    except psycopg.Error as error:
        _log.warning("mailbox_leases_kept", error=type(error).__name__)  # they expire by themselves
    engine.dispose()
