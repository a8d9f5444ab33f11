"""Asks providers that only announce for what their announcements missed. What is found goes in under the same keys.

A lead that was announced is therefore never doubled, and one whose announcement was lost appears here. One provider's
failure delays its own next turn and nobody else's. A look that one turn cannot finish goes on in the next, page by page.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from connectors.kit import Fetch, registry
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.base.errors import HubError, Malformed, SourceBroken, Transient
from crm_core.base.log import error_facts, get_logger
from ingest.alerts.alerts import end_alert, raise_alert
from ingest.fetch.backfill_progress import MOST_PAGES_OF_A_LOOK, Progress, anew, restored
from ingest.fetch.fetched import broken, known_keys, mended, put_in
from ingest.fetch.retry_after import keeping_retry_after, retry_after_of
from ingest.http_client.client import HttpClient, Limits, http_client
from ingest.journal.disk_space import look
from ingest.sources.settings import LoadedSource, loaded

#: Providers list a lead some time after it was made; what came within this time is asked for again.
OVERLAP = timedelta(hours=1)
#: A source that was added now is asked for what came since the day before.
FIRST_LOOK = timedelta(days=1)
SECONDS = 20.0  # one turn of one source; others want theirs
QUESTION_SECONDS = 10.0
MOST_PAGES = 200
MOST_ANSWER_BYTES = 8 * 1024 * 1024
LONGEST_PAUSE_MINUTES = 6 * 60
_SHORTEST_WISH_SECONDS = 60.0
_FAILS_BEFORE_ALERT = 3

_LOCK = 0x6C65_6164_6266  # "leadbf"

_log = get_logger(__name__)

# A turn is taken by moving the next one: of two workers one gets it, and one that dies loses a turn.
_TURN = """
UPDATE source_poll SET next_at = clock_timestamp() + make_interval(mins => %(minutes)s)
 WHERE source_id = (SELECT p.source_id FROM source_poll p JOIN source s ON s.id = p.source_id
                     WHERE p.next_at <= clock_timestamp() AND s.state = 'active' AND s.connector = ANY(%(connectors)s)
                     ORDER BY p.next_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
RETURNING source_id, since, fails, error, clock_timestamp() AS now
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at one provider gave."""

    source_id: int
    channel: str
    listed: int
    added: int  # of them not in the journal before
    error: str = ""  # its code
    is_whole: bool = True  # False: there is more than one turn can read


def run_next(config: HubConfig, client: HttpClient | None = None) -> Looked | None:
    """Looks at the source that is due for the longest time; None if none is, or if the disk is too full to take anything
    in. Raises OperationalError without a database."""
    if not look(config.home, config.disk_floor_bytes).takes_events:
        return None
    with connect(config.database_url, "worker") as connection:
        connection.row_factory = dict_row  # type: ignore[assignment]
        # One look at a time: slow providers must not take all workers. The lock ends with the connection at the latest.
        if not connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (_LOCK,)).fetchone()["got"]:  # type: ignore[index,call-overload]
            return None
        try:
            return _turn(config, client, connection)
        finally:
            if not connection.broken:  # at once: the end of a connection is noticed a moment later
                connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _turn(config: HubConfig, client: HttpClient | None, connection: psycopg.Connection[Any]) -> Looked | None:
    connectors = listing_connectors()
    _enrol(connection, connectors)
    turn: Any = connection.execute(_TURN, {"minutes": config.backfill_minutes, "connectors": connectors}).fetchone()
    if turn is None:
        return None
    row: Any = connection.execute(
        "SELECT id, name, connector, channel, config, state, line, pool_id, allowed_hosts, created_at FROM source"
        " WHERE id = %s", (turn["source_id"],),
    ).fetchone()  # fmt: skip
    look: Progress | None = None
    read = 0
    try:
        source = loaded(config, row)
        since = turn["since"] or row["created_at"] - FIRST_LOOK
        if since > turn["now"]:  # written by a clock that was set back since; what is known already costs nothing
            since = turn["now"] - FIRST_LOOK
        look = _taken_up(source, since, turn)
        read = look.pages
        listed, added = _look(config, client or http_client(config), connection, source, look)
    except HubError as error:
        _failed(connection, config, turn, error, look, has_progressed=look is not None and look.pages > read)
        return Looked(row["id"], row["channel"], 0, 0, error.code)
    except Exception as error:
        if isinstance(error, psycopg.Error):
            raise
        _log.error("backfill_failed", source_id=row["id"], **error_facts(error))
        failure = Transient("connector_failed", f"The connector failed ({type(error).__name__}).")
        _failed(connection, config, turn, failure, None)
        return Looked(row["id"], row["channel"], 0, 0, "connector_failed")
    if look.pages > read:  # with nothing to ask nothing was proved
        mended(connection, row["id"])
    end_alert(connection, row["id"], "poll_failed")
    if look.todo:  # the next turn goes on, after those of the others
        connection.execute("UPDATE source_poll SET fails = 0, next_at = clock_timestamp() WHERE source_id = %s", (row["id"],))
    else:
        connection.execute(
            "UPDATE source_poll SET since = %s, last_ok_at = clock_timestamp(), fails = 0, error = NULL"
            " WHERE source_id = %s", (look.began, row["id"]),
        )  # fmt: skip
    return Looked(row["id"], row["channel"], listed, added, is_whole=not look.todo)


def listing_connectors() -> list[str]:
    """Names of the connectors that can list what a provider has."""
    return [
        name for name, connector in registry.discover().items()
        if connector.fetch is not None and connector.fetch.lists is not None
    ]  # fmt: skip


def _enrol(connection: psycopg.Connection[Any], connectors: Sequence[str]) -> None:
    connection.execute(
        "INSERT INTO source_poll (source_id) SELECT id FROM source WHERE connector = ANY(%s) ON CONFLICT DO NOTHING",
        (list(connectors),),
    )


def _taken_up(source: LoadedSource, since: datetime, turn: Any) -> Progress:
    """The look where it was interrupted, else a new one."""
    fetch = source.connector.fetch
    assert fetch is not None
    assert fetch.lists is not None
    first = fetch.lists(source.settings, since - OVERLAP)
    return restored((turn["error"] or {}).get("look"), since, first) or anew(since, turn["now"], first)


def _look(
    config: HubConfig, client: HttpClient, connection: psycopg.Connection[Any], source: LoadedSource, look: Progress
) -> tuple[int, int]:
    """How many leads were listed, and how many were new. Each page is in the journal, and the place where it goes on is
    noted, before the next one is asked for.

    A list that cannot be had is told of at the end: it does not hide the others.
    """
    fetch: Fetch = source.connector.fetch  # type: ignore[assignment]
    assert fetch.page is not None
    assert fetch.read_list is not None
    end = time.monotonic() + SECONDS
    listed = added = pages = 0
    while look.todo:
        left = end - time.monotonic()
        if left <= 0 or pages >= MOST_PAGES:
            return listed, added
        if look.pages >= MOST_PAGES_OF_A_LOOK:
            look.todo.clear()
            raise Malformed("poll_endless", "The provider's list does not end. It is looked through from its beginning.")
        _, place = look.todo[0]
        try:
            answer = client.ask(fetch.page(place, source.settings), Limits(min(QUESTION_SECONDS, left), MOST_ANSWER_BYTES))
            with keeping_retry_after(answer):
                found = fetch.read_list(answer, source.settings)
            if found.next == place:
                raise Malformed("list_stands_still", "The provider's list goes on where it is.")
        except (Transient, SourceBroken):
            look.put_off()
            raise
        except HubError as error:
            if not look.begin_again():
                look.missed = look.missed or {"code": error.code, "message": error.message}
            _note(connection, source.id, look)
            continue
        bodies = dict(found.bodies)
        known = known_keys(connection, source.id, bodies)
        put_in(config, source.id, source.channel, {key: body for key, body in bodies.items() if key not in known})
        pages += 1
        listed += len(bodies)
        added += len(bodies) - len(known)
        look.next(found.next)
        if look.todo:
            _note(connection, source.id, look)
    if look.missed:
        raise Malformed(**look.missed)
    return listed, added


def _note(connection: psycopg.Connection[Any], source_id: int, look: Progress) -> None:
    unfinished = {"code": "poll_unfinished", "message": "The provider lists more than one turn can read. It goes on."}
    connection.execute(
        "UPDATE source_poll SET error = %s WHERE source_id = %s",
        (Jsonb(unfinished | {"look": look.stored()}), source_id),
    )


def _failed(
    connection: psycopg.Connection[Any], config: HubConfig, turn: Any, error: HubError, look: Progress | None,
    *, has_progressed: bool = False,
) -> None:  # fmt: skip
    """Later again, with growing pauses; told to somebody at once if only he can mend it, else when it goes on."""
    source_id, fails = turn["source_id"], 1 if has_progressed else turn["fails"] + 1
    # What waits for a person is looked at as often as ever, so that it goes on soon after he has mended it.
    steps = 0 if isinstance(error, SourceBroken) else min(fails - 1, 10)
    pause = 60.0 * max(config.backfill_minutes, min(LONGEST_PAUSE_MINUTES, config.backfill_minutes * 2**steps))
    retry_after = retry_after_of(error) if isinstance(error, Transient) else None
    if retry_after is not None:
        pause = max(_SHORTEST_WISH_SECONDS, min(LONGEST_PAUSE_MINUTES * 60.0, retry_after))
    told = {"code": error.code, "message": error.message}
    connection.execute(
        "UPDATE source_poll SET fails = %s, error = %s, next_at = clock_timestamp() + make_interval(secs => %s)"
        " WHERE source_id = %s",
        (fails, Jsonb(told | ({"look": look.stored()} if look and look.todo else {})), pause, source_id),
    )
    if isinstance(error, SourceBroken):
        broken(connection, source_id, error.code, error.message)
    elif fails >= _FAILS_BEFORE_ALERT or not isinstance(error, Transient):
        raise_alert(connection, source_id, "poll_failed", data={"code": error.code, "said": error.message})
