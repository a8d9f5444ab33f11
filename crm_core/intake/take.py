"""What one arrival does to contacts, leads, calls and call-backs, in memory. Every effect knows the event it came from."""

from __future__ import annotations

from datetime import datetime

from crm_core.batch.state import EventResult, ParsedEvent, Person, Snapshot
from crm_core.batch.steps import EventItem
from crm_core.calls.call_events import take_call
from crm_core.leads.inquiries import outcome_on, take_inquiry, taken_as
from crm_core.messages.intake import take_message
from crm_core.parsed import CallEvent, Ignored, Inquiry, Pointer


def take(snapshot: Snapshot, step: EventItem, now: datetime) -> EventResult:
    """Applies one arrival and says what became of it. Ids of new rows stand as objects until they are written."""
    parsed_item = step.parsed_item
    if isinstance(parsed_item, Ignored):
        return _without_effect(snapshot, step, "ignored", {"code": parsed_item.code, "detail": parsed_item.detail})
    if isinstance(parsed_item, Inquiry):
        if parsed_item.is_test:
            return _without_effect(snapshot, step, "test", {"code": "marked_as_test_by_the_sender"})
        return take_inquiry(snapshot, step, parsed_item, now)
    if isinstance(parsed_item, CallEvent):
        return take_call(snapshot, step, parsed_item, now)
    if isinstance(parsed_item, Pointer):  # what it points at came through the door as an event of its own
        return taken_as(step, "ignored", {"code": "fetched", "key": parsed_item.key})
    return take_message(snapshot, step, parsed_item, now)


def left_over(snapshot: Snapshot, item: ParsedEvent) -> list[EventResult]:
    """What a replayed event had brought and brings no more: a lead that somebody may be working on keeps its event."""
    return [
        taken_as(step, outcome_on(touch.lead, step), {"code": "no_longer_read"}, touch.lead, touch.contact)
        for (event_id, seq), touch in snapshot.touches.items()
        if item.replayed and event_id == item.event_id and seq >= len(item.parsed_items)
        for step in (EventItem(item, seq, Ignored("no_longer_read"), Person(())),)
    ]


def _without_effect(snapshot: Snapshot, step: EventItem, outcome: str, reason: dict[str, str]) -> EventResult:
    """Unless it had one already, before it was read anew: then it keeps that."""
    touch = snapshot.touches.get((step.item.event_id, step.seq))
    if touch is None:
        return taken_as(step, outcome, reason)
    return taken_as(step, outcome_on(touch.lead, step), reason, touch.lead, touch.contact)
