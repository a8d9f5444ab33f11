"""What the mailbox tests share: a source in the database, a poller on it, and the rows that it wrote."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Engine

from connectors.mail.imap import ImapConfig
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from ingest.http_client.addresses import Allowed, allowed_of
from ingest.mailbox import PollReport, Session, poll
from ingest.mailbox.limits import Limits
from ingest.sources.sources import add_source

#: Everything small, so that windows, batches and attempts are crossed with a handful of mails; but for the two limits that
#: a busy machine would pass.
SMALL = Limits(
    connect_seconds=30.0, read_seconds=30.0, window_uids=7, metadata_mails=4, batch_mails=5, batch_bytes=20_000,
    retry_seconds=0.0, backoff_seconds=0.01, longest_backoff_seconds=0.05, auth_retry_seconds=0.05, sweep_seconds=3_600.0,
)  # fmt: skip

#: What an operator says who runs a mail server on the hub's own machine, as the tests do.
ON_THIS_MACHINE = ("127.0.0.1",)


def here() -> Allowed:
    return allowed_of(ON_THIS_MACHINE)


@dataclass
class Bench:
    """One mail source and its poller."""

    database: psycopg.Connection[Any]
    source_id: int
    settings: ImapConfig
    limits: Limits = SMALL
    owner: str = "bench:1"
    lease_seconds: float = 60.0
    allowed: Callable[[], Allowed] = here
    woken: list[str] = field(default_factory=list)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.settings, self.allowed, self.limits)

    def poll(self, *, due: bool = True) -> PollReport:
        """One poll; `due` brings it forward, as time would."""
        if due:
            self.database.execute("UPDATE mailbox_folder SET next_poll_at = now() WHERE source_id = %s", (self.source_id,))
        return poll(
            self.database, self.session, self.source_id,
            owner=self.owner, lease_seconds=self.lease_seconds, wake=self.woken.append,
        )  # fmt: skip

    def folder(self) -> dict[str, Any]:
        return self.rows("SELECT * FROM mailbox_folder WHERE source_id = %s", self.source_id)[0]

    def refs(self) -> list[dict[str, Any]]:
        return self.rows(
            """SELECT r.* FROM mail_ref r JOIN mailbox_folder f ON f.id = r.folder_id
            WHERE f.source_id = %s ORDER BY r.uidvalidity, r.uid""",
            self.source_id,
        )

    def events(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM inbound_event WHERE source_id = %s ORDER BY id", self.source_id)

    def subjects(self) -> list[str]:
        """Subjects of the stored mails, in order; what the tests tell mails apart by."""
        lines = [line for event in self.events() for line in bytes(event["body"]).split(b"\r\n\r\n")[0].split(b"\r\n")]
        return [line[9:].decode() for line in lines if line.lower().startswith(b"subject: ")]

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.database.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(query.encode(), values).fetchall()

    def close(self) -> None:
        self.session.close()
        self.database.close()


def make_bench(engine: Engine, config: HubConfig, settings: dict[str, Any], **more: Any) -> Bench:
    """Adds a source with these settings through the hub's own door."""
    with engine.begin() as connection:
        source = add_source(connection, HUB, config, "imap", "Sales", settings)
    return Bench(connect(config.database_url, "worker"), source.id, ImapConfig.model_validate(settings), **more)


def poll_once_in_a_child(database_url: str, source_id: int, lease_seconds: float, settings: str, failpoint: str) -> None:
    """One poll in a process of its own, which the failpoint may kill. `settings` as JSON."""
    os.environ["LEADHUB_FAILPOINT"] = failpoint
    with connect(database_url, "worker") as database:
        session = Session(ImapConfig.model_validate_json(settings), here, SMALL)
        poll(database, session, source_id, owner="child:1", lease_seconds=lease_seconds)
        session.close()
