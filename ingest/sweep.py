"""What must happen even when every hint was lost: due channels are found, killers parked, silent calls settled.

Any number of sweeps may run at once; every statement takes its rows under locks or is idempotent.
"""

from __future__ import annotations

from typing import Any

import orjson

from crm_core.intake.rows import Cursor
from ingest.claim import park_killers
from ingest.settle import settle_silent_calls


def due_channels(cursor: Cursor) -> list[str]:
    """Channels in which something is due now: new, to be repeated, or left behind by a worker that died."""
    cursor.execute(
        "SELECT c.channel FROM unnest(ARRAY['form', 'call', 'mail']) AS c(channel)"
        " WHERE EXISTS (SELECT 1 FROM inbound_event e WHERE e.channel = c.channel AND e.state IN ('waiting', 'working')"
        "                AND e.next_attempt_at <= clock_timestamp()"
        "                AND e.source_id NOT IN (SELECT id FROM source WHERE state = 'paused'))"
    )
    return [row["channel"] for row in cursor.fetchall()]


def park_and_settle(cursor: Cursor) -> None:
    park_killers(cursor)
    settle_silent_calls(cursor)


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
