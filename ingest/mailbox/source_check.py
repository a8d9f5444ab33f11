"""Tries a source before it is saved: signs in to its mailbox and looks. Sources that are posted to have nothing to try.

No connection to the database is held meanwhile, and a server that answers byte by byte cannot hold the person up.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql import insert

from connectors.kit import ConnectorConfig
from connectors.mail.imap import ImapConfig
from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from crm_core.base.values import rfc3339
from crm_core.messages.models import MailboxFolder
from ingest.mailbox import MailboxFinding, check
from ingest.mailbox.advice import advice_for
from ingest.sources.settings import LoadedSource
from ingest.sources.sources import change_settings, load_source, source_address

SOURCE_CHECKED = history.Action("source.check")
SOURCE_TRIED = history.Action("source.try")

#: A person waits for it; most servers answer in one second, and a check has six questions.
_SECONDS = 20.0

#: Settings of a mailbox that decide whether it can be read. Others may be changed while its server is away.
_OF_CONNECTION = frozenset({"host", "port", "user", "password", "security", "folder"})


@dataclass(frozen=True, slots=True)
class CheckResult:
    findings: tuple[MailboxFinding, ...]  # in the order of the steps; the first that is not ok is the last

    @property
    def failure(self) -> MailboxFinding | None:
        last = self.findings[-1]
        return None if last.ok else last

    @property
    def ok(self) -> bool:
        return self.failure is None

    @property
    def advice(self) -> Sequence[str]:
        """What usually helps, in English."""
        return () if self.failure is None else advice_for(self.failure.code)


def check_source(settings: ConnectorConfig, config: HubConfig) -> CheckResult | None:
    """None where there is nothing to try. Takes at most `_SECONDS`; what comes later is forgotten."""
    if not isinstance(settings, ImapConfig):
        return None
    answer: Future[list[MailboxFinding]] = Future()
    threading.Thread(target=_ask, args=(answer, settings, config), name="source-check", daemon=True).start()
    try:
        return CheckResult(tuple(answer.result(_SECONDS)))
    except TimeoutError:
        where = f"{settings.host}:{settings.actual_port}"
        return CheckResult((MailboxFinding("connect", False, f"{where} does not answer in time.", "timeout"),))


def _ask(answer: Future[list[MailboxFinding]], settings: ImapConfig, config: HubConfig) -> None:
    try:
        answer.set_result(check(settings, config))
    except BaseException as error:  # noqa: BLE001 a bug is told to who waits, as if no thread stood between
        answer.set_exception(error)


def would_be(
    engine: Engine, principal: Principal, config: HubConfig, source_id: int, changes: Mapping[str, Any]
) -> ConnectorConfig | None:
    """The settings as a change would leave them, with every refusal that the change would meet; nothing is written.
    None if the change does not touch what a check can try."""
    if not _OF_CONNECTION & changes.keys():
        return None
    with engine.connect() as connection:
        changed = change_settings(connection, principal, config, source_id, changes)
        connection.rollback()
    return changed.settings


def begin_check(connection: Connection, principal: Principal, config: HubConfig, source_id: int) -> LoadedSource:
    """The source whose mailbox is going to be signed in to. NotFound; Conflict (no_check) where there is nothing to try."""
    demand(principal, "sources.write")
    source = load_source(connection, config, source_id)
    if not isinstance(source.settings, ImapConfig):
        raise Conflict("no_check", "This source has no connection to check.")
    history.record(connection, principal, SOURCE_CHECKED, source_id)
    return source


def begin_test(connection: Connection, principal: Principal, config: HubConfig, source_id: int) -> tuple[LoadedSource, str]:
    """The source that is going to be looked at from outside, whatever kind it is, and its address ("" if it has none). NotFound."""
    demand(principal, "sources.write")
    source = load_source(connection, config, source_id)
    history.record(connection, principal, SOURCE_CHECKED, source_id)
    return source, source_address(connection, config, source_id)


def begin_trial(connection: Connection, principal: Principal, config: HubConfig, source_id: int, *, is_test: bool) -> str:
    """The address of the source, at which somebody is going to knock. NotFound; Conflict (no_trial) if it has none."""
    demand(principal, "sources.write")
    url = source_address(connection, config, source_id)
    if not url:
        raise Conflict("no_trial", "This source cannot be tried from here.")
    history.record(connection, principal, SOURCE_TRIED, source_id, {"is_test": is_test})
    return url


def note_check(
    connection: Connection, source_id: int, settings: ConnectorConfig, result: CheckResult | None, now: datetime
) -> None:
    """Lets the source's state tell what the check found, before the mailbox is read for the first time."""
    if result is None or not isinstance(settings, ImapConfig):
        return
    failure = result.failure
    values: dict[str, Any]
    if failure is None:
        values = {"last_ok_at": now, "last_error": None, "fails": 0}
    else:
        error = {"code": failure.code, "message": failure.message, "since": rfc3339(now)}
        values = {"state": "backoff", "last_error": error, "fails": 1}
    statement = insert(MailboxFolder).values(source_id=source_id, name=settings.folder, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["source_id", "name"], set_=values))
