"""What an event of a call does: the call is derived anew, and what its outcome calls for happens once.

Call-backs are not made here: they are derived from all calls of the caller (`calling_back`) when the batch is through.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.base.errors import Transient
from crm_core.batch.state import EventResult, TouchState
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch
from crm_core.calls import rules
from crm_core.calls.callers import unheard
from crm_core.calls.state import CallBacks, Calls, CallState
from crm_core.contacts.contact_resolution import join
from crm_core.leads.inquiries import add_touch, attribution_columns, open_beside, outcome_on, put, taken_as
from crm_core.parsed import Attribution, CallEvent
from crm_core.routing.intake import Ownership


def take_call(batch: Batch, step: EventItem, now: datetime) -> EventResult:
    event = step.parsed_item
    assert isinstance(event, CallEvent)
    item = step.item
    key = (item.source_id, event.call_key)
    known = batch.part(Calls).by_key
    call = known.get(key)
    if call is None:
        call = known[key] = CallState(None, item.source_id, event.call_key, None)
    call.line = item.line
    if call.contact is not None and call.contact.root.is_erased:  # a late word on it brings nobody back
        batch.erased_again.append(item.event_id)
        return taken_as(step, "ignored", {"code": "call_of_an_erased_person"})
    call.facts = rules.merge(call.facts, event, item.received_at, item.event_id)
    call.changed = True
    return settle(batch, step, event, call, now)


def settle(batch: Batch, step: EventItem, event: CallEvent, call: CallState, now: datetime) -> EventResult:
    """Derives the call anew and makes, once, the effects that its outcome calls for."""
    assert call.facts is not None
    # After an outage an old event is no silence: the rest of its call may wait behind it. `ingest.journal.silent_calls` asks again.
    heard_until = min(now, step.item.received_at) if step.item.first_time else now
    view = call.view = rules.derive(call.facts, heard_until)
    if unheard(step, event, view):
        raise Transient("caller_named_meanwhile", "Another event of this call named the caller at the same moment.")
    before, call.outcome = call.outcome, view.outcome
    if view.extension and view.outcome in rules.TALKED_OUTCOMES:
        call.owner_id = batch.part(Calls).owners_by_extension.get(view.extension, call.owner_id)
    phone = next((k for k in step.person.keys if k.kind == "phone" and not k.is_guess and k.strength != "blocked"), None)
    touch = touch_columns(view, phone.display if phone else "")
    call.remote = phone.display if phone is not None else view.remote
    if phone is not None:
        call.phone = phone.value
        batch.part(CallBacks).callers[phone.value] = None
    direction = "out" if view.direction == "out" else "in"
    if call.touch is not None:
        _update_touch(batch, call.touch, touch | {"at": view.started_at.isoformat()})
    if view.outcome == "internal":
        return taken_as(step, "ignored", {"code": "internal_call"}, call.lead, call.contact)
    if phone is None:
        code = "hidden_number" if not view.remote else "number_identifies_nobody"
        return _of_call(step, call, code)
    if view.outcome is None:
        return _of_call(step, call, "call_in_progress")
    if view.outcome in rules.MISSED_OUTCOMES and view.direction != "out":
        return _missed(batch, step, call, touch)
    if view.outcome in rules.TALKED_OUTCOMES:
        return _talked(batch, step, call, touch, direction, before)
    if view.outcome == "blocked":
        return _of_call(step, call, "blocked_by_the_exchange")
    return _tried(batch, step, call, phone.value, touch)


def touch_columns(view: rules.CallView, remote: str) -> dict[str, Any]:
    """What the timeline says of a call; its time and direction are put beside it."""
    return {
        "kind": "call",
        "title": view.outcome or view.phase,
        "text": "",
        "data": {
            "phase": view.phase, "outcome": view.outcome, "remote": remote, "extension": view.extension,
            "our_number": view.our_number, "talk_seconds": view.talk_seconds, "recording": view.recording, "queue": view.queue,
        },
    }  # fmt: skip


def _of_call(step: EventItem, call: CallState, code: str) -> EventResult:
    """An event that adds nothing but to a call: `attached` if the call already belongs to a lead."""
    return taken_as(step, outcome_on(call.lead, step), {"code": code, "call": call}, call.lead, call.contact)


def _missed(batch: Batch, step: EventItem, call: CallState, touch: dict[str, Any]) -> EventResult:
    view = call.view
    # It may have been known as missed before anybody said whose call it was.
    nothing_done = call.lead is None
    if nothing_done:
        contact = call.contact.root if call.contact is not None else None
        verdict = None
        if contact is None:
            contact, verdict = join(batch, step)
        content = {
            "title": f"{view.outcome} {step.person.keys[0].display}", "form_id": "", "form_name": "", "message": "",
            "fields": {"called": view.our_number, "queue": view.queue} if view.our_number or view.queue else {},
            "attribution": attribution_columns(Attribution()),
        }  # fmt: skip
        taken, lead, item = put(batch, step, contact, verdict, step.item.line, content, touch, "in", view.started_at)
        call.contact, call.lead, call.touch, item.call = contact, lead, item, call
        taken.reason["call"] = call
    else:
        taken = _of_call(step, call, "call_already_has_its_lead")
    return taken


def _talked(
    batch: Batch, step: EventItem, call: CallState, touch: dict[str, Any], direction: str, before: str | None
) -> EventResult:
    """Somebody got through: contact and touch, no lead of its own."""
    view = call.view
    if call.touch is None:
        contact = call.contact.root if call.contact is not None else join(batch, step)[0]
        lead = contact.leads.get(step.item.line)
        if lead is None or lead.state != "open":
            lead = open_beside(contact, step.item.line, step) or lead
        if lead is not None and (lead.state != "open" or (lead.began_at is not None and view.started_at < lead.began_at)):
            lead = None  # told late: when they talked there was no such lead
        if lead is not None:
            lead.new_touches += 1
            lead.last_touch_at = max(lead.last_touch_at, step.item.received_at)
            if lead.owner_id is None and not lead.created and call.owner_id is not None:
                lead.answered_by_id = call.owner_id
                batch.part(Ownership).given.append(lead)
        if call.owner_id is not None:
            batch.part(Ownership).given.append((contact, call.owner_id))
        item = add_touch(batch, step, contact, lead, touch, direction, view.started_at)
        call.contact, call.lead, call.touch, item.call = contact, lead, item, call
    if before not in rules.TALKED_OUTCOMES:
        _belongs_to_who_talked(batch, call)
    return _of_call(step, call, "answered_call" if direction == "in" else "outgoing_call")


def _belongs_to_who_talked(batch: Batch, call: CallState) -> None:
    """A pool shares out who has talked to nobody yet. Where the talk was only told after what came later, the lead goes to
    who talked, as if it had been told in time; not if a person has decided about it."""
    lead = call.lead or (call.contact.root.leads.get(call.line) if call.contact is not None else None)
    if call.owner_id is None or call.contact is None or lead is None or lead.state != "open":
        return
    if lead.began_at is None or lead.began_at < call.view.started_at:
        return
    if lead.created:
        given = batch.part(Ownership).given
        given.insert(given.index(lead), (call.contact.root, call.owner_id))
    elif lead.is_shared_out and lead.owner_id != call.owner_id:
        batch.part(Ownership).talked_before.append((lead, call.owner_id))


def _tried(batch: Batch, step: EventItem, call: CallState, phone: str, touch: dict[str, Any]) -> EventResult:
    """An outgoing call that nobody took makes no contact of its own."""
    back = batch.part(CallBacks).open_task(phone)
    if call.touch is None and back is not None and back.contact is not None:
        contact = back.contact.root
        item = add_touch(batch, step, contact, back.lead, touch, "out", call.view.started_at)
        call.contact, call.lead, call.touch, item.call = contact, back.lead, item, call
        if back.lead is not None:
            back.lead.new_touches += 1
    return _of_call(step, call, "outgoing_call_not_answered")


def _update_touch(batch: Batch, touch: TouchState, columns: dict[str, Any]) -> None:
    touch.columns = {**touch.columns, **columns}
    touch.changed = True
    if not touch.created and touch not in batch.changed_touches:
        batch.changed_touches.append(touch)
