"""Touches of a batch: those of events that are read anew and of calls that go on, and all that the batch adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_core.base import history
from crm_core.base.copying import numbers
from crm_core.batch.rows import Cursor, update_rows
from crm_core.batch.state import HasId, TouchState
from crm_core.batch.subject import Batch, Subject
from crm_core.leads.intake import BIRTH, lead_of


@dataclass(slots=True)
class Timeline:
    rows: list[dict[str, Any]] = field(default_factory=list)
    known: list[TouchState] = field(default_factory=list)  # by id


def _find(cursor: Cursor, batch: Batch) -> None:
    replayed = [step.item.event_id for step in batch.steps if step.item.replayed]
    if not replayed and not batch.wanted_calls:
        return
    cursor.execute(
        "SELECT t.id, t.event_id, t.seq, t.contact_id, t.lead_id, t.call_id, EXISTS (SELECT 1 FROM touch o"
        "  WHERE o.contact_id = t.contact_id AND o.event_id IS DISTINCT FROM t.event_id) AS is_among_others,"
        f" {BIRTH} FROM touch t LEFT JOIN lead l ON l.id = t.lead_id"
        " WHERE t.event_id = ANY(%s) OR t.call_id = ANY(%s) ORDER BY t.id",
        (replayed, list(batch.wanted_calls)),
    )
    rows = batch.part(Timeline).rows = cursor.fetchall()
    batch.wanted_contacts.update(row["contact_id"] for row in rows)


def _load(_cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Timeline)
    for row in part.rows:
        touch = TouchState(
            row["id"], batch.contacts[row["contact_id"]], lead_of(batch, row), {}, created=False, changed=False,
            is_among_others=row["is_among_others"], call_id=row["call_id"],
        )  # fmt: skip
        part.known.append(touch)
        if row["event_id"] is not None:
            batch.touches[row["event_id"], row["seq"]] = touch


def _new(batch: Batch) -> Mapping[str, Sequence[HasId]]:
    return {"touch": batch.new_touches}


def _write(cursor: Cursor, batch: Batch) -> None:
    history.record_batch(
        cursor,
        [{"id": t.id, "contact_id": t.contact.id, "lead_id": t.lead.id if t.lead else None, "actor": "hub",
          "call_id": t.call.id if t.call else None, "message_id": t.message.id if t.message else None,
          "likeness": "", "fingerprint": "", "counted": True, "identifiers": numbers(_ids(t)),
          "double_of": t.double_of.id if isinstance(t.double_of, TouchState) else t.double_of, **t.columns}
         for t in batch.new_touches],
        batch.happened,
    )  # fmt: skip
    update_rows(
        cursor, "touch",
        [{"id": t.id, "title": t.columns["title"], "text": t.columns["text"], "data": t.columns["data"]}
         for t in batch.changed_touches],
    )  # fmt: skip
    update_rows(
        cursor, "touch",
        [{"id": t.id, "at": t.columns["at"]} for t in batch.changed_touches if t.call is not None and "at" in t.columns],
    )  # fmt: skip
    # Read by other rules, the same submission has other marks: a repetition of it is read by those rules too.
    update_rows(
        cursor, "touch",
        [{"id": t.id, "likeness": t.columns["likeness"], "fingerprint": t.columns["fingerprint"], "identifiers": _ids(t)}
         for t in batch.changed_touches if "fingerprint" in t.columns],
    )  # fmt: skip


def _ids(touch: TouchState) -> list[int]:
    """Without those that nobody is linked to, such as a guessed country's reading of a number."""
    return [identifier.id for identifier in touch.identifiers if identifier.id is not None]


SUBJECT = Subject("timeline", find=_find, load=_load, new=_new, write=_write)
