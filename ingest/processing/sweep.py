"""What must happen even when every hint was lost: due channels are found, killers parked, silent calls settled.

Any number of sweeps may run at once; every statement takes its rows under locks or is idempotent.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from crm_core.batch.rows import Cursor
from ingest.journal.claim import park_poison_events
from ingest.journal.silent_calls import close_silent_calls

_DUE = """
EXISTS (SELECT 1 FROM inbound_event WHERE channel = c.channel AND state IN ('waiting', 'working')
           AND next_attempt_at <= clock_timestamp() AND {which}
           AND source_id NOT IN (SELECT id FROM source WHERE state = 'paused'))
"""
_CHANNELS = f"""
SELECT c.channel, {_DUE.format(which="NOT to_fetch")} AS due, {_DUE.format(which="to_fetch")} AS to_fetch
  FROM unnest(ARRAY['form', 'call', 'mail']) AS c(channel)
"""


@dataclass(frozen=True, slots=True)
class Due:
    channels: tuple[str, ...]  # in which something is to be worked off
    to_fetch: bool  # something waits for what must be fetched


def due_now(cursor: Cursor) -> Due:
    """Where something is due: new, to be repeated, or left behind by a worker that died."""
    rows = cursor.execute(_CHANNELS).fetchall()
    return Due(tuple(row["channel"] for row in rows if row["due"]), any(row["to_fetch"] for row in rows))


def park_and_close(cursor: Cursor) -> None:
    park_poison_events(cursor)
    close_silent_calls(cursor)


def beat_heart(cursor: Cursor, role: str, instance: str, data: dict[str, Any]) -> None:
    """Writes a sign of life of a process."""
    cursor.execute(
        "INSERT INTO heartbeat (role, instance, at, data) VALUES (%s, %s, clock_timestamp(), %s::jsonb)"
        " ON CONFLICT (role, instance) DO UPDATE SET at = excluded.at, data = excluded.data",
        (role, instance, orjson.dumps(data).decode()),
    )


def note_canary(cursor: Cursor, queue: str, seconds: float) -> None:
    """Keeps how long the last canary of a queue took from being sent to being worked off."""
    beat_heart(cursor, "canary", queue, {"seconds": round(seconds, 3)})


def forget_canaries(cursor: Cursor, queues: Collection[str]) -> None:
    """Of queues that there are no longer: an earlier version's would be missed for ever."""
    cursor.execute("DELETE FROM heartbeat WHERE role = 'canary' AND instance <> ALL(%s)", (list(queues),))
