"""The only writer of the journal after an event was accepted: each function is one transition of `ingest.journal.states`.

Nobody else updates or deletes a row of `inbound_event`; a test reads the whole source for it. Callers choose the events and
own the transaction; what may not happen in an event's state does not happen to it, or is said by the known error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from crm_core.batch.rows import Cursor
from ingest.journal import states

_DUE: Final = """
    channel = %(channel)s AND state IN ('waiting', 'working') AND next_attempt_at <= clock_timestamp()
    AND source_id NOT IN (SELECT id FROM source WHERE state = 'paused')
"""
#: What a worker gets in its hands.
CLAIMED: Final = """e.id, e.uid, e.source_id, e.channel, e.received_at, e.method, e.path, e.query, e.headers, e.body, e.remote_ip,
          e.unclaimed, e.attempts, e.replayed, e.done_at IS NULL AS first_time, e.lead_id, e.verdict, e.reason, e.verified_at_door,
          coalesce(e.rejected_key, e.reason->>'provider_key') AS rejected_key"""  # the reason's is of the version before


def _claiming(due: str, which: str) -> str:
    # The rows are locked and their state is looked at in the first part: a second look would only offer the planner the
    # index of all that waits, however long the queue is.
    return f"""
WITH due AS (
    SELECT id, next_attempt_at, octet_length(body) AS bytes FROM inbound_event WHERE {due} AND {which}
     ORDER BY next_attempt_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), weighed AS (
    SELECT id, sum(bytes) OVER (ORDER BY next_attempt_at, id) AS until, row_number() OVER (ORDER BY next_attempt_at, id) AS nth
      FROM due
)
""" + states.CLAIM.update(
        "e.id = weighed.id AND (weighed.nth = 1 OR weighed.until <= %(bytes)s)", "weighed", CLAIMED, guarded=False
    )


#: Events that nobody has tried yet go in batches; one that was tried before goes alone, so that whatever is wrong with it
#: costs its neighbours nothing. One that waits for a foreign server is for those who may wait for one.
_CLAIMS: Final = {
    "fresh": _claiming(_DUE, "attempts = 0"),
    "tried": _claiming(_DUE, f"attempts > 0 AND lost_claims < {states.MOST_LOST_CLAIMS} AND NOT to_fetch"),
    "to_fetch": _claiming(
        _DUE.replace("channel = %(channel)s AND", ""),
        f"to_fetch AND lost_claims < {states.MOST_LOST_CLAIMS} AND source_id <> ALL(%(resting)s)",
    ),
}
_FINISH: Final = states.FINISH.update(
    "e.id = k.id AND e.claim_token = %(token)s",
    "json_to_recordset(%(results)s) AS k(id bigint, outcome text, reason jsonb, lead_id bigint, contact_id bigint)",
)
_FAILURES: Final = {
    transition.target: transition.update("id = %(id)s AND claim_token = %(token)s")
    for transition in (states.RETRY, states.GIVE_UP, states.REJECT)
}
_REGAIN_KEY: Final = states.REGAIN_KEY.update(
    "id = %(id)s AND provider_key IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM inbound_event o WHERE o.source_id = e.source_id AND o.provider_key = %(key)s)"
)
_PARK: Final = states.PARK.update(f"next_attempt_at <= clock_timestamp() AND lost_claims >= {states.MOST_LOST_CLAIMS}")
_COUNT: Final = states.COUNT_REDELIVERIES.update(
    "e.id = t.id",
    "(SELECT l.id, i.times FROM inbound_event l"
    "  JOIN (SELECT id, count(*) * %(sign)s AS times FROM unnest(%(ids)s::int8[]) AS u(id) GROUP BY id) AS i ON i.id = l.id"
    "   FOR UPDATE OF l SKIP LOCKED) AS t",
    "e.id", guarded=False,
)  # fmt: skip
_LATEST: Final = f"""CASE
     WHEN state = 'working' THEN %(lease)s
     WHEN attempts = 0 THEN 0
     WHEN to_fetch THEN {states.LONGEST_PAUSE_SECONDS * states.SPREAD}
     ELSE {states.SPREAD} * greatest({states.LEAST_PAUSE_SECONDS},
          least({states.LONGEST_PAUSE_SECONDS}, {states.FIRST_PAUSE_SECONDS} * 2.0 ^ least(attempts - 1, 20)))
     END"""
# By the index of what waits: only rows with a due time in the future are read.
_PULL_BACK: Final = f"""
WITH late AS (
    SELECT id, state FROM inbound_event
     WHERE channel IN ('form', 'call', 'mail') AND state IN ('waiting', 'working')
       AND next_attempt_at > clock_timestamp() + make_interval(secs => %(margin)s)
       AND next_attempt_at > clock_timestamp() + make_interval(secs => %(margin)s + {_LATEST})
     LIMIT 10000 FOR UPDATE SKIP LOCKED
)
""" + states.PULL_BACK.update("e.id = late.id", "late", guarded=False)


# What workers do. `cursor` gives rows as dictionaries.


def claim(cursor: Cursor, which: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Takes due events: `which` of them is fresh | tried | to_fetch. `parameters`: token, limit, lease (seconds), bytes, and
    channel, or of those to fetch the sources that are resting."""
    return cursor.execute(_CLAIMS[which], parameters).fetchall()


def finish(cursor: Cursor, token: str, results: Sequence[Mapping[str, Any]]) -> int:
    """Writes outcomes: {"id","outcome","reason","lead_id","contact_id"} each. Returns how many were still the token's."""
    return cursor.execute(_FINISH, {"results": orjson.dumps(results).decode(), "token": token}).rowcount


def fail(
    cursor: Cursor, token: str, event_id: int, state: str, error: Mapping[str, Any], *, pause_seconds: float = 0.0,
    is_try: bool = True, to_fetch: bool = False,
) -> None:  # fmt: skip
    """Writes why an event has no outcome yet: it waits, needs attention or is rejected. Nothing if it is no longer the
    token's. `pause_seconds` and `to_fetch` are of one that waits."""
    cursor.execute(
        _FAILURES[state],
        {
            "id": event_id,
            "token": token,
            "error": Jsonb(error),
            "pause": pause_seconds,
            "is_try": is_try,
            "to_fetch": to_fetch,
        },
    )


def regain_key(cursor: Cursor, event_id: int, key: str) -> None:
    """Gives what was rejected once and is done now its key back. A key that another event has by now stays there."""
    cursor.execute(_REGAIN_KEY, {"key": key, "id": event_id})


def forget(cursor: Cursor, event_ids: Sequence[int]) -> None:
    """Empties finished events that brought again what a person had erased."""
    cursor.execute(states.FORGET.update("id = ANY(%s)"), (list(event_ids),))


def park(cursor: Cursor) -> int:
    """Sets events aside that stopped their workers too often; returns how many."""
    return cursor.execute(_PARK).rowcount


def hear_silence(cursor: Cursor, event_ids: Sequence[int]) -> int:
    """Lets the last events of silent calls be read again; returns how many were done."""
    return cursor.execute(states.HEAR_SILENCE.update("id = ANY(%s)"), (list(event_ids),)).rowcount


def make_due(cursor: Cursor, source_id: int) -> None:
    """What waits for something to be fetched from the source is due now."""
    cursor.execute(states.MAKE_DUE.update("source_id = %s AND next_attempt_at > clock_timestamp() AND to_fetch"), (source_id,))


def pull_back(cursor: Cursor, margin_seconds: float, lease_seconds: float) -> int:
    """Makes due what waits longer than it can; of a lease, gives it from now. Returns how many."""
    return cursor.execute(_PULL_BACK, {"margin": margin_seconds, "lease": lease_seconds}).rowcount


def count_redeliveries(connection: psycopg.Connection[Any], event_ids: Sequence[int], *, sign: int = 1) -> set[int]:
    """Counts once more, or once less, each time that an id is named; what others have locked is not waited for. Returns
    which were counted. `connection` gives rows as tuples."""
    return {row[0] for row in connection.execute(_COUNT, {"ids": list(event_ids), "sign": sign}).fetchall()}


# What people do.


def replay(connection: Connection, event_ids: Sequence[int]) -> list[str]:
    """Sends events through again; returns their uids. Those that are with the workers stay as they are."""
    return _uids(
        connection, states.REPLAY.update("id = ANY(:ids) AND erased_at IS NULL", returning="uid"), {"ids": list(event_ids)}
    )


def release(connection: Connection, event_ids: Sequence[int], verdict: Mapping[str, Any]) -> list[str]:
    """Sends on what was set aside as spam, with a person's verdict; returns the uids."""
    statement = states.RELEASE.update("id = ANY(:ids) AND outcome = 'spam'", returning="uid")
    return _uids(connection, statement, {"ids": list(event_ids), "verdict": _json(verdict)})


def confirm(connection: Connection, event_ids: Sequence[int], verdict: Mapping[str, Any]) -> list[str]:
    """Writes a person's verdict that what was set aside is spam; returns the uids of those that had none."""
    statement = states.CONFIRM.update(
        "id = ANY(:ids) AND outcome = 'spam' AND verdict->>'spam' IS DISTINCT FROM 'spam'", returning="uid"
    )
    return _uids(connection, statement, {"ids": list(event_ids), "verdict": _json(verdict)})


def accept_consent(connection: Connection, uids: Sequence[str], verdict: Mapping[str, Any]) -> list[str]:
    """Sends on what was held for lack of a consent; returns the uids."""
    statement = states.ACCEPT_CONSENT.update(
        "uid = ANY(:uids) AND erased_at IS NULL AND error->>'code' IN ('consent_unknown', 'consent_declined')", returning="uid"
    )
    return _uids(connection, statement, {"uids": list(uids), "verdict": _json(verdict)})


def dismiss(connection: Connection, event_id: int, reason: Mapping[str, Any], now: datetime) -> bool:
    """Ends an event as dismissed. False if it is done or being worked on."""
    statement = states.DISMISS.update("id = :id")
    return connection.execute(text(statement), {"id": event_id, "reason": _json(reason), "now": now}).rowcount == 1


def call_spam(
    connection: Connection, event_id: int, verdict: Mapping[str, Any], reason: Mapping[str, Any], now: datetime
) -> bool:
    """Ends the event of a lead that a person called spam; it keeps its lead. False if a worker has it."""
    values = {"id": event_id, "now": now, "verdict": _json(verdict), "reason": _json(reason)}
    return connection.execute(text(states.CALL_SPAM.update("id = :id AND erased_at IS NULL")), values).rowcount == 1


def call_genuine(connection: Connection, event_id: int, before: Mapping[str, Any]) -> bool:
    """Puts the event of such a lead back to what its verdict says it was before: {"state","outcome","reason","error",
    "verdict"}. False if it was not called spam with its lead."""
    if before["state"] not in states.CALL_GENUINE.restores:
        raise ValueError(before["state"])
    values = {
        "id": event_id, "state": before["state"], "outcome": before["outcome"], "reason": _json(before["reason"]),
        "error": _json_or_null(before["error"]), "verdict": _json_or_null(before["verdict"]),
    }  # fmt: skip
    statement = states.CALL_GENUINE.update("id = :id AND verdict ? 'before' AND erased_at IS NULL")
    return connection.execute(text(statement), values).rowcount == 1


def reassign(connection: Connection, merge_id: int, rows: Sequence[Mapping[str, Any]]) -> int:
    """Where events belong since a merge was undone: {"id","contact_id","lead_id","outcome"} each, an outcome of None staying
    what it was. Returns how many."""
    statement = states.REASSIGN.update(
        "e.id = k.id AND e.erased_at IS NULL",
        "(SELECT r.*, CAST(:merge AS text) AS merge FROM json_to_recordset(CAST(:rows AS json))"
        "  AS r(id bigint, contact_id bigint, lead_id bigint, outcome text)) AS k",
    )
    return connection.execute(text(statement), {"merge": str(merge_id), "rows": orjson.dumps(rows).decode()}).rowcount


def erase(connection: Connection, event_ids: Sequence[int], keyed: Sequence[int], now: datetime) -> int:
    """Empties the events of a person; what became of them stays counted. Returns how many. `keyed` as below."""
    values = {"ids": list(event_ids), "keyed": list(keyed), "now": now}
    return connection.execute(text(states.ERASE.update("id = ANY(:ids)")), values).rowcount


def erase_unlinked(connection: Connection, event_ids: Sequence[int], keyed: Sequence[int], now: datetime) -> int:
    """Empties events of nobody; what waited for a person is dismissed. `keyed` are those whose key names the person."""
    values = {"ids": list(event_ids), "keyed": list(keyed), "now": now}
    return sum(
        connection.execute(text(transition.update("id = ANY(:ids)")), values).rowcount
        for transition in (states.ERASE_UNLINKED, states.ERASE_UNDECIDED)
    )


def erase_pending(connection: Connection, event_ids: Sequence[int], now: datetime) -> int:
    """Empties events that have not become anything yet and dismisses them, so that nothing is made of them any more."""
    statement = states.ERASE_PENDING.update("id = ANY(:ids)")
    return connection.execute(text(statement), {"ids": list(event_ids), "now": now}).rowcount


def _uids(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[str]:
    return list(connection.scalars(text(statement), values))


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()


def _json_or_null(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else _json(value)
