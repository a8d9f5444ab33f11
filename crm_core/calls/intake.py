"""Calls of a batch: read under their locks, derived anew by `call_events`, and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crm_core.batch.rows import Cursor, insert_rows
from crm_core.batch.state import HasId
from crm_core.batch.subject import Batch, Subject
from crm_core.calls.call_events import take_call
from crm_core.calls.callers import with_callers
from crm_core.calls.state import Calls, CallState
from crm_core.leads.intake import BIRTH, lead_of
from crm_core.parsed import CallEvent
from crm_core.timeline.intake import Timeline


def _keys(batch: Batch) -> list[tuple[int, str]]:
    """The source and the exchange's id of each call, in order."""
    return sorted(
        {(step.item.source_id, event.call_key) for step in batch.steps if isinstance(event := step.parsed_item, CallEvent)}
    )


def _locks(_cursor: Cursor, batch: Batch) -> Iterator[str]:
    return (f"call:{source_id}:{call_key}" for source_id, call_key in _keys(batch))


def _find(cursor: Cursor, batch: Batch) -> None:
    keys = _keys(batch)
    if not keys:
        return
    cursor.execute(
        "SELECT c.id, c.source_id, c.call_key, c.facts, c.outcome, c.contact_id, c.lead_id, c.owner_id,"
        f" {BIRTH} FROM call c LEFT JOIN lead l ON l.id = c.lead_id"
        " JOIN unnest(%s::bigint[], %s::text[]) AS k(s, k) ON c.source_id = k.s AND c.call_key = k.k",
        ([source_id for source_id, _ in keys], [call_key for _, call_key in keys]),
    )
    rows = batch.part(Calls).rows = cursor.fetchall()
    batch.wanted_contacts.update(row["contact_id"] for row in rows if row["contact_id"] is not None)
    batch.wanted_calls.update(row["id"] for row in rows)


def _load(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Calls)
    for row in part.rows:
        part.by_key[row["source_id"], row["call_key"]] = CallState(
            row["id"], row["source_id"], row["call_key"], row["facts"],
            batch.contacts.get(row["contact_id"]), lead_of(batch, row),
            outcome=row["outcome"], owner_id=row["owner_id"],
        )  # fmt: skip
    if _keys(batch):
        cursor.execute("SELECT extension, id FROM owner WHERE active AND extension <> ''")
        part.owners_by_extension = {row["extension"]: row["id"] for row in cursor.fetchall()}


def _connect(batch: Batch) -> None:
    by_id = {call.id: call for call in batch.part(Calls).by_key.values()}
    for touch in batch.part(Timeline).known:
        call = by_id.get(touch.call_id)
        if call is not None and call.touch is None:
            call.touch, touch.call = touch, call


def _new(batch: Batch) -> Mapping[str, Sequence[HasId]]:
    return {"call": [call for call in batch.part(Calls).by_key.values() if call.id is None and call.changed]}


def _write(cursor: Cursor, batch: Batch) -> None:
    rows = []
    for call in batch.part(Calls).by_key.values():
        if not call.changed or call.view is None:
            continue
        view = call.view
        rows.append(
            {"id": call.id, "source_id": call.source_id, "call_key": call.call_key, "facts": call.facts,
             "phase": view.phase, "outcome": view.outcome, "direction": view.direction, "remote": call.remote,
             "our_number": view.our_number, "extension": view.extension, "owner_id": call.owner_id,
             "contact_id": call.contact.id if call.contact else None, "lead_id": call.lead.id if call.lead else None,
             "started_at": view.started_at, "answered_at": view.answered_at, "ended_at": view.ended_at,
             "talk_seconds": view.talk_seconds, "recording": view.recording, "settle_at": view.settle_at,
             "created_at": "now"}
        )  # fmt: skip
    updated = ", ".join(
        f"{c} = excluded.{c}" for c in (rows[0] if rows else ()) if c not in ("id", "source_id", "call_key", "created_at")
    )
    insert_rows(cursor, "call", rows, f"ON CONFLICT (source_id, call_key) DO UPDATE SET {updated}")


SUBJECT = Subject(
    "calls", prepare=with_callers, locks=_locks, find=_find, load=_load, connect=_connect,
    takes={CallEvent: take_call}, new=_new, write=_write,
)  # fmt: skip
