"""What becomes of one parsed item, in memory: the subject of its kind decides. Every effect knows the event it came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from crm_core.batch.state import EventResult, ParsedEvent, Person
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch, Take
from crm_core.leads.inquiries import outcome_on, taken_as
from crm_core.parsed import Ignored, Inquiry, Pointer


def take(takes: Mapping[type, Take], batch: Batch, step: EventItem, now: datetime) -> EventResult:
    """Applies one item and says what became of it. Ids of new rows stand as states until they are written."""
    parsed_item = step.parsed_item
    if isinstance(parsed_item, Ignored):
        return _without_effect(batch, step, "ignored", {"code": parsed_item.code, "detail": parsed_item.detail})
    if isinstance(parsed_item, Pointer):  # what it points at came through the door as an event of its own
        return taken_as(step, "ignored", {"code": "fetched", "key": parsed_item.key})
    if isinstance(parsed_item, Inquiry) and parsed_item.is_test:
        return _without_effect(batch, step, "test", {"code": "marked_as_test_by_the_sender"})
    return takes[type(parsed_item)](batch, step, now)


def left_over(batch: Batch, item: ParsedEvent) -> list[EventResult]:
    """What a replayed event had brought and brings no more: a lead that somebody may be working on keeps its event."""
    return [
        taken_as(step, outcome_on(touch.lead, step), {"code": "no_longer_read"}, touch.lead, touch.contact)
        for (event_id, seq), touch in batch.touches.items()
        if item.replayed and event_id == item.event_id and seq >= len(item.parsed_items)
        for step in (EventItem(item, seq, Ignored("no_longer_read"), Person(())),)
    ]


def _without_effect(batch: Batch, step: EventItem, outcome: str, reason: dict[str, str]) -> EventResult:
    """Unless it had one already, before it was read anew: then it keeps that."""
    touch = batch.touches.get((step.item.event_id, step.seq))
    if touch is None:
        return taken_as(step, outcome, reason)
    return taken_as(step, outcome_on(touch.lead, step), reason, touch.lead, touch.contact)
