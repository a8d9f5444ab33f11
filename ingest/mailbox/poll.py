"""One look into one folder: cursor, to-do rows, bodies, now and then the proof. Ends in exactly one state with a reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from crm_core.base.errors import Misconfigured
from crm_core.base.log import error_facts, get_logger
from ingest.mailbox import folders, listing
from ingest.mailbox.bodies import EventResult, Work, take
from ingest.mailbox.failpoint import reach
from ingest.mailbox.failures import IMAP_ERRORS, Failure, explain
from ingest.mailbox.folders import Connection, Folder, LeaseLost
from ingest.mailbox.limits import Limits
from ingest.mailbox.session import Session

_MISSING_BEFORE_STATE = 3  # polls that find no folder; it may have been renamed for a moment

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PollReport:
    """`ran` is False when the folder was not due or another poller has it; then nothing else is said."""

    ran: bool
    state: str = ""
    listed: int = 0  # to-do rows written, those of a resync and of the sweep included
    taken: EventResult | None = None
    missed: int = 0  # found by the sweep only
    failure: Failure | None = None
    pause_seconds: float = 0.0


def poll(
    connection: Connection,
    session: Session,
    source_id: int,
    *,
    owner: str,
    lease_seconds: float = 60.0,
    wake: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> PollReport:
    """Polls the folder of `session.settings`. psycopg.Error goes up: without the database there is nowhere to say it.

    `connection` is in autocommit mode; `owner` names the process, so that its leases can be given back at its end.
    """
    folder = folders.acquire(connection, source_id, session.settings.folder, owner, lease_seconds)
    if folder is None:
        return PollReport(False)
    reach("mailbox.after_lease")
    work = Work(connection, session, folder, wake, stopped)
    try:
        listed, missed = _look(work)
    except LeaseLost:
        return PollReport(False)
    except listing.TooManyResyncs:
        failure = Failure(
            "uidvalidity_unstable",
            "The server numbers this folder anew again and again. Reading it is stopped for an hour; ask the provider.",
            "human",
        )
        return _failed(work, failure, "stopped")
    except (*IMAP_ERRORS, Misconfigured) as error:
        session.drop()
        return _failed(work, explain(error, session.settings), None)
    except psycopg.Error:
        raise
    except Exception as error:  # noqa: BLE001 a bug that this mailbox meets: told where its state is told, and tried again
        session.drop()
        _log.error("mailbox_poll_broke", source_id=source_id, **error_facts(error))
        words = f"Reading this mailbox breaks within the hub ({type(error).__name__}); its log says where. Nothing is lost."
        return _failed(work, Failure("poll_broke", words, "backoff"), None)
    pause = session.settings.poll_seconds
    reach("mailbox.before_finish")
    folders.finish(connection, folder, pause)
    if folder.state != "live":
        _log.info("mailbox_live", source_id=source_id, folder_id=folder.id, before=folder.state)
    return PollReport(True, "live", listed, work.taken, missed, None, pause)


def _look(work: Work) -> tuple[int, int]:
    seen = work.session.examine()
    work.folder, listed = listing.position(work.connection, work.session, work.folder, seen)
    listed += listing.list_new(work.connection, work.session, work.folder, seen)
    missed = listing.sweep(work.connection, work.session, work.folder, seen) if work.folder.sweep_due else 0
    if missed:
        _log.warning("mailbox_mail_missed", folder_id=work.folder.id, count=missed)
    take(work)
    return listed + missed, missed


def _failed(work: Work, failure: Failure, state: str | None) -> PollReport:
    folder, limits = work.folder, work.session.limits
    state = state or _state_after(folder, failure)
    pause = pause_after(failure, state, folder.fails, limits, random.uniform(0.8, 1.2))
    folders.fail(work.connection, folder, state, failure, pause)
    _log.warning(
        "mailbox_failed",
        source_id=folder.source_id,
        folder_id=folder.id,
        state=state,
        code=failure.code,
        pause_seconds=round(pause),
    )
    return PollReport(True, state, 0, work.taken, 0, failure, pause)


def _state_after(folder: Folder, failure: Failure) -> str:
    """Two refusals in a row make it the password's fault, three misses the folder's."""
    before = folder.last_error or {}
    again = before.get("code") == failure.code
    if failure.reaction == "auth" and again:
        return "auth_failed"
    if failure.reaction == "folder" and again and folder.fails + 1 >= _MISSING_BEFORE_STATE:
        return "folder_missing"
    if failure.reaction == "human":
        return "stopped"
    return "backoff"


def pause_after(failure: Failure, state: str, fails: int, limits: Limits, jitter: float) -> float:
    """Seconds until the next attempt: what the server asked for, else doubling, else rarely because a person is needed."""
    if state == "stopped":
        return limits.sweep_seconds
    if state == "auth_failed":
        return limits.auth_retry_seconds
    doubling = min(limits.backoff_seconds * float(1 << min(fails, 20)), limits.longest_backoff_seconds)
    return max(failure.wait_seconds, doubling * jitter)
