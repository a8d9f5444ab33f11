"""Asks providers that only announce for what their announcements missed. What is found goes in under the same keys.

A lead that was announced is therefore never doubled, and one whose announcement was lost appears here. One provider's
failure delays its own next turn and nobody else's.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from connectors.kit import Ask, Fetch, registry
from crm_core.config import HubConfig
from crm_core.database import connect
from crm_core.errors import HubError, SourceBroken, Transient, without_words
from ingest.alerts import end_alert, raise_alert
from ingest.fetched import broken, known_keys, mended, put_in
from ingest.outbound import Limits, Outbound, outbound
from ingest.source_settings import LoadedSource, loaded

#: Providers list a lead some time after it was made; what came within this time is asked for again.
OVERLAP = timedelta(hours=1)
#: A source that was added now is asked for what came since the day before.
FIRST_LOOK = timedelta(days=1)
SECONDS = 20.0  # one turn of one source; sweeps use the same workers
QUESTION_SECONDS = 10.0
MOST_PAGES = 200
MOST_ANSWER_BYTES = 8 * 1024 * 1024
_LONGEST_PAUSE_MINUTES = 6 * 60
_FAILS_BEFORE_ALERT = 3

_LOCK = 0x6C65_6164_6266  # "leadbf"

_log = logging.getLogger(__name__)

# A turn is taken by moving the next one: of two workers one gets it, and one that dies loses a turn.
_TURN = """
UPDATE source_poll SET next_at = clock_timestamp() + make_interval(mins => %(minutes)s)
 WHERE source_id = (SELECT p.source_id FROM source_poll p JOIN source s ON s.id = p.source_id
                     WHERE p.next_at <= clock_timestamp() AND s.state = 'active' AND s.connector = ANY(%(connectors)s)
                     ORDER BY p.next_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
RETURNING source_id, since, fails, clock_timestamp() AS now
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at one provider gave."""

    source_id: int
    channel: str
    listed: int
    added: int  # of them not in the journal before
    error: str = ""  # its code


def run_next(config: HubConfig, client: Outbound | None = None) -> Looked | None:
    """Looks at the source that is due for the longest time; None if none is. Raises OperationalError without a database."""
    with connect(config.database_url, "worker") as connection:
        connection.row_factory = dict_row  # type: ignore[assignment]
        # One look at a time: slow providers must not take all workers. The lock ends with the connection.
        if not connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (_LOCK,)).fetchone()["got"]:  # type: ignore[index,call-overload]
            return None
        connectors = listing_connectors()
        _enrol(connection, connectors)
        turn: Any = connection.execute(
            _TURN, {"minutes": config.backfill_minutes, "connectors": connectors}
        ).fetchone()
        if turn is None:
            return None
        row: Any = connection.execute(
            "SELECT id, name, connector, channel, config, state, line, pool_id, allowed_hosts, created_at FROM source"
            " WHERE id = %s", (turn["source_id"],),
        ).fetchone()  # fmt: skip
        since = turn["since"] or row["created_at"] - FIRST_LOOK
        try:
            source = loaded(config, row)
            assert source.connector.fetch is not None
            pages, listed, added = _look(config, client or outbound(config), connection, source, since, turn["fails"])
        except HubError as error:
            _failed(connection, config, turn, error)
            return Looked(row["id"], row["channel"], 0, 0, error.code)
        except Exception as error:
            if isinstance(error, psycopg.Error):
                raise
            _log.error("backfill_failed source=%s %s", row["id"], without_words(error))
            _failed(
                connection,
                config,
                turn,
                Transient("connector_failed", f"The connector failed ({type(error).__name__})."),
            )
            return Looked(row["id"], row["channel"], 0, 0, "connector_failed")
        connection.execute(
            "UPDATE source_poll SET since = %s, last_ok_at = clock_timestamp(), fails = 0, error = NULL WHERE source_id = %s",
            (turn["now"], row["id"]),
        )
        if pages:  # with nothing to ask nothing was proved
            mended(connection, row["id"])
        end_alert(connection, row["id"], "poll_failed")
        return Looked(row["id"], row["channel"], listed, added)


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


def _look(
    config: HubConfig,
    client: Outbound,
    connection: psycopg.Connection[Any],
    source: LoadedSource,
    since: datetime,
    fails: int,
) -> tuple[int, int, int]:
    """Pages, leads, and leads that were new. All pages of all lists; each page is in the journal before the next one is asked for.

    A list that cannot be had is told of at the end: it does not hide the others.
    """
    fetch: Fetch = source.connector.fetch  # type: ignore[assignment]
    assert fetch.lists is not None
    assert fetch.read_list is not None
    end = time.monotonic() + SECONDS
    questions: deque[Ask] = deque(fetch.lists(source.settings, since - OVERLAP))
    if fails and questions:  # where a turn is too short for all, another list begins the next one
        questions.rotate(-random.randrange(len(questions)))
    listed = added = pages = 0
    failure: HubError | None = None
    while questions:
        left = end - time.monotonic()
        if left <= 0 or pages >= MOST_PAGES:
            raise Transient(
                "poll_unfinished", "The provider lists more than one turn can read; the next one goes on."
            )
        answer = client.ask(questions.popleft(), Limits(min(QUESTION_SECONDS, left), MOST_ANSWER_BYTES))
        pages += 1
        try:
            found = fetch.read_list(answer, source.settings)
        except (Transient, SourceBroken):
            raise
        except HubError as error:
            failure = failure or error
            continue
        bodies = dict(found.bodies)
        known = known_keys(connection, source.id, bodies)
        put_in(
            config, source.id, source.channel, {key: body for key, body in bodies.items() if key not in known}
        )
        listed += len(bodies)
        added += len(bodies) - len(known)
        if found.next is not None:
            questions.append(found.next)
    if failure is not None:
        raise failure
    return pages, listed, added


def _failed(connection: psycopg.Connection[Any], config: HubConfig, turn: Any, error: HubError) -> None:
    """Later again, with growing pauses; told to somebody at once if only he can mend it, else when it goes on."""
    source_id, fails = turn["source_id"], turn["fails"] + 1
    # What waits for a person is looked at as often as ever, so that it goes on soon after he has mended it.
    steps = 0 if isinstance(error, SourceBroken) else min(fails - 1, 10)
    pause = max(config.backfill_minutes, min(_LONGEST_PAUSE_MINUTES, config.backfill_minutes * 2**steps))
    connection.execute(
        "UPDATE source_poll SET fails = %s, error = %s, next_at = clock_timestamp() + make_interval(mins => %s)"
        " WHERE source_id = %s",
        (fails, Jsonb({"code": error.code, "message": error.message}), pause, source_id),
    )
    if isinstance(error, SourceBroken):
        broken(connection, source_id, error.code, error.message)
    elif fails >= _FAILS_BEFORE_ALERT or not isinstance(error, Transient):
        raise_alert(connection, source_id, "poll_failed", data={"code": error.code, "said": error.message})
