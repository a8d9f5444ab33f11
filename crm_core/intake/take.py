"""What one arrival does to contacts, leads, calls and call-backs, in memory. Every effect knows the event it came from."""

from __future__ import annotations

from datetime import datetime

from crm_core.batch.state import Item, Person, Snapshot, Taken
from crm_core.batch.steps import Step
from crm_core.calls.intake import take_call
from crm_core.leads.intake import outcome_on, take_inquiry, taken_as
from crm_core.messages.intake import take_message
from crm_core.parsed import CallEvent, Ignored, Inquiry, Pointer


def take(snapshot: Snapshot, step: Step, now: datetime) -> Taken:
    """Applies one arrival and says what became of it. Ids of new rows stand as objects until they are written."""
    arrival = step.arrival
    if isinstance(arrival, Ignored):
        return _without_effect(snapshot, step, "ignored", {"code": arrival.code, "detail": arrival.detail})
    if isinstance(arrival, Inquiry):
        if arrival.is_test:
            return _without_effect(snapshot, step, "test", {"code": "marked_as_test_by_the_sender"})
        return take_inquiry(snapshot, step, arrival, now)
    if isinstance(arrival, CallEvent):
        return take_call(snapshot, step, arrival, now)
    if isinstance(arrival, Pointer):  # what it points at came through the door as an event of its own
        return taken_as(step, "ignored", {"code": "fetched", "key": arrival.key})
    return take_message(snapshot, step, arrival, now)


def left_over(snapshot: Snapshot, item: Item) -> list[Taken]:
    """What a replayed event had brought and brings no more: a lead that somebody may be working on keeps its event."""
    return [
        taken_as(step, outcome_on(touch.lead, step), {"code": "no_longer_read"}, touch.lead, touch.contact)
        for (event_id, seq), touch in snapshot.touches.items()
        if item.replayed and event_id == item.event_id and seq >= len(item.arrivals)
        for step in (Step(item, seq, Ignored("no_longer_read"), Person(())),)
    ]


def _without_effect(snapshot: Snapshot, step: Step, outcome: str, reason: dict[str, str]) -> Taken:
    """Unless it had one already, before it was read anew: then it keeps that."""
    touch = snapshot.touches.get((step.item.event_id, step.seq))
    if touch is None:
        return taken_as(step, outcome, reason)
    return taken_as(step, outcome_on(touch.lead, step), reason, touch.lead, touch.contact)
