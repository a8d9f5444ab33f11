"""An inquiry begins a wait, unless its client waits already: one row, in one statement for the whole batch.

Only on a hub that has deadlines; when the wait is over time, and whether what came was an inquiry at all, is found by the sweep
(`crm_core.deadlines.sweep`) a moment later. So nothing about policies, calendars or people is read here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from crm_core.batch.rows import Cursor, insert_rows
from crm_core.batch.subject import Batch, Subject
from crm_core.deadlines.sweep import JOIN_OPEN

_NUDGE: Final = "UPDATE deadline SET look_at = started_at WHERE state = 'open' AND lead_id = ANY(%s)"


def _write(cursor: Cursor, batch: Batch) -> None:
    received = {step.item.event_id: step.item.received_at for step in batch.steps if step.item.has_deadlines}
    if not received:
        return
    since: dict[int, datetime] = {}
    touched: set[int] = set()
    for lead in batch.new_leads:
        if lead.id is not None and lead.folded_into is None and lead.event_id in received:
            since[lead.id] = received[lead.event_id]
    for touch in batch.new_touches:
        of, at = touch.lead, received.get(touch.columns["event_id"])
        if of is None or of.id is None or of.state != "open" or of.folded_into is not None or at is None:
            continue
        if touch.columns["direction"] == "in":
            since[of.id] = min(at, since.get(of.id, at))
        else:
            touched.add(of.id)
    # In the order in which everybody takes them.
    rows = [
        {"lead_id": lead_id, "started_at": told, "look_at": told}
        for lead_id, told in sorted((one, at.isoformat()) for one, at in since.items())
    ]
    insert_rows(cursor, "deadline", rows, JOIN_OPEN)
    if reached := sorted(touched - since.keys()):
        cursor.execute(_NUDGE, (reached,))


SUBJECT = Subject("deadlines", write=_write)
