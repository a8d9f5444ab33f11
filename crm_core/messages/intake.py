"""What a mail does: a reply of a participant continues its thread, a second delivery is noted, the rest are inquiries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.batch.state import ContactState, EventResult, MessageState, Snapshot
from crm_core.batch.steps import EventItem, client_address
from crm_core.contacts.contact_resolution import attach, compare, join
from crm_core.identity.emails import read_emails
from crm_core.leads.inquiries import attribution_columns, headline, put, rewrite, taken_as
from crm_core.parsed import Attribution, Message


def take_message(snapshot: Snapshot, step: EventItem, message: Message, now: datetime) -> EventResult:
    delivery = {"source_id": step.item.source_id, "event_id": step.item.event_id}
    known = snapshot.messages.get(message.dedup_key)
    again = snapshot.touches.get((step.item.event_id, step.seq))
    if known is not None and known.event_id != step.item.event_id:
        known.deliveries.append(delivery)
        reason = {"code": "second_delivery_of_a_known_message"}
        return taken_as(step, "attached" if known.lead is not None else "auto", reason, known.lead, known.contact)
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
        "message": message.text, "fields": dict(message.fields), "attribution": attribution_columns(Attribution()),
    }  # fmt: skip
    if again is not None:
        return rewrite(snapshot, step, again, touch, content)
    if known is None:
        known = _new_message(snapshot, step, message, delivery)
    if message.automatic:
        return taken_as(step, "auto", {"code": message.automatic, "evidence": message.fields.get("automatic_evidence", "")})
    thread, claimed = _thread(snapshot, step, message)
    contact = thread.contact.root if thread is not None and thread.contact is not None else None
    verdict = None
    if contact is None:
        contact, verdict = join(snapshot, step, now)
    else:
        attach_if_same(snapshot, step, contact)
    taken, lead, item = put(snapshot, step, contact, verdict, step.item.line, content, touch)
    item.message, known.contact, known.lead, known.placed = known, contact, lead, True
    if thread is not None:
        taken.reason["thread"] = {"rule": "reply_of_a_participant", "message": thread}
    elif claimed is not None:
        taken.reason["thread"] = {"rule": "claims_to_continue_but_sender_is_a_stranger", "message": claimed}
    return taken


def _storable(told: datetime | None) -> str | None:
    """A mail's own date, unless it lies where no calendar of ours goes: 9999 with a zone cannot be read back."""
    return told.isoformat() if told is not None and 1900 <= told.year <= 2200 else None


def attach_if_same(snapshot: Snapshot, step: EventItem, contact: ContactState) -> None:
    """A participant of the thread who is not the contact himself (his colleague) does not lend him his address."""
    mine = any(
        link.contact.root is contact
        for key in step.person.keys
        if (identifier := snapshot.identifiers.get((key.kind, key.value))) is not None
        for link in identifier.live_links()
    )
    if mine or (step.person.name and compare(step.person.name, contact.name) == "agree"):
        attach(snapshot, step, contact)


def _new_message(snapshot: Snapshot, step: EventItem, message: Message, delivery: dict[str, Any]) -> MessageState:
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


def _thread(snapshot: Snapshot, step: EventItem, message: Message) -> tuple[MessageState | None, MessageState | None]:
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
