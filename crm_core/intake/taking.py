"""What one arrival does to contacts, leads, calls and call-backs, in memory. Every effect knows the event it came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_core import calls
from crm_core.arrivals import Attribution, CallEvent, Ignored, Inquiry, Message
from crm_core.errors import Transient
from crm_core.identity.emails import read_emails
from crm_core.intake.callers import unheard
from crm_core.intake.joining import attach, compare, join
from crm_core.intake.people import Step, client_address
from crm_core.intake.state import (
    CallBackState,
    CallState,
    ContactState,
    LeadState,
    MessageState,
    Snapshot,
    Taken,
    TouchState,
)
from crm_core.leads import LeadVerdict, decide_lead
from crm_core.matching import Verdict

#: How soon a missed caller should be called back.
CALL_BACK_WITHIN = timedelta(minutes=15)
_TITLE_LENGTH = 120  # characters of a message that serve as a headline


def take(snapshot: Snapshot, step: Step, now: datetime) -> Taken:
    """Applies one arrival and says what became of it. Ids of new rows stand as objects until they are written."""
    arrival = step.arrival
    if isinstance(arrival, Ignored):
        return _taken(step, "ignored", {"code": arrival.code, "detail": arrival.detail})
    if isinstance(arrival, Inquiry):
        if arrival.is_test:
            return _taken(step, "test", {"code": "marked_as_test_by_the_sender"})
        return take_inquiry(snapshot, step, arrival, now)
    if isinstance(arrival, CallEvent):
        return take_call(snapshot, step, arrival, now)
    return take_message(snapshot, step, arrival, now)


def _taken(
    step: Step, outcome: str, reason: dict[str, Any], lead: LeadState | None = None, contact: ContactState | None = None
) -> Taken:
    return Taken(step.item.event_id, outcome, reason, lead, contact)  # type: ignore[arg-type]  # ids come at the flush


def headline(text: str) -> str:
    """The first line with something in it, cut at a word."""
    line = next((stripped for raw in text.splitlines() if (stripped := raw.strip())), "")
    if len(line) <= _TITLE_LENGTH:
        return line
    return line[:_TITLE_LENGTH].rsplit(" ", 1)[0] + "…"


def _attribution(value: Attribution) -> dict[str, Any]:
    return {
        **value.utm,
        "page_url": value.page_url,
        "referrer": value.referrer,
        "click_ids": dict(value.click_ids),
        "client_ids": dict(value.client_ids),
    }


def _lead_content(step: Step, inquiry: Inquiry) -> dict[str, Any]:
    title = inquiry.title or inquiry.form_name or headline(inquiry.message) or step.item.source_name
    return {
        "title": headline(title),
        "form_id": inquiry.form_id,
        "form_name": inquiry.form_name,
        "message": inquiry.message,
        "fields": dict(inquiry.fields),
        "attribution": _attribution(inquiry.attribution),
    }


def take_inquiry(snapshot: Snapshot, step: Step, inquiry: Inquiry, now: datetime) -> Taken:
    content = _lead_content(step, inquiry)
    touch = {
        "kind": "form",
        "title": content["title"],
        "text": inquiry.message,
        "data": {
            "name": inquiry.name, "phones": list(inquiry.phones), "emails": list(inquiry.emails),
            "company": inquiry.company, "fields": content["fields"], "attribution": content["attribution"],
            "form": {"id": inquiry.form_id, "name": inquiry.form_name}, "warnings": list(inquiry.warnings),
        },
    }  # fmt: skip
    again = snapshot.touches.get((step.item.event_id, step.seq))
    if again is not None:
        return _rewrite(snapshot, step, again, touch, content)
    contact, verdict = join(snapshot, step, now)
    return _put(snapshot, step, contact, verdict, inquiry.line or step.item.line, content, touch)[0]


def _rewrite(
    snapshot: Snapshot, step: Step, touch: TouchState, columns: dict[str, Any], content: dict[str, Any]
) -> Taken:
    """A replay of an event that already had its effect: the effect is brought up to date, nothing is added."""
    contact = touch.contact.root
    attach(snapshot, step, contact)
    touch.columns, touch.changed = columns, True
    if not touch.created:
        snapshot.changed_touches.append(touch)
    lead = touch.lead
    outcome = _outcome_on(lead, step)
    if lead is not None and outcome != "attached":
        lead.content = content
    return _taken(step, outcome, {"code": "replayed"}, lead, contact)


def _outcome_on(lead: LeadState | None, step: Step) -> str:
    """What an event that already has its lead, or none, counts as: its own lead's birth keeps its name for ever."""
    if lead is None:
        return "ignored"
    if not lead.created and lead.event_id == step.item.event_id and lead.event_seq == step.seq:
        return "repeat" if lead.repeat_of else "created"
    return "attached"


def _put(
    snapshot: Snapshot,
    step: Step,
    contact: ContactState,
    verdict: Verdict | None,
    line: str,
    content: dict[str, Any],
    touch: dict[str, Any],
    direction: str = "in",
    at: datetime | None = None,
) -> tuple[Taken, LeadState, TouchState]:
    """Puts an inquiry on the contact's open lead, or makes a lead for it, and adds the touch."""
    at = at or step.item.received_at
    latest = contact.leads.get(line)
    decided = (
        decide_lead(latest.state, latest.last_touch_at, latest.closed_at, step.item.received_at)
        if latest is not None
        else LeadVerdict("create", "first_inquiry")
    )
    if decided.action == "touch" and latest is not None:
        lead = latest
        lead.new_touches += 1
        lead.last_touch_at = max(lead.last_touch_at, step.item.received_at)
    else:
        lead = LeadState(
            None, contact, line, "open", None, step.item.received_at, step.item.event_id, step.seq,
            repeat_of=latest if decided.action == "repeat" else None, created=True, content=content,
            pool_id=step.item.pool_id,
            sticky_owner_id=latest.owner_id if latest is not None else None,
        )  # fmt: skip
        lead.content = {
            **content, "channel": step.item.channel, "source_id": step.item.source_id,
            "received_at": step.item.received_at.isoformat(),
        }  # fmt: skip
        contact.leads[line] = lead
        snapshot.new_leads.append(lead)
        snapshot.ownership.append(lead)
    item = add_touch(snapshot, step, contact, lead, touch, direction, at)
    outcome = {"touch": "attached", "create": "created", "repeat": "repeat"}[decided.action]
    reason: dict[str, Any] = {"code": decided.why}
    if verdict is not None:
        reason["match"] = {"rule": verdict.rule, "action": verdict.action, "evidence": verdict.evidence}
    return _taken(step, outcome, reason, lead, contact), lead, item


def add_touch(
    snapshot: Snapshot, step: Step, contact: ContactState, lead: LeadState | None, columns: Mapping[str, Any],
    direction: str, at: datetime,
) -> TouchState:  # fmt: skip
    touch = TouchState(
        None, contact, lead,
        {**columns, "direction": direction, "at": at.isoformat(), "source_id": step.item.source_id,
         "event_id": step.item.event_id, "seq": step.seq},
    )  # fmt: skip
    snapshot.new_touches.append(touch)
    snapshot.touches[step.item.event_id, step.seq] = touch
    return touch


# --- calls ---------------------------------------------------------------------------------------------------------


def take_call(snapshot: Snapshot, step: Step, event: CallEvent, now: datetime) -> Taken:
    item = step.item
    key = (item.source_id, event.call_key)
    call = snapshot.calls.get(key)
    if call is None:
        call = snapshot.calls[key] = CallState(None, item.source_id, event.call_key, None)
    call.facts = calls.merge(call.facts, event, item.received_at, item.event_id)
    call.changed = True
    return settle(snapshot, step, event, call, now)


def settle(snapshot: Snapshot, step: Step, event: CallEvent, call: CallState, now: datetime) -> Taken:
    """Derives the call anew and makes, once, the effects that its outcome calls for."""
    assert call.facts is not None
    # After an outage an old event is no silence: the rest of its call may wait behind it. `ingest.settle` asks again.
    heard_until = min(now, step.item.received_at) if step.item.first_time else now
    view = call.view = calls.derive(call.facts, heard_until)
    if unheard(step, event, view):
        raise Transient("caller_named_meanwhile", "Another event of this call named the caller at the same moment.")
    before, call.outcome = call.outcome, view.outcome
    if view.extension and view.outcome in calls.TALKED_OUTCOMES:
        call.owner_id = snapshot.owners_by_extension.get(view.extension, call.owner_id)
    phone = next((k for k in step.person.keys if k.kind == "phone" and not k.is_guess and k.strength != "blocked"), None)
    touch = {
        "kind": "call",
        "title": view.outcome or view.phase,
        "text": "",
        "data": {
            "phase": view.phase, "outcome": view.outcome, "remote": phone.display if phone else "",
            "extension": view.extension, "our_number": view.our_number, "talk_seconds": view.talk_seconds,
            "recording": view.recording, "queue": view.queue,
        },
    }  # fmt: skip
    call.remote = phone.display if phone is not None else view.remote
    direction = "out" if view.direction == "out" else "in"
    if call.touch is not None:
        _update_touch(snapshot, call.touch, touch)
    if view.outcome == "internal":
        return _taken(step, "ignored", {"code": "internal_call"}, call.lead, call.contact)
    if phone is None:
        code = "hidden_number" if not view.remote else "number_identifies_nobody"
        return _of_call(step, call, code)
    if view.outcome is None:
        return _of_call(step, call, "call_in_progress")
    if view.outcome in calls.MISSED_OUTCOMES and view.direction != "out":
        return _missed(snapshot, step, call, phone.value, touch, before, now)
    if view.outcome in calls.TALKED_OUTCOMES:
        return _talked(snapshot, step, call, phone.value, touch, direction, now)
    if view.outcome == "blocked":
        return _of_call(step, call, "blocked_by_the_exchange")
    return _tried(snapshot, step, call, phone.value, touch, before)


def _of_call(step: Step, call: CallState, code: str) -> Taken:
    """An event that adds nothing but to a call: `attached` if the call already belongs to a lead."""
    return _taken(step, _outcome_on(call.lead, step), {"code": code, "call": call}, call.lead, call.contact)


def _missed(
    snapshot: Snapshot, step: Step, call: CallState, phone: str, touch: dict[str, Any], before: str | None, now: datetime
) -> Taken:
    view = call.view
    # It may have been known as missed before anybody said whose call it was.
    nothing_done = call.lead is None
    if nothing_done:
        contact = call.contact.root if call.contact is not None else None
        verdict = None
        if contact is None:
            contact, verdict = join(snapshot, step, now)
        content = {
            "title": f"{view.outcome} {step.person.keys[0].display}", "form_id": "", "form_name": "", "message": "",
            "fields": {"called": view.our_number, "queue": view.queue} if view.our_number or view.queue else {},
            "attribution": _attribution(Attribution()),
        }  # fmt: skip
        taken, lead, item = _put(
            snapshot, step, contact, verdict, step.item.line, content, touch, "in", view.started_at
        )
        call.contact, call.lead, call.touch, item.call = contact, lead, item, call
        taken.reason["call"] = call
    else:
        taken = _of_call(step, call, "call_already_has_its_lead")
    if nothing_done or before not in calls.MISSED_OUTCOMES:
        _open_call_back(snapshot, call, phone, now)
    return taken


def _open_call_back(snapshot: Snapshot, call: CallState, phone: str, now: datetime) -> None:
    back = snapshot.call_backs.get(phone)
    if back is None or back.state != "open":
        back = CallBackState(
            None, phone, call.contact, call.lead, call, None, phone, now + CALL_BACK_WITHIN, call.view.started_at,
            created=True,
        )  # fmt: skip
        snapshot.call_backs[phone] = back
        snapshot.new_call_backs.append(back)
    back.missed += 1
    back.changed = True
    back.result = {"last_missed_at": max(call.view.started_at, _last_missed_at(back)).isoformat()}


def _last_missed_at(back: CallBackState) -> datetime:
    told = back.result.get("last_missed_at")
    return datetime.fromisoformat(told) if told else back.opened_at


def _talked(
    snapshot: Snapshot, step: Step, call: CallState, phone: str, touch: dict[str, Any], direction: str, now: datetime
) -> Taken:
    """Somebody got through: contact and touch, no lead of its own; an open call-back to this number is done."""
    view = call.view
    if call.touch is None:
        contact = call.contact.root if call.contact is not None else join(snapshot, step, now)[0]
        lead = contact.leads.get(step.item.line)
        if lead is not None and lead.state != "open":
            lead = None
        if lead is not None:
            lead.new_touches += 1
            lead.last_touch_at = max(lead.last_touch_at, step.item.received_at)
            if lead.owner_id is None and not lead.created and call.owner_id is not None:
                lead.answered_by_id = call.owner_id
                snapshot.ownership.append(lead)
        if call.owner_id is not None:
            snapshot.ownership.append((contact, call.owner_id))
        item = add_touch(snapshot, step, contact, lead, touch, direction, view.started_at)
        call.contact, call.lead, call.touch, item.call = contact, lead, item, call
    back = snapshot.call_backs.get(phone)
    if back is not None and back.state == "open":
        answered_at = view.answered_at or view.started_at
        ended_at = view.ended_at or answered_at
        # A talk that is told late does not answer the call that was missed after it.
        only_this_one = back.missed == 1 and (back.call is call or back.call == call.id)
        if only_this_one or ended_at >= _last_missed_at(back):
            back.state, back.closed_at, back.changed = "done", now, True
            back.result = {
                "code": "got_through", "call": call, "direction": direction, "extension": view.extension,
                "seconds_to_call_back": max(0, round((answered_at - back.opened_at).total_seconds())),
            }  # fmt: skip
    return _of_call(step, call, "answered_call" if direction == "in" else "outgoing_call")


def _tried(
    snapshot: Snapshot, step: Step, call: CallState, phone: str, touch: dict[str, Any], before: str | None
) -> Taken:
    """An outgoing call that nobody took counts as an attempt; it makes no contact of its own."""
    back = snapshot.call_backs.get(phone)
    if back is not None and back.state == "open" and before != call.outcome:
        back.tried += 1
        back.changed = True
    if call.touch is None and back is not None and back.contact is not None:
        contact = back.contact.root
        item = add_touch(snapshot, step, contact, back.lead, touch, "out", call.view.started_at)
        call.contact, call.lead, call.touch, item.call = contact, back.lead, item, call
        if back.lead is not None:
            back.lead.new_touches += 1
    return _of_call(step, call, "outgoing_call_not_answered")


def _update_touch(snapshot: Snapshot, touch: TouchState, columns: dict[str, Any]) -> None:
    touch.columns = {**touch.columns, **columns}
    touch.changed = True
    if not touch.created and touch not in snapshot.changed_touches:
        snapshot.changed_touches.append(touch)


# --- mail ----------------------------------------------------------------------------------------------------------


def take_message(snapshot: Snapshot, step: Step, message: Message, now: datetime) -> Taken:
    delivery = {"source_id": step.item.source_id, "event_id": step.item.event_id}
    known = snapshot.messages.get(message.dedup_key)
    again = snapshot.touches.get((step.item.event_id, step.seq))
    if known is not None and known.event_id != step.item.event_id:
        known.deliveries.append(delivery)
        reason = {"code": "second_delivery_of_a_known_message"}
        return _taken(step, "attached" if known.lead is not None else "auto", reason, known.lead, known.contact)
    touch = {
        "kind": "mail",
        "title": message.subject or headline(message.text),
        "text": message.text,
        "data": {
            "from": {"name": message.sender.name, "email": message.sender.email} if message.sender else None,
            "reply_to": message.reply_to.email if message.reply_to else "",
            "to": [address.email for address in message.to], "cc": [address.email for address in message.cc],
            "attachments": [dict(attachment) for attachment in message.attachments],
            "sent_at": _storable(message.sent_at), "warnings": list(message.warnings),
        },
    }  # fmt: skip
    content = {
        "title": headline(message.subject or message.text) or step.item.source_name, "form_id": "", "form_name": "",
        "message": message.text, "fields": dict(message.fields), "attribution": _attribution(Attribution()),
    }  # fmt: skip
    if again is not None:
        return _rewrite(snapshot, step, again, touch, content)
    if known is None:
        known = _new_message(snapshot, step, message, delivery)
    if message.automatic:
        return _taken(step, "auto", {"code": message.automatic, "evidence": message.fields.get("automatic_evidence", "")})
    thread, claimed = _thread(snapshot, step, message)
    contact = thread.contact.root if thread is not None and thread.contact is not None else None
    verdict = None
    if contact is None:
        contact, verdict = join(snapshot, step, now)
    else:
        attach_if_same(snapshot, step, contact)
    taken, lead, item = _put(snapshot, step, contact, verdict, step.item.line, content, touch)
    item.message, known.contact, known.lead, known.placed = known, contact, lead, True
    if thread is not None:
        taken.reason["thread"] = {"rule": "reply_of_a_participant", "message": thread}
    elif claimed is not None:
        taken.reason["thread"] = {"rule": "claims_to_continue_but_sender_is_a_stranger", "message": claimed}
    return taken


def _storable(told: datetime | None) -> str | None:
    """A mail's own date, unless it lies where no calendar of ours goes: 9999 with a zone cannot be read back."""
    return told.isoformat() if told is not None and 1900 <= told.year <= 2200 else None


def attach_if_same(snapshot: Snapshot, step: Step, contact: ContactState) -> None:
    """A participant of the thread who is not the contact himself (his colleague) does not lend him his address."""
    mine = any(
        link.contact.root is contact
        for key in step.person.keys
        if (identifier := snapshot.identifiers.get((key.kind, key.value))) is not None
        for link in identifier.live_links()
    )
    if mine or (step.person.name and compare(step.person.name, contact.name) == "agree"):
        attach(snapshot, step, contact)


def _new_message(snapshot: Snapshot, step: Step, message: Message, delivery: dict[str, Any]) -> MessageState:
    participants = participants_of(message)
    state = MessageState(
        None, message.dedup_key, message.message_id, participants, None, None, step.item.event_id,
        {"subject": message.subject, "sender": message.sender.email if message.sender else "",
         "sent_at": _storable(message.sent_at)},
        created=True, deliveries=[delivery],
    )  # fmt: skip
    snapshot.messages[message.dedup_key] = state
    if message.message_id:
        snapshot.by_message_id.setdefault(message.message_id, state)
    snapshot.new_messages.append(state)
    return state


def participants_of(message: Message) -> list[str]:
    """Canonical addresses of everybody on the mail."""
    people = [message.sender, message.reply_to, *message.to, *message.cc]
    return sorted({key.value for person in people if person for key in read_emails(person.email) if not key.is_guess})


def _thread(
    snapshot: Snapshot, step: Step, message: Message
) -> tuple[MessageState | None, MessageState | None]:
    """The known message that this one answers, if its sender took part in it; else the one it only claims to answer."""
    client = client_address(message, step.item.own_addresses)
    sender_keys = {key.value for key in step.person.keys if key.kind == "email"} if client else set()
    claimed = None
    for reference in (*message.in_reply_to, *reversed(message.references)):
        known = snapshot.by_message_id.get(reference)
        if known is None or known.contact is None or known.event_id == step.item.event_id:
            continue
        if sender_keys.intersection(known.participants):
            return known, None
        claimed = claimed or known
    return None, claimed
