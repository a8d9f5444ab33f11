"""What one arrival does to contacts, leads, calls and call-backs, in memory. Every effect knows the event it came from."""

from __future__ import annotations

from datetime import datetime

from crm_core.arrivals import CallEvent, Ignored, Inquiry, Pointer
from crm_core.intake.callings import take_call
from crm_core.intake.inquiries import take_inquiry, taken_as
from crm_core.intake.mailings import take_message
from crm_core.intake.people import Step
from crm_core.intake.state import Snapshot, Taken


def take(snapshot: Snapshot, step: Step, now: datetime) -> Taken:
    """Applies one arrival and says what became of it. Ids of new rows stand as objects until they are written."""
    arrival = step.arrival
    if isinstance(arrival, Ignored):
        return taken_as(step, "ignored", {"code": arrival.code, "detail": arrival.detail})
    if isinstance(arrival, Inquiry):
        if arrival.is_test:
            return taken_as(step, "test", {"code": "marked_as_test_by_the_sender"})
        return take_inquiry(snapshot, step, arrival, now)
    if isinstance(arrival, CallEvent):
        return take_call(snapshot, step, arrival, now)
    if isinstance(arrival, Pointer):  # what it points at came through the door as an event of its own
        return taken_as(step, "ignored", {"code": "fetched", "key": arrival.key})
    return take_message(snapshot, step, arrival, now)
