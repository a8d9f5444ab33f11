"""Arrivals become contacts, leads, calls, touches and call-backs: a batch at a time, each event as if it were alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm_core.batch.rows import Cursor
from crm_core.batch.state import EventResult, ParsedEvent
from crm_core.batch.steps import steps_of
from crm_core.calls.call_back_tasks import resolve_call_backs
from crm_core.calls.callers import with_callers
from crm_core.intake.flush import flush, resolve_result
from crm_core.intake.snapshot import load
from crm_core.intake.take import left_over, take

__all__ = ["EventResult", "ParsedEvent", "take_in"]

#: Of an event with several arrivals the outcome that says most is the event's own.
_WEIGHT = ("created", "repeat", "attached", "test", "auto", "ignored")


def take_in(cursor: Cursor, items: Sequence[ParsedEvent], now: datetime) -> list[EventResult]:
    """Takes in a batch, in order, within the caller's READ COMMITTED transaction; the caller commits or rolls back.

    `cursor` gives rows as dictionaries. One result an item, in the same order. Any exception means that the whole batch
    must be rolled back; the caller then takes the items singly, so that one event never costs its neighbours.
    """
    steps = with_callers(cursor, steps_of(items))
    snapshot = load(cursor, steps)
    taken: dict[int, list[EventResult]] = {item.event_id: [] for item in items}
    for step in steps:
        taken[step.item.event_id].append(take(snapshot, step, now))
    for item in items:
        if item.replayed:
            taken[item.event_id] += left_over(snapshot, item)
    resolve_call_backs(snapshot, now)
    with cursor.connection.pipeline():  # what is written is not waited for, one statement after the other
        flush(cursor, snapshot)
    combined = [_combine([resolve_result(one) for one in taken[item.event_id]], item.notes) for item in items]
    if snapshot.to_empty:
        combined = [replace(one, was_erased=one.event_id in snapshot.to_empty) for one in combined]
    called = {item.event_id: item.called_spam for item in items if item.called_spam is not None}
    return _still_spam(cursor, called, combined) if called else combined


def _still_spam(cursor: Cursor, called: Mapping[int, Mapping[str, Any]], taken: list[EventResult]) -> list[EventResult]:
    """What a person called spam stays so however often it is read anew, unless it brings something to another lead now."""
    cursor.execute(
        "SELECT DISTINCT t.event_id FROM touch t JOIN lead l ON l.id = t.lead_id"
        " WHERE t.event_id = ANY(%s) AND NOT l.spam ? 'marked'",
        (list(called),),
    )
    others = {row["event_id"] for row in cursor.fetchall()}
    return [
        replace(one, outcome="spam", reason=spam_reason(called[one.event_id]))
        if one.event_id in called and one.event_id not in others
        else one
        for one in taken
    ]


def spam_reason(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The reason of an event whose lead a person called spam."""
    return {"code": "called_spam", "by": verdict.get("by", ""), "why": verdict.get("why", "")}


def _combine(parts: list[EventResult], notes: Mapping[str, Any]) -> EventResult:
    if len(parts) == 1:
        parts[0].reason.update(notes)
        return parts[0]
    first = min(parts, key=lambda part: _WEIGHT.index(part.outcome))
    reason: dict[str, Any] = {
        **first.reason,
        **notes,
        "parts": [{"outcome": part.outcome, "lead": str(part.lead_id) if part.lead_id else None} for part in parts],
    }
    return EventResult(first.event_id, first.outcome, reason, first.lead_id, first.contact_id)
