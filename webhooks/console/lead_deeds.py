"""What a person does to a lead: say something, close it, hand it over, call it spam and back. The domain does it; this asks and answers."""

from __future__ import annotations

from typing import Any

from crm_core.errors import Invalid
from crm_core.working import LeadChange, assign_lead, change_lead, mark_spam, unmark_spam
from crm_core.working.commenting import comment_on_lead
from webhooks.console.asking import filters_of
from webhooks.console.desk import Answer, Desk, entered


def comment(desk: Desk, lead_id: int) -> Answer:
    with desk.engine.begin() as connection:
        comment_on_lead(connection, desk.principal, lead_id, entered("text"), desk.now)
    return desk.go("lead", "commented", lead_id=lead_id)


def close(desk: Desk, lead_id: int) -> Answer:
    state, why = entered("state", 20), entered("why", 500)
    if state == "lost" and not why:
        raise Invalid("why_missing", "Say why it was lost.", fields=["why"])
    wanted: dict[str, Any] = {"version": _version(), "state": state, "lost_reason": why or None}
    with desk.engine.begin() as connection:
        change_lead(connection, desk.principal, lead_id, filters_of(LeadChange, wanted), desk.now)
    return desk.go("lead", "closed", lead_id=lead_id)


def assign(desk: Desk, lead_id: int) -> Answer:
    owner, why = entered("owner", 20), entered("why", 500)
    if not owner.isdecimal() or not owner.isascii():
        raise Invalid("owner_missing", "Choose whom to hand it to.", fields=["owner"])
    if not why:
        raise Invalid("why_missing", "Say why it is handed over.", fields=["why"])
    with desk.engine.begin() as connection:
        assign_lead(connection, desk.principal, lead_id, why, desk.now, owner_id=int(owner), version=_version())
    return desk.go("lead", "assigned", lead_id=lead_id)


def spam(desk: Desk, lead_id: int) -> Answer:
    why = entered("why", 500)
    if not why:
        raise Invalid("why_missing", "Say why it is spam.", fields=["why"])
    if entered("sure", 20) != "yes":
        raise Invalid("not_confirmed", "Tick the box to confirm.", fields=["sure"])
    with desk.engine.begin() as connection:
        mark_spam(connection, desk.principal, lead_id, why, desk.now, _version())
    return desk.go("lead", "called_spam", lead_id=lead_id)


def not_spam(desk: Desk, lead_id: int) -> Answer:
    with desk.engine.begin() as connection:
        unmark_spam(connection, desk.principal, lead_id, entered("why", 500), desk.now)
    return desk.go("lead", "called_genuine", lead_id=lead_id)


def _version() -> int:
    text = entered("version", 18)
    return int(text) if text.isascii() and text.isdecimal() else 0
