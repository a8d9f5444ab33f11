"""Files that forms name by their address, fetched later, through the guard, so that they do not vanish with the provider.

Refuses what is too large or lies in our own network, with a note on the file. The lead is there all the while.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.rows import dict_row

from connectors.kit import FetchRequest
from connectors.kit.forms.files import FILE_BYTES, clean_name
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.base.errors import HubError, Invalid, TooLarge, Transient
from crm_core.base.log import get_logger
from ingest.files.store import assure, forget, store
from ingest.http_client.client import HttpClient, Limits, http_client
from ingest.journal.disk_space import look
from ingest.sources.settings import loaded

FETCH_SECONDS = 15.0
MOST_TRIES = 8
FIRST_PAUSE_SECONDS = 30
LONGEST_PAUSE_SECONDS = 6 * 3600
LEASE_SECONDS = 120  # a file whose worker died is taken up again after this

_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")

_log = get_logger(__name__)

# Counted before the work, like events: what kills its worker is tried a few times only.
_TURN = f"""
UPDATE attachment SET attempts = attempts + 1, next_try_at = clock_timestamp() + make_interval(secs => {LEASE_SECONDS})
 WHERE id = (SELECT id FROM attachment WHERE state = 'to_fetch' AND next_try_at <= clock_timestamp()
              ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, event_id, url, name, type, attempts
"""
#: What was asked for is still wanted: not stored by another worker, not erased, not at another address since a replay.
_OURS = "id = %s AND state = 'to_fetch' AND url = %s"
_SOURCE = """
SELECT s.id, s.name, s.connector, s.channel, s.config, s.state, s.line, s.pool_id, s.allowed_hosts
  FROM inbound_event e JOIN source s ON s.id = e.source_id WHERE e.id = %s
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    attachment_id: int
    state: str  # stored | to_fetch | refused | failed
    note: str = ""


def fetch_next(config: HubConfig, client: HttpClient | None = None) -> Fetched | None:
    """Fetches the file that is due for the longest time; None if none is, or if the disk is too full to keep it. Raises
    OperationalError without a database."""
    if not look(config.home, config.disk_floor_bytes).takes_events:
        return None
    with connect(config.database_url, "worker") as connection:
        connection.row_factory = dict_row  # type: ignore[assignment]
        row: Any = connection.execute(_TURN).fetchone()
        if row is None:
            return None
        if row["attempts"] > MOST_TRIES:
            return _end(connection, row, "failed", "gave_up")  # every try ended with its worker
        if not _is_wanted(config, connection, row["event_id"]):
            return _end(connection, row, "refused", "fetching_off")
        try:
            limits = Limits(FETCH_SECONDS, FILE_BYTES)
            answer = (client or http_client(config)).ask(FetchRequest(row["url"]), limits)
        except TooLarge:
            return _end(connection, row, "failed", "too_large")
        except Invalid as error:
            return _end(connection, row, "failed", error.code)
        except Transient as error:
            return _again(connection, row, error.code)
        if answer.status in (408, 425, 429) or answer.status >= 500:
            return _again(connection, row, f"http_{answer.status}")
        if answer.status != 200:
            return _end(connection, row, "failed", f"http_{answer.status}")
        if not answer.body:
            return _end(connection, row, "failed", "empty")
        try:
            sha256 = store(config.home, answer.body)
        except OSError as error:
            _log.error("file_not_stored", error=type(error).__name__)
            return _again(connection, row, "not_stored")
        declared = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        name = row["name"] or clean_name(unquote(urlsplit(row["url"]).path))
        with connection.transaction(), connection.cursor() as cursor:
            assure(cursor, config.home, [sha256])
            cursor.execute(
                "UPDATE attachment SET state = 'stored', note = '', sha256 = %s, size = %s, name = %s,"
                f" type = CASE WHEN type = '' THEN %s ELSE type END WHERE {_OURS}",
                (sha256, len(answer.body), name, declared if _TYPE.fullmatch(declared) else "", row["id"], row["url"]),
            )
            written = cursor.rowcount
        if not written:  # erased or rewritten meanwhile
            forget(connection, config.home, sha256)
            return Fetched(row["id"], "refused", "erased")
        return Fetched(row["id"], "stored")


def _is_wanted(config: HubConfig, connection: psycopg.Connection[Any], event_id: int) -> bool:
    """False where the source's settings switch fetching off."""
    row: Any = connection.execute(_SOURCE, (event_id,)).fetchone()
    if row is None:
        return True
    try:
        return bool(getattr(loaded(config, row).settings, "fetch_files", True))
    except HubError:
        return True  # the source's settings do not open just now; the file may be gone when they do


def _again(connection: psycopg.Connection[Any], row: Any, note: str) -> Fetched:
    if row["attempts"] >= MOST_TRIES:
        return _end(connection, row, "failed", note)
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 4 ** (row["attempts"] - 1))
    connection.execute(
        f"UPDATE attachment SET note = %s, next_try_at = clock_timestamp() + make_interval(secs => %s) WHERE {_OURS}",
        (note, pause, row["id"], row["url"]),
    )
    return Fetched(row["id"], "to_fetch", note)


def _end(connection: psycopg.Connection[Any], row: Any, state: str, note: str) -> Fetched:
    connection.execute(f"UPDATE attachment SET state = %s, note = %s WHERE {_OURS}", (state, note, row["id"], row["url"]))
    return Fetched(row["id"], state, note)
