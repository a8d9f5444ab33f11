"""What an inquiry does: the contact's open lead gets a touch, or a lead is made; a replay rewrites, never adds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm_core.batch.state import ContactState, EventResult, IdentifierState, LeadState, Person, TouchState
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch
from crm_core.contacts.contact_resolution import attach, join
from crm_core.contacts.rules import Verdict
from crm_core.forms.fingerprints import Fingerprints, RecentTouch, double_of, happened_at, remember, was_erased
from crm_core.identity.phones import region_of
from crm_core.leads.rules import LeadVerdict, decide_lead, is_one_occasion
from crm_core.parsed import Attribution, Inquiry
from crm_core.routing.facts import facts_of
from crm_core.routing.intake import Ownership

_TITLE_LENGTH = 120  # characters of a message that serve as a headline


def taken_as(
    step: EventItem, outcome: str, reason: dict[str, Any], lead: LeadState | None = None, contact: ContactState | None = None
) -> EventResult:
    told = {**reason, **country_of(step.person)}
    return EventResult(step.item.event_id, outcome, told, lead, contact)  # type: ignore[arg-type]  # states until they have ids


def country_of(person: Person) -> dict[str, Any]:
    """What named the country of a number that was written without it, and whether it is only a guess. Not the number."""
    for key in person.keys:
        by = next((flag.removeprefix("country_") for flag in key.flags if flag.startswith("country_")), "")
        if by:
            named = {"by": "region" if by == "unsure" else by, "region": region_of(key.value), "unsure": key.is_unsure}
            return {"country": named}
    return {}


def headline(text: str) -> str:
    """The first line with something in it, cut at a word."""
    line = next((stripped for raw in text.splitlines() if (stripped := raw.strip())), "")
    if len(line) <= _TITLE_LENGTH:
        return line
    return line[:_TITLE_LENGTH].rsplit(" ", 1)[0] + "…"


def attribution_columns(value: Attribution) -> dict[str, Any]:
    return {
        **value.utm,
        "page_url": value.page_url,
        "referrer": value.referrer,
        "click_ids": dict(value.click_ids),
        "client_ids": dict(value.client_ids),
        **({"page_title": value.page_title} if value.page_title else {}),
        **({"first": dict(value.first)} if value.first else {}),
    }


def _lead_content(step: EventItem, inquiry: Inquiry) -> dict[str, Any]:
    title = inquiry.title or inquiry.form_name or headline(inquiry.message) or step.item.source_name
    return {
        "title": headline(title),
        "form_id": inquiry.form_id,
        "form_name": inquiry.form_name,
        "message": inquiry.message,
        "fields": _unusable(step, inquiry) | dict(inquiry.fields),
        "attribution": attribution_columns(inquiry.attribution),
    }


def _unusable(step: EventItem, inquiry: Inquiry) -> dict[str, Any]:
    """A phone or an address that is none, as it was typed: it may still tell a person how to reach somebody."""
    kinds = {key.kind for key in step.person.keys}
    written = (("phone", inquiry.phones), ("email", inquiry.emails))
    return {kind: ", ".join(texts) for kind, texts in written if texts and kind not in kinds}


def take_inquiry(batch: Batch, step: EventItem, _now: datetime) -> EventResult:
    inquiry = step.parsed_item
    assert isinstance(inquiry, Inquiry)
    content = _lead_content(step, inquiry)
    touch = {
        "kind": "form",
        "title": content["title"],
        "text": inquiry.message,
        "data": {
            "name": inquiry.name, "phones": list(inquiry.phones), "emails": list(inquiry.emails),
            "company": inquiry.company, "fields": dict(inquiry.fields), "attribution": content["attribution"],
            "form": {"id": inquiry.form_id, "name": inquiry.form_name}, "warnings": list(inquiry.warnings),
            **({"messengers": dict(inquiry.messengers)} if inquiry.messengers else {}),
        },
    }  # fmt: skip
    marks, at = batch.part(Fingerprints).marks[step.item.event_id, step.seq], happened_at(step, inquiry)
    touch |= {"likeness": marks.likeness, "fingerprint": marks.fingerprint}
    again = batch.touches.get((step.item.event_id, step.seq))
    if again is not None:
        return rewrite(batch, step, again, touch, content, is_known=not _is_another_person(batch, step, again))
    if was_erased(batch, step, inquiry):
        batch.erased_again.append(step.item.event_id)
        return taken_as(step, "ignored", {"code": "erased_submission_sent_again"})
    found = double_of(batch, step, inquiry)
    if found is not None:
        # Nothing is refused: the second one is on record as a touch of the same lead.
        contact, verdict = _contact_of(batch, found[0]), None
        attach(batch, step, contact)
    else:
        contact, verdict = join(batch, step)
    taken, lead, item = put(batch, step, contact, verdict, inquiry.line or step.item.line, content, touch, at=at)
    if found is not None:
        taken.reason["double"] = {"rule": found[1], "event": str(found[0].event_id)}
        if found[1] == "double_submission" and taken.outcome == "attached":
            item.columns["counted"] = False
            lead.new_touches -= 1  # on record, and no second inquiry: a figure of people's must not count a double click
        item.double_of = found[0].touch or found[0].id
    remember(
        batch,
        RecentTouch(None, step.item.event_id, step.seq, None, marks.fingerprint, marks.likeness, at, inquiry.emails,
                    inquiry.phones, item),
    )  # fmt: skip
    return taken


def _contact_of(batch: Batch, recent: RecentTouch) -> ContactState:
    if recent.touch is not None:
        return recent.touch.contact.root
    assert recent.contact_id is not None
    return batch.contacts[recent.contact_id].root


def _is_another_person(batch: Batch, step: EventItem, touch: TouchState) -> bool:
    """Read anew, the inquiry names none of the addresses of a contact who has other inquiries as well: it was taken for
    his by mistake, and what it names is not his."""
    contact = touch.contact.root
    if not touch.is_among_others or not step.person.keys or not contact.phones + contact.emails:
        return False
    places = ((key.kind, key.value) for key in step.person.keys)
    known = (batch.identifiers[place] for place in places if place in batch.identifiers)
    return not any(link.contact.root is contact for identifier in known for link in identifier.live_links())


def rewrite(
    batch: Batch, step: EventItem, touch: TouchState, columns: dict[str, Any], content: dict[str, Any],
    *, is_known: bool = True,
) -> EventResult:  # fmt: skip
    """A replay of an event that already had its effect: the effect is brought up to date, nothing is added.

    `is_known` False: the contact gets none of the addresses that it names, and the reason says so.
    """
    contact = touch.contact.root
    if is_known:
        attach(batch, step, contact)
    touch.columns, touch.changed, touch.identifiers = columns, True, identifiers_of(batch, step)
    if not touch.created:
        batch.changed_touches.append(touch)
    lead = touch.lead
    outcome = outcome_on(lead, step)
    if lead is not None and outcome != "attached":
        lead.content = content
    reason = {"code": "replayed"} if is_known else {"code": "replayed", "person": "another"}
    return taken_as(step, outcome, reason, lead, contact)


def outcome_on(lead: LeadState | None, step: EventItem) -> str:
    """What an event that already has its lead, or none, counts as: its own lead's birth keeps its name for ever."""
    if lead is None:
        return "ignored"
    if not lead.created and lead.event_id == step.item.event_id and lead.event_seq == step.seq:
        return "repeat" if lead.repeat_of else "created"
    return "attached"


def put(
    batch: Batch,
    step: EventItem,
    contact: ContactState,
    verdict: Verdict | None,
    line: str,
    content: dict[str, Any],
    touch: dict[str, Any],
    direction: str = "in",
    at: datetime | None = None,
) -> tuple[EventResult, LeadState, TouchState]:
    """Puts an inquiry on the contact's open lead, or makes a lead for it, and adds the touch."""
    at = at or step.item.received_at
    received_at, windows = step.item.received_at, step.item.windows
    latest = contact.leads.get(line)
    beside = open_beside(contact, line, step) if latest is None or latest.state != "open" else None
    if beside is not None:
        latest, decided = beside, LeadVerdict("touch", "same_occasion")
    elif latest is not None:
        decided = decide_lead(
            latest.state, latest.last_touch_at, latest.closed_at, received_at, windows,
            is_other_way=latest.channel != step.item.channel,
        )  # fmt: skip
    else:
        decided = LeadVerdict("create", "first_inquiry")
    if decided.action in ("touch", "reopen") and latest is not None:
        lead = latest
        if decided.action == "reopen":
            lead.state, lead.closed_at, lead.is_reopened = "open", None, True
        lead.new_touches += 1
        lead.last_touch_at = max(lead.last_touch_at, step.item.received_at)
        if lead.owner_left and lead.state == "open":  # who has left can take nothing: it is shared out anew, once
            lead.owner_left, lead.facts = False, facts_of(step, line)
            batch.part(Ownership).given.append(lead)
    else:
        lead = LeadState(
            None, contact, line, "open", None, step.item.received_at, step.item.event_id, step.seq,
            repeat_of=latest if decided.action == "repeat" else None, created=True, content=content,
            pool_id=step.item.pool_id, spam=step.item.spam[step.seq] if step.seq < len(step.item.spam) else {},
            sticky_owner_id=latest.owner_id if latest is not None else None, began_at=at, facts=facts_of(step, line),
        )  # fmt: skip
        lead.content = {
            **content, "channel": step.item.channel, "source_id": step.item.source_id,
            "received_at": step.item.received_at.isoformat(),
        }  # fmt: skip
        contact.leads[line] = lead
        batch.new_leads.append(lead)
        batch.part(Ownership).given.append(lead)
    item = add_touch(batch, step, contact, lead, touch, direction, at)
    outcome = {"touch": "attached", "reopen": "attached", "create": "created", "repeat": "repeat"}[decided.action]
    reason: dict[str, Any] = {"code": decided.why}
    if verdict is not None:
        reason["match"] = {"rule": verdict.rule, "action": verdict.action, "evidence": verdict.evidence}
    return taken_as(step, outcome, reason, lead, contact), lead, item


def identifiers_of(batch: Batch, step: EventItem) -> list[IdentifierState]:
    """By which the person of this item is known, in order of priority: what tells whose it is if a merge is undone."""
    places = ((key.kind, key.value) for key in step.person.keys)
    return [batch.identifiers[place] for place in places if place in batch.identifiers]


def open_beside(contact: ContactState, line: str, step: EventItem) -> LeadState | None:
    """The contact's open lead of another line that this event belongs to all the same, see `is_one_occasion`."""
    at, windows = step.item.received_at, step.item.windows
    found = [
        lead for lead in contact.leads.values()
        if lead.state == "open" and lead.line != line and is_one_occasion(line, lead.line, at, lead.last_touch_at, windows)
    ]  # fmt: skip
    return min(found, key=lambda lead: (abs(at - lead.last_touch_at), lead.line), default=None)


def add_touch(
    batch: Batch, step: EventItem, contact: ContactState, lead: LeadState | None, columns: Mapping[str, Any],
    direction: str, at: datetime,
) -> TouchState:  # fmt: skip
    touch = TouchState(
        None, contact, lead,
        {**columns, "direction": direction, "at": at.isoformat(), "source_id": step.item.source_id,
         "event_id": step.item.event_id, "seq": step.seq},
        identifiers=identifiers_of(batch, step),
    )  # fmt: skip
    batch.new_touches.append(touch)
    batch.touches[step.item.event_id, step.seq] = touch
    return touch
