"""Sends the demo's traffic through the entrances, waits until everything has its outcome, and gives the ledger back."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, text

from crm_core.access import DEMO
from crm_core.base.config import HubConfig
from crm_core.base.errors import Transient
from crm_core.people.commands import add_owner
from crm_core.people.queries import list_owners
from ingest.http_client.addresses import DEMO_MAILBOX
from ingest.journal.ledger import LedgerRow, ledger
from ingest.sources.sources import add_source, change_settings, list_sources, set_state
from leadhub.demo import dovecot
from leadhub.demo.traffic import MAILS, Post, calls, forms, mails

_OWNERS = (("Anna Demo", "101"), ("Boris Demo", "102"), ("Vera Demo", "103"))
_NAMES = {"form": "Demo website", "call": "Demo exchange", "mail": "Demo mailbox"}
_AT_ONCE = 4  # browsers and exchanges that send at the same time
_TRIES = 5  # an entrance that says 503 is asked again
_PATIENCE_SECONDS = 120.0

Progress = Callable[[str, int, int], None]  # (what, done, of how many)


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo's own entrances."""

    form_url: str
    call_url: str
    mail_id: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """What one source was sent in this run, and what it made of it: sent = received + redelivered."""

    source: str
    sent: int  # posts, or mails that were put into the mailbox
    received: int  # events
    redelivered: int  # the same again under the same key: counted on the event that is there

    @property
    def words(self) -> str:
        again = (
            f" + {self.redelivered} sent a second time under the same key, which are the same events" if self.redelivered else ""
        )
        return f"{self.source}: {self.sent} sent = {self.received} received{again}."


def play(config: HubConfig, engine: Engine, progress: Progress) -> tuple[list[LedgerRow], list[Played]]:
    """Plays everything; rows of the ledger of the demo's sources for today, and how they come from what this run sent.
    Transient if the hub does not answer."""
    seed = int(time.time()) % 100_000  # another run brings other people
    with dovecot_running(config) as server:
        stage = _set_stage(config, engine, server)
        with engine.connect() as connection:
            started_at = connection.scalar(text("SELECT clock_timestamp()"))
        try:
            posts = _send(stage.form_url, ([post] for post in forms(seed)), progress, "forms")
            told = _send(stage.call_url, calls(seed, tuple(extension for _, extension in _OWNERS)), progress, "calls")
            letters = mails(seed, datetime.now(UTC))
            server.append_many("demo", letters)
            _wait(engine, stage, started_at, progress)
        finally:
            with engine.begin() as connection:
                set_state(connection, DEMO, stage.mail_id, "paused")  # its server goes away with the demo
    today = datetime.now(config.zone).date()
    with engine.connect() as connection:
        rows = [row for source_id in stage.ids for row in ledger(connection, config.timezone, today, today, source_id)]
        sent = zip(stage.ids, _NAMES.values(), (posts, told, len(letters)), strict=True)
        return rows, [_played(connection, source_id, name, count, started_at) for source_id, name, count in sent]


def _played(connection: Connection, source_id: int, name: str, sent: int, started_at: datetime | None) -> Played:
    row = connection.execute(
        text("SELECT count(*) AS received, coalesce(sum(redeliveries), 0) AS again FROM inbound_event"
             " WHERE source_id = :source AND received_at >= :start"),
        {"source": source_id, "start": started_at},
    ).one()  # fmt: skip
    return Played(name, sent, row.received, int(row.again))


@contextmanager
def dovecot_running(config: HubConfig) -> Iterator[dovecot.Dovecot]:
    """The demo's mail server, and the note in the home that lets the hub connect to exactly this port of this machine."""
    server = dovecot.start()
    note = config.home / DEMO_MAILBOX
    try:
        note.write_text(f"{server.host} {server.port}\n", encoding="ascii")
        yield server
    finally:
        note.unlink(missing_ok=True)
        server.stop()


def _set_stage(config: HubConfig, engine: Engine, server: dovecot.Dovecot) -> Stage:
    with engine.begin() as connection:
        if all(owner.duty for owner in list_owners(connection)):
            for name, extension in _OWNERS:
                add_owner(connection, DEMO, name, extension=extension)
        form_id, form_url = _entrance(connection, config, "form", "generic_form", {})
        call_id, call_url = _entrance(connection, config, "call", "generic_call", {})
        mailbox = {key: str(value) for key, value in server.settings("demo").items()}
        mail_id, _ = _entrance(connection, config, "mail", "imap", mailbox)
        change_settings(connection, DEMO, config, mail_id, mailbox)
        set_state(connection, DEMO, mail_id, "active")
        connection.execute(
            text("UPDATE mailbox_folder SET next_poll_at = now(), fails = 0 WHERE source_id = :id"), {"id": mail_id}
        )
    return Stage(form_url, call_url, mail_id, (form_id, call_id, mail_id))


def _entrance(
    connection: Connection, config: HubConfig, channel: str, connector: str, settings: dict[str, str]
) -> tuple[int, str]:
    """The demo's source of this channel; made at the first demo, used again by the next."""
    for row in list_sources(connection, config):
        if row.name == _NAMES[channel] and row.connector == connector:
            return row.id, row.url
    made = add_source(connection, DEMO, config, connector, _NAMES[channel], settings)
    return made.id, made.url


def _send(url: str, groups: Iterable[list[Post]], progress: Progress, what: str) -> int:
    """Posts groups side by side, the posts of one group in order; how many posts that were."""
    waiting = list(groups)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for done, _ in enumerate(threads.map(lambda group: _post_all(url, group), waiting), start=1):
            progress(what, done, len(waiting))
    return sum(len(group) for group in waiting)


def _post_all(url: str, posts: list[Post]) -> None:
    parts = urlsplit(url)
    for post in posts:
        for attempt in range(_TRIES):
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            connection = kind(parts.netloc, timeout=10)
            try:
                connection.request("POST", parts.path, post.body, {"accept": "application/json", **post.headers})
                status = connection.getresponse().status
            except OSError as error:
                raise Transient("hub_unreachable", f"Nothing answers at {parts.netloc}; is the hub running?") from error
            finally:
                connection.close()
            if status == 200:
                break
            if status != 503 or attempt == _TRIES - 1:
                raise Transient("entrance_refused", f"The entrance answered {status}.")
            time.sleep(1)


def _wait(engine: Engine, stage: Stage, started_at: datetime | None, progress: Progress) -> None:
    """Until the mails are in and nothing of the demo waits."""
    end = time.monotonic() + _PATIENCE_SECONDS
    with engine.connect() as connection:
        while time.monotonic() < end:
            row = connection.execute(
                text(
                    "SELECT count(*) FILTER (WHERE state IN ('waiting', 'working')) AS open,"
                    "       count(*) FILTER (WHERE source_id = :mail AND received_at >= :start"
                    "                          AND state NOT IN ('waiting', 'working')) AS mails"
                    "  FROM inbound_event WHERE source_id = ANY(:ids)"
                ),
                {"mail": stage.mail_id, "ids": list(stage.ids), "start": started_at},
            ).one()
            connection.rollback()
            progress("mails", min(MAILS, row.mails), MAILS)
            if row.open == 0 and row.mails >= MAILS:
                return
            time.sleep(0.25)
    raise Transient("demo_not_finished", "Not everything got its outcome in time; `leadhub health` says where it waits.")
