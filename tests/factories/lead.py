"""A lead with the event that it was born from, its touch and its assignment."""

from __future__ import annotations

from typing import Any

from factories.event import make_event
from factories.rows import AnyConnection, insert
from sqlalchemy import Connection, text

AT = "2026-11-20T10:00:00Z"


def make_lead(connection: AnyConnection, source_id: int, contact_id: int, owner_id: int | None = None, **values: Any) -> int:
    event_id = make_event(connection, source_id, state="done", outcome="created", reason='{"code": "first_inquiry"}')
    values = {
        "contact_id": contact_id,
        "channel": "form",
        "source_id": source_id,
        "event_id": event_id,
        "received_at": AT,
        "last_touch_at": AT,
    } | values
    lead_id = insert(connection, "lead", owner_id=owner_id, **values)
    if isinstance(connection, Connection):
        connection.execute(text("UPDATE inbound_event SET lead_id = :lead WHERE id = :id"), {"lead": lead_id, "id": event_id})
    else:
        connection.execute("UPDATE inbound_event SET lead_id = %s WHERE id = %s", (lead_id, event_id))
    insert(
        connection, "touch", contact_id=contact_id, lead_id=lead_id, kind="form", at=AT, event_id=event_id, source_id=source_id
    )
    trace = '{"code": "largest_deficit", "candidates": []}'
    insert(connection, "assignment", lead_id=lead_id, owner_id=owner_id, kind="pool", trace=trace)
    return lead_id
