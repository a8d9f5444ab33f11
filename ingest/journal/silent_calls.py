"""Calls whose exchange fell silent. Their last event is put back into the queue: reading it again, later, is what settles."""

from __future__ import annotations

from crm_core.batch.rows import Cursor
from ingest.journal.transitions import hear_silence

_SILENT = """
UPDATE call SET settle_at = NULL FROM (
    SELECT id, (facts->>'last_event')::bigint AS event_id FROM call
     WHERE settle_at <= clock_timestamp()
           -- A call is silent only once everything that came before its time was up has been read.
       AND NOT EXISTS (SELECT 1 FROM inbound_event w
                        WHERE w.channel = 'call' AND w.state IN ('waiting', 'working') AND w.source_id = call.source_id
                          AND (w.state = 'working' OR w.next_attempt_at <= clock_timestamp())
                          AND w.received_at < call.settle_at)
     ORDER BY settle_at LIMIT 500 FOR UPDATE SKIP LOCKED
) AS silent WHERE call.id = silent.id RETURNING silent.event_id
"""


def close_silent_calls(cursor: Cursor) -> int:
    """Puts the last event of every call whose time is up back to `waiting`; returns how many. May run twice at once.

    The calls derive anew what silence means (`crm_core.calls.rules`): a ringing call that never ended was lost, and makes its
    lead now.
    """
    with cursor.connection.transaction():
        last = [row["event_id"] for row in cursor.execute(_SILENT).fetchall() if row["event_id"] is not None]
        return hear_silence(cursor, last)
