"""The order in which a batch is taken in, and with it the protocol that keeps workers apart. It knows the subjects and no columns.

Whoever decides about the same person, call or mail holds the same locks. They are taken in one order everywhere, so that nobody
waits in a circle:

1. advisory locks on the names that the subjects give (identifiers, calls, callers, mails, forms), sorted: `Subject.locks`
2. under them the subjects read, and name the contacts that are concerned: `Subject.find`
3. rows of contacts, by id: `lock_contacts`; then rows of call-back tasks: `Subject.load`
4. pools, by id, when all items are through: `routing.settle`
5. everything is written; the caller commits, which releases all of it.

Each statement sees the newest commit (READ COMMITTED), so what is read under a lock is what its last holder left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from crm_core.batch.locks import lock_names
from crm_core.batch.rows import Cursor, draw_ids
from crm_core.batch.state import EventResult, HasId, ParsedEvent, resolve
from crm_core.batch.steps import EventItem, steps_of
from crm_core.batch.subject import Batch, Subject
from crm_core.calls import call_back_intake
from crm_core.calls import intake as calls
from crm_core.contacts import intake as contacts
from crm_core.contacts import merge_review_intake
from crm_core.deadlines import intake as deadlines
from crm_core.forms import intake as forms
from crm_core.intake.take import left_over, take
from crm_core.leads import intake as leads
from crm_core.messages import intake as messages
from crm_core.notifications import intake as notifications
from crm_core.routing import intake as routing
from crm_core.search import intake as search
from crm_core.timeline import intake as timeline

#: Each step goes through them in this order: what is written first is what others name by a foreign key.
SUBJECTS: Final[tuple[Subject, ...]] = (
    contacts.SUBJECT,
    leads.SUBJECT,
    calls.SUBJECT,
    messages.SUBJECT,
    timeline.SUBJECT,
    merge_review_intake.SUBJECT,
    forms.SUBJECT,
    routing.SUBJECT,
    notifications.SUBJECT,
    call_back_intake.SUBJECT,
    deadlines.SUBJECT,
    search.SUBJECT,
)

#: Of an event with several items the outcome that says most is the event's own.
_WEIGHT: Final = ("created", "repeat", "attached", "test", "auto", "ignored")


def take_in(cursor: Cursor, items: Sequence[ParsedEvent], now: datetime) -> list[EventResult]:
    """Takes in a batch, in order, within the caller's READ COMMITTED transaction; the caller commits or rolls back.

    `cursor` gives rows as dictionaries. One result an event, in the same order. Any exception means that the whole batch
    must be rolled back; the caller then takes the events singly, so that one never costs its neighbours.
    """
    batch = _read(cursor, steps_of(items))
    results = _decide(batch, items, now)
    for subject in SUBJECTS:
        subject.settle(cursor, batch, now)
    _number(cursor, batch)
    for subject in SUBJECTS:
        subject.write(cursor, batch)
    combined = [_combine([_with_ids(one) for one in results[item.event_id]], item.notes) for item in items]
    if batch.erased_again:
        combined = [replace(one, was_erased=one.event_id in batch.erased_again) for one in combined]
    called = {item.event_id: item.called_spam for item in items if item.called_spam is not None}
    return _still_spam(cursor, called, combined) if called else combined


def _read(cursor: Cursor, steps: Sequence[EventItem]) -> Batch:
    """Locks and reads everything that the items may touch."""
    for subject in SUBJECTS:
        steps = subject.prepare(cursor, steps)
    batch = Batch(steps)
    lock_names(cursor, [name for subject in SUBJECTS for name in subject.locks(cursor, batch)])
    for subject in SUBJECTS:
        subject.find(cursor, batch)
    contacts.lock_contacts(cursor, batch)
    for subject in SUBJECTS:
        subject.load(cursor, batch)
    for subject in SUBJECTS:
        subject.connect(batch)
    return batch


def _decide(batch: Batch, items: Sequence[ParsedEvent], now: datetime) -> dict[int, list[EventResult]]:
    """What becomes of each item, by event. Nothing but memory is changed."""
    takes = {kind: decide for subject in SUBJECTS for kind, decide in subject.takes.items()}
    results: dict[int, list[EventResult]] = {item.event_id: [] for item in items}
    for step in batch.steps:
        result = take(takes, batch, step, now)
        for subject in SUBJECTS:
            subject.add(batch, step, result)
        results[step.item.event_id].append(result)
    for item in items:
        if item.replayed:
            results[item.event_id] += left_over(batch, item)
    return results


def _number(cursor: Cursor, batch: Batch) -> None:
    """Draws ids for everything new in one round trip."""
    new: dict[str, Sequence[HasId]] = {}
    for subject in SUBJECTS:
        new |= subject.new(batch)
    drawn = draw_ids(cursor, {table: len(states) for table, states in new.items()})
    for table, states in new.items():
        for state, fresh in zip(states, drawn.get(table, ()), strict=True):
            state.id = fresh


def _with_ids(result: EventResult) -> EventResult:
    """Until now the states stood for the ids of new rows."""
    lead: Any = result.lead_id
    contact: Any = result.contact_id
    return EventResult(
        result.event_id, result.outcome, resolve(result.reason), lead.id if lead is not None else None,
        contact.root.id if contact is not None else None,
    )  # fmt: skip


def _still_spam(cursor: Cursor, called: Mapping[int, Mapping[str, Any]], results: list[EventResult]) -> list[EventResult]:
    """What a person called spam stays so however often it is read anew, unless it brings something to another lead now."""
    others = leads.events_beyond_spam(cursor, called)
    return [
        replace(one, outcome="spam", reason=spam_reason(called[one.event_id]))
        if one.event_id in called and one.event_id not in others
        else one
        for one in results
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
