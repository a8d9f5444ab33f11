"""Claims waiting events under a lease, and writes what became of them. The fencing token decides, not the clock.

`attempts` rises before the work, so an event that kills its worker is seen without any exception being caught: it is
then taken alone, and parked after `event_states.MOST_LOST_CLAIMS`. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from crm_core.base.copying import numbers
from crm_core.base.frozen import frozen
from crm_core.batch.rows import Cursor
from ingest.journal import transitions
from ingest.journal.states import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS

#: A batch ends before its bodies weigh more, unless one alone does. Parsed they take several times that.
MOST_BATCH_BYTES = 32 * 1024 * 1024
#: Caught, passing failures are repeated this often.
MOST_ATTEMPTS = 12


@frozen
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
    verified_at_door: bool = False
    rejected_key: str | None = None  # the key that it had before it was rejected


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


def claim(cursor: Cursor, channel: str, limit: int, lease_seconds: float, tried_only: bool = False) -> tuple[str, list[Claimed]]:
    """Takes up to `limit` untried events, oldest first, or one tried event; returns the fencing token with them."""
    token = uuid4().hex
    parameters = {
        "channel": channel,
        "limit": limit,
        "token": token,
        "lease": lease_seconds,
        "bytes": MOST_BATCH_BYTES,
    }
    rows = [] if tried_only else transitions.claim(cursor, "fresh", parameters)
    if not rows:
        rows = transitions.claim(cursor, "tried", {**parameters, "limit": 1})
    return token, _claimed(rows)


def claim_to_fetch(cursor: Cursor, lease_seconds: float, resting: Sequence[int]) -> tuple[str, list[Claimed]]:
    """Takes one event, of whatever channel, for which something must be fetched; none of the sources that are resting."""
    token = uuid4().hex
    parameters = {"limit": 1, "token": token, "lease": lease_seconds, "bytes": MOST_BATCH_BYTES, "resting": list(resting)}
    return token, _claimed(transitions.claim(cursor, "to_fetch", parameters))


def _claimed(rows: Sequence[dict[str, Any]]) -> list[Claimed]:
    claimed = [Claimed(**{**row, "body": bytes(row["body"])}) for row in rows]
    return sorted(claimed, key=lambda one: one.id)


def park_poison_events(cursor: Cursor) -> int:
    """Sets events aside that stopped their workers too often; returns how many."""
    return transitions.park(cursor)


def hold(cursor: Cursor, token: str, event_ids: Sequence[int]) -> None:
    """Makes sure, before any work is written, that all the events are still ours. ClaimLost if one is not."""
    cursor.execute(
        "SELECT id FROM inbound_event WHERE id = ANY(%s) AND claim_token = %s ORDER BY id FOR NO KEY UPDATE",
        (numbers(event_ids), token),
    )
    if cursor.rowcount != len(event_ids):
        raise ClaimLost


def finish(cursor: Cursor, token: str, results: Sequence[dict[str, Any]]) -> None:
    """Writes outcomes. Raises ClaimLost if any of the events is no longer ours; the caller rolls back."""
    if not results:
        return
    if transitions.finish(cursor, token, results) != len(results):
        raise ClaimLost


def regain_keys(cursor: Cursor, events: Sequence[Claimed]) -> None:
    """Gives what was rejected once and has an outcome now its key back, so that the sender's next try is known as one.

    A key that another event has by now stays there. Call it after `finish`, in its transaction.
    """
    for event in events:
        if event.rejected_key:
            transitions.regain_key(cursor, event.id, event.rejected_key)


def fail(cursor: Cursor, token: str, failures: Sequence[Failure]) -> None:
    """Writes why events have no outcome yet. An event that is no longer ours is left alone."""
    for failure in failures:
        usual = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** max(0, failure.attempts - 1))
        pause = usual if failure.pause_seconds is None else failure.pause_seconds
        error = {"code": failure.code, "message": failure.message, "path": failure.path}
        transitions.fail(
            cursor, token, failure.event_id, failure.state, error,
            pause_seconds=pause, is_try=failure.is_try, to_fetch=failure.to_fetch,
        )  # fmt: skip
