"""What a mail does: a reply of a participant continues its thread, a second delivery is noted, the rest are inquiries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_core.batch.authors import author_of
from crm_core.batch.rows import Cursor, insert_rows, update_rows
from crm_core.batch.state import ContactState, EventResult, HasId, LeadState
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch, Subject
from crm_core.contacts.contact_resolution import attach, join
from crm_core.identity.emails import read_emails
from crm_core.identity.names import compare
from crm_core.identity.sender_addresses import is_ours
from crm_core.leads.inquiries import attribution_columns, headline, put, rewrite, taken_as
from crm_core.leads.intake import BIRTH, lead_of
from crm_core.parsed import Attribution, Message


@dataclass(slots=True, eq=False)
class MessageState:
    id: int | None
    dedup_key: str
    message_id: str
    participants: list[str]
    contact: ContactState | None
    lead: LeadState | None
    event_id: int
    columns: dict[str, Any] = field(default_factory=dict)
    created: bool = False
    placed: bool = False  # it came to a contact and a lead in this batch
    deliveries: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Mails:
    rows: list[dict[str, Any]] = field(default_factory=list)
    by_key: dict[str, MessageState] = field(default_factory=dict)  # by dedup_key
    by_message_id: dict[str, MessageState] = field(default_factory=dict)
    new: list[MessageState] = field(default_factory=list)


def _locks(_cursor: Cursor, batch: Batch) -> list[str]:
    return [f"mail:{message.dedup_key}" for message in _messages(batch)]


def _messages(batch: Batch) -> list[Message]:
    return [step.parsed_item for step in batch.steps if isinstance(step.parsed_item, Message)]


def _find(cursor: Cursor, batch: Batch) -> None:
    messages = _messages(batch)
    if not messages:
        return
    referenced = {ref for message in messages for ref in (*message.in_reply_to, *message.references) if ref}
    cursor.execute(
        "SELECT m.id, m.dedup_key, m.message_id, m.participants, m.contact_id, m.lead_id, m.event_id,"
        f" {BIRTH} FROM mail_message m LEFT JOIN lead l ON l.id = m.lead_id"
        " WHERE m.dedup_key = ANY(%s) OR (m.message_id <> '' AND m.message_id = ANY(%s)) ORDER BY m.id",
        ([message.dedup_key for message in messages], list(referenced)),
    )
    rows = batch.part(Mails).rows = cursor.fetchall()
    batch.wanted_contacts.update(row["contact_id"] for row in rows if row["contact_id"] is not None)


def _load(_cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Mails)
    for row in part.rows:
        message = MessageState(
            row["id"], row["dedup_key"], row["message_id"], row["participants"],
            batch.contacts.get(row["contact_id"]), lead_of(batch, row), row["event_id"],
        )  # fmt: skip
        part.by_key[row["dedup_key"]] = message
        part.by_message_id.setdefault(row["message_id"], message)


def take_message(batch: Batch, step: EventItem, _now: datetime) -> EventResult:
    message = step.parsed_item
    assert isinstance(message, Message)
    delivery = {"source_id": step.item.source_id, "event_id": step.item.event_id}
    known = batch.part(Mails).by_key.get(message.dedup_key)
    again = batch.touches.get((step.item.event_id, step.seq))
    if known is not None and known.event_id != step.item.event_id:
        known.deliveries.append(delivery)
        reason = {"code": "second_delivery_of_a_known_message"}
        return taken_as(step, "attached" if known.lead is not None else "auto", reason, known.lead, known.contact)
    touch: dict[str, Any] = {
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
    thread, claimed = _thread(batch, step, message)
    if thread is not None and message.own_text:
        # What is new in an answer; the history below it is in the history already, and the whole is kept beside it.
        touch["text"] = message.own_text
        touch["data"] |= {"whole_text": message.text, "text_rule": message.fields.get("own_text_rule", "")}
    if again is not None:
        return rewrite(batch, step, again, touch, content)
    if known is None:
        known = _new_message(batch, step, message, delivery)
    if message.automatic:
        return taken_as(step, "auto", {"code": message.automatic, "evidence": message.fields.get("automatic_evidence", "")})
    contact = thread.contact.root if thread is not None and thread.contact is not None else None
    verdict = None
    if contact is None:
        contact, verdict = join(batch, step)
    else:
        attach_if_same(batch, step, contact)
    taken, lead, item = put(batch, step, contact, verdict, step.item.line, content, touch)
    item.message, known.contact, known.lead, known.placed = known, contact, lead, True
    if thread is not None:
        taken.reason["thread"] = {"rule": "reply_of_a_participant", "message": thread}
    elif claimed is not None:
        taken.reason["thread"] = {"rule": "claims_to_continue_but_sender_is_a_stranger", "message": claimed}
    return taken


def _storable(told: datetime | None) -> str | None:
    """A mail's own date, unless it lies where no calendar of ours goes: 9999 with a zone cannot be read back."""
    return told.isoformat() if told is not None and 1900 <= told.year <= 2200 else None


def attach_if_same(batch: Batch, step: EventItem, contact: ContactState) -> None:
    """A participant of the thread who is not the contact himself (his colleague) does not lend him his address."""
    mine = any(
        link.contact.root is contact
        for key in step.person.keys
        if (identifier := batch.identifiers.get((key.kind, key.value))) is not None
        for link in identifier.live_links()
    )
    if mine or (step.person.name and compare(step.person.name, contact.name) == "agree"):
        attach(batch, step, contact)


def _new_message(batch: Batch, step: EventItem, message: Message, delivery: dict[str, Any]) -> MessageState:
    participants = participants_of(message)
    state = MessageState(
        None, message.dedup_key, message.message_id, participants, None, None, step.item.event_id,
        {"subject": message.subject, "sender": message.sender.email if message.sender else "",
         "sent_at": _storable(message.sent_at)},
        created=True, deliveries=[delivery],
    )  # fmt: skip
    part = batch.part(Mails)
    part.by_key[message.dedup_key] = state
    if message.message_id:
        part.by_message_id.setdefault(message.message_id, state)
    part.new.append(state)
    return state


def participants_of(message: Message) -> list[str]:
    """Canonical addresses of everybody on the mail."""
    people = [message.sender, message.reply_to, *message.to, *message.cc]
    return sorted({key.value for person in people if person for key in read_emails(person.email) if not key.is_guess})


def _thread(batch: Batch, step: EventItem, message: Message) -> tuple[MessageState | None, MessageState | None]:
    """The known message that this one answers, if its sender took part in it; else the one it only claims to answer."""
    sender_keys = {key.value for key in step.person.keys if key.kind == "email"} | _colleague(step, message)
    claimed = None
    for reference in (*message.in_reply_to, *reversed(message.references)):
        known = batch.part(Mails).by_message_id.get(reference)
        if known is None or known.contact is None or known.event_id == step.item.event_id:
            continue
        if sender_keys.intersection(known.participants):
            return known, None
        claimed = claimed or known
    return None, claimed


def _colleague(step: EventItem, message: Message) -> set[str]:
    """The sender's address where a colleague wrote by hand: no key of anybody, and a participant of the thread all the same."""
    author, own = author_of(message, step.item.own_addresses), step.item.own_addresses
    if author.address is not None or message.visitor is not None or message.robot or message.sender is None:
        return set()
    return (
        {key.value for key in read_emails(message.sender.email) if not key.is_guess}
        if is_ours(message.sender.email, own)
        else set()
    )


def _new(batch: Batch) -> Mapping[str, Sequence[HasId]]:
    return {"mail_message": batch.part(Mails).new}


def _write(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Mails)
    insert_rows(
        cursor, "mail_message",
        [{"id": m.id, "dedup_key": m.dedup_key, "message_id": m.message_id, "direction": "in",
          "participants": m.participants, **m.columns, "event_id": m.event_id, "created_at": "now",
          "contact_id": m.contact.id if m.contact else None, "lead_id": m.lead.id if m.lead else None}
         for m in part.new],
    )  # fmt: skip
    # Known as automatic, and on replay it was not: later mails of its thread must find its contact.
    update_rows(
        cursor, "mail_message",
        [{"id": m.id, "contact_id": m.contact.root.id if m.contact else None, "lead_id": m.lead.id if m.lead else None}
         for m in part.by_key.values() if m.placed and not m.created],
    )  # fmt: skip
    insert_deliveries = [{"message_id": m.id, **delivery} for m in part.by_key.values() for delivery in m.deliveries]
    if insert_deliveries:
        cursor.execute(
            "INSERT INTO mail_delivery (message_id, source_id, event_id)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING",
            tuple([row[c] for row in insert_deliveries] for c in ("message_id", "source_id", "event_id")),
        )


SUBJECT = Subject("messages", locks=_locks, find=_find, load=_load, takes={Message: take_message}, new=_new, write=_write)
