"""What a person does to a lead: say something, close it, open it again, take that back, hand it over, call it spam and back. The domain does it; this asks and answers."""

from __future__ import annotations

import re
from typing import Any

from crm_core.base.errors import Invalid
from crm_core.leads import commands
from crm_core.leads.assignment import assign_lead
from crm_core.leads.comments import comment_on_lead
from ingest.processing.lead_spam import mark_spam, unmark_spam
from webhooks.api.leads import LeadChange
from webhooks.api.route import narrowed
from webhooks.console.shell.form_input import filters_of
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_WHOLE = 100_000  # characters of a text: what is too long is refused in words, never cut in silence


def comment(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        comment_on_lead(connection, context.principal, lead_id, entered("text", _WHOLE), context.now)
    return context.go("lead", "commented", lead_id=lead_id)


def close(context: RequestContext, lead_id: int) -> PageAnswer:
    state, why = entered("state", 20), entered("why", _WHOLE)
    # Lost, and no reason typed, says so: an earlier reason of the lead is none for this.
    wanted: dict[str, Any] = {"version": _version(), "state": state, "lost_reason": why if state == "lost" else why or None}
    if state == "won" and (typed := entered("amount", 40)):
        wanted |= {"amount": _amount(typed), "currency": entered("currency", 3).upper() or None}
    _change(context, lead_id, wanted)
    return context.go("lead", "closed", lead_id=lead_id)


def reopen(context: RequestContext, lead_id: int) -> PageAnswer:
    _change(context, lead_id, {"version": _version(), "state": "open"})
    return context.go("lead", "reopened", lead_id=lead_id)


def undo(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        commands.undo_change(connection, context.principal, lead_id, _version() or 0, context.now)
    return context.go("lead", "undone", lead_id=lead_id)


def _change(context: RequestContext, lead_id: int, wanted: dict[str, Any]) -> None:
    with context.engine.begin() as connection:
        change = narrowed(commands.LeadChange, filters_of(LeadChange, wanted))
        commands.change_lead(connection, context.principal, lead_id, change, context.now, context.config.region)


def _amount(typed: str) -> str:
    """A sum as people write it: 118 000,50 and 118000.5 are the same. Invalid for anything else."""
    plain = "".join(typed.split()).replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,13}(\.[0-9]{1,2})?", plain):
        raise Invalid("amount_unreadable", "An amount is written as 118000 or 118000.50.", fields=["amount"])
    return plain


def assign(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        assign_lead(
            connection,
            context.principal,
            lead_id,
            entered("why", _WHOLE),
            context.now,
            owner_id=_row_id("owner"),
            version=_version(),
        )
    return context.go("lead", "assigned", lead_id=lead_id)


def spam(context: RequestContext, lead_id: int) -> PageAnswer:
    if entered("sure", 20) != "yes":
        raise Invalid("not_confirmed", "Tick the box to confirm.", fields=["sure"])
    with context.engine.begin() as connection:
        mark_spam(connection, context.principal, lead_id, entered("why", _WHOLE), context.now, _version())
    return context.go("lead", "called_spam", lead_id=lead_id)


def not_spam(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        unmark_spam(connection, context.principal, lead_id, entered("why", _WHOLE), context.now, _version())
    return context.go("lead", "called_genuine", lead_id=lead_id)


def _version() -> int | None:
    """The version that the page showed. What is no number is no version that a lead ever has."""
    text = entered("version", 18)
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() else 0


def _row_id(name: str) -> int | None:
    text = entered(name, 20)
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,17}", text) else None
