"""Claims waiting events under a lease, and writes what became of them. The fencing token decides, not the clock.

`attempts` rises before the work, so an event that kills its worker is seen without any exception being caught: it is
then taken alone, and parked after `MOST_LOST_CLAIMS`. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from psycopg.types.json import Jsonb

from crm_core.intake.rows import Cursor

#: After so many claims in a row whose worker never came back, the event is what kills them.
MOST_LOST_CLAIMS = 3
#: A batch ends before its bodies weigh more, unless one alone does. Parsed they take several times that.
MOST_BATCH_BYTES = 32 * 1024 * 1024
#: Caught, passing failures are repeated this often, with doubling pauses from the first to the longest.
MOST_ATTEMPTS = 12
FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 3600

#: Holds for an event that goes on only when something was fetched for it; the mark stands beside its error until it ends.
TO_FETCH = "coalesce(error->>'by', '') = 'fetch'"

_DUE = """
    channel = %(channel)s AND state IN ('waiting', 'working') AND next_attempt_at <= clock_timestamp()
    AND source_id NOT IN (SELECT id FROM source WHERE state = 'paused')
"""

_CLAIM = """
WITH due AS (
    SELECT id, next_attempt_at, octet_length(body) AS bytes FROM inbound_event WHERE {due} AND {which}
     ORDER BY next_attempt_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), weighed AS (
    SELECT id, sum(bytes) OVER (ORDER BY next_attempt_at, id) AS until, row_number() OVER (ORDER BY next_attempt_at, id) AS nth
      FROM due
)
UPDATE inbound_event e
   SET state = 'working', claim_token = %(token)s, attempts = e.attempts + 1, lost_claims = e.lost_claims + 1,
       next_attempt_at = clock_timestamp() + make_interval(secs => %(lease)s)
  FROM weighed WHERE e.id = weighed.id AND (weighed.nth = 1 OR weighed.until <= %(bytes)s)
RETURNING e.id, e.uid, e.source_id, e.channel, e.received_at, e.method, e.path, e.query, e.headers, e.body, e.remote_ip,
          e.unclaimed, e.attempts, e.replayed, e.done_at IS NULL AS first_time, e.lead_id, e.verdict, e.reason
"""
# Events that nobody has tried yet go in batches; one that was tried before goes alone, so that whatever is wrong with
# it costs its neighbours nothing. One that waits for a foreign server is for those who may wait for one.
_FRESH = _CLAIM.format(due=_DUE, which="attempts = 0")
_SUSPECT = _CLAIM.format(due=_DUE, which=f"attempts > 0 AND lost_claims < {MOST_LOST_CLAIMS} AND NOT {TO_FETCH}")
_TO_FETCH = _CLAIM.format(
    due=_DUE.replace("channel = %(channel)s AND", ""),
    which=f"{TO_FETCH} AND lost_claims < {MOST_LOST_CLAIMS} AND source_id <> ALL(%(resting)s)",
)

_PARK = f"""
UPDATE inbound_event SET state = 'needs_attention', claim_token = NULL,
       error = jsonb_build_object('code', 'stops_its_worker', 'message',
           'Processing this event stopped its worker {MOST_LOST_CLAIMS} times. Look at the raw data; replay it after an update.')
 WHERE state = 'working' AND next_attempt_at <= clock_timestamp() AND lost_claims >= {MOST_LOST_CLAIMS}
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One event in this worker's hands."""

    id: int
    uid: str
    source_id: int
    channel: str
    received_at: datetime
    method: str
    path: str
    query: str
    headers: dict[str, Any]
    body: bytes
    remote_ip: str
    unclaimed: bool
    attempts: int
    replayed: int
    first_time: bool = True  # it never had an outcome before
    lead_id: int | None = None  # of the outcome that it had
    verdict: dict[str, Any] | None = None  # what a person decided about it, above all rules
    reason: dict[str, Any] = field(default_factory=dict)  # of that outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event has no outcome. `state`: rejected | needs_attention | waiting (with a pause)."""

    event_id: int
    state: str
    code: str
    message: str
    path: str | None = None
    attempts: int = 1
    pause_seconds: float | None = None  # instead of the usual doubling one, while it waits
    is_try: bool = True  # False: it waits for something else than luck, and that is no step towards giving up
    to_fetch: bool = False  # it waits for what must be fetched: `claim` leaves it to `claim_to_fetch`


class ClaimLost(Exception):
    """The lease ran out and somebody else has the event: everything done for it here is rolled back."""


def claim(
    cursor: Cursor, channel: str, limit: int, lease_seconds: float, tried_only: bool = False
) -> tuple[str, list[Claimed]]:
    """Takes up to `limit` untried events, oldest first, or one tried event; returns the fencing token with them."""
    token = uuid4().hex
    parameters = {
        "channel": channel,
        "limit": limit,
        "token": token,
        "lease": lease_seconds,
        "bytes": MOST_BATCH_BYTES,
    }
    rows = [] if tried_only else cursor.execute(_FRESH, parameters).fetchall()
    if not rows:
        rows = cursor.execute(_SUSPECT, {**parameters, "limit": 1}).fetchall()
    return token, _claimed(rows)


def claim_to_fetch(cursor: Cursor, lease_seconds: float, resting: Sequence[int]) -> tuple[str, list[Claimed]]:
    """Takes one event, of whatever channel, for which something must be fetched; none of the sources that are resting."""
    token = uuid4().hex
    parameters = {"limit": 1, "token": token, "lease": lease_seconds, "bytes": MOST_BATCH_BYTES, "resting": list(resting)}
    return token, _claimed(cursor.execute(_TO_FETCH, parameters).fetchall())


def _claimed(rows: Sequence[dict[str, Any]]) -> list[Claimed]:
    claimed = [Claimed(**{**row, "body": bytes(row["body"])}) for row in rows]
    return sorted(claimed, key=lambda one: one.id)


def park_killers(cursor: Cursor) -> int:
    """Sets events aside that stopped their workers too often; returns how many."""
    return cursor.execute(_PARK).rowcount


def hold(cursor: Cursor, token: str, event_ids: Sequence[int]) -> None:
    """Makes sure, before any work is written, that all the events are still ours. ClaimLost if one is not."""
    cursor.execute(
        "SELECT id FROM inbound_event WHERE id = ANY(%s) AND claim_token = %s ORDER BY id FOR NO KEY UPDATE",
        (list(event_ids), token),
    )
    if cursor.rowcount != len(event_ids):
        raise ClaimLost


def finish(cursor: Cursor, token: str, results: Sequence[dict[str, Any]]) -> None:
    """Writes outcomes. Raises ClaimLost if any of the events is no longer ours; the caller rolls back."""
    if not results:
        return
    cursor.execute(
        "UPDATE inbound_event e SET state = 'done', outcome = k.outcome, reason = k.reason, error = NULL,"
        "       lead_id = k.lead_id, contact_id = k.contact_id, done_at = clock_timestamp(), claim_token = NULL,"
        "       lost_claims = 0"
        "  FROM json_to_recordset(%s) AS k(id bigint, outcome text, reason jsonb, lead_id bigint, contact_id bigint)"
        " WHERE e.id = k.id AND e.claim_token = %s",
        (orjson.dumps(results).decode(), token),
    )
    if cursor.rowcount != len(results):
        raise ClaimLost


def regain_keys(cursor: Cursor, events: Sequence[Claimed]) -> None:
    """Gives what was rejected once and has an outcome now its key back, so that the sender's next try is known as one.

    A key that another event has by now stays there. Call it after `finish`, in its transaction.
    """
    for event in events:
        key = event.reason.get("provider_key")
        if not key:
            continue
        cursor.execute(
            "UPDATE inbound_event e SET provider_key = %(key)s WHERE id = %(id)s AND provider_key IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM inbound_event o WHERE o.source_id = e.source_id AND o.provider_key = %(key)s)",
            {"key": key, "id": event.id},
        )


def fail(cursor: Cursor, token: str, failures: Sequence[Failure]) -> None:
    """Writes why events have no outcome yet. An event that is no longer ours is left alone."""
    for failure in failures:
        usual = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** max(0, failure.attempts - 1))
        pause = usual if failure.pause_seconds is None else failure.pause_seconds
        cursor.execute(
            "UPDATE inbound_event SET state = %(state)s, error = %(error)s, claim_token = NULL, lost_claims = 0,"
            # A forged event must not stand in the genuine one's place: its key is free again, kept only to look at. One
            # that has its lead was genuine once, whatever the source's secret is today.
            "       provider_key = CASE WHEN %(state)s = 'rejected' AND lead_id IS NULL THEN NULL ELSE provider_key END,"
            "       reason = CASE WHEN %(state)s = 'rejected' AND lead_id IS NULL AND provider_key IS NOT NULL"
            "                     THEN jsonb_build_object('provider_key', provider_key) ELSE reason END,"
            # One that was tried stays tried, so that it goes on being taken alone.
            "       attempts = CASE WHEN %(is_try)s THEN attempts ELSE greatest(1, attempts - 1) END,"
            "       next_attempt_at = clock_timestamp() + make_interval(secs => %(pause)s * (0.5 + random()))"
            " WHERE id = %(id)s AND claim_token = %(token)s",
            {
                "state": failure.state,
                "error": Jsonb(
                    {"code": failure.code, "message": failure.message, "path": failure.path}
                    | ({"by": "fetch"} if failure.to_fetch else {})
                ),
                "pause": pause if failure.state == "waiting" else 0,
                "is_try": failure.is_try,
                "id": failure.event_id,
                "token": token,
            },
        )
