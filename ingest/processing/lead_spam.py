"""A person calls a lead spam, or takes that back: the domain changes the lead, and the event that it was born from follows, in
one transaction.

Locks: the event first, as the workers do it, then contact, lead and tasks.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from crm_core.access import Principal, demand
from crm_core.base import reasons
from crm_core.base.errors import Conflict
from crm_core.base.paging import AnyRow
from crm_core.intake import spam_reason
from crm_core.leads.spam_flag import event_of, flag_spam, unflag_spam
from ingest.journal import transitions
from ingest.journal.states import PENDING


def mark_spam(
    connection: Connection, principal: Principal, lead_id: int, why: str, now: datetime, version: int | None = None
) -> None:
    """Says that a lead is spam: it closes, and its event ends as `spam`. A second time changes nothing.

    Raises Forbidden; NotFound; Invalid without a reason; Conflict for an old `version`, a won or erased lead, or while its event is
    on its way through the workers.
    """
    demand(principal, "leads.write")
    why = reasons.needed(why)
    event = _hold(connection, event_of(connection, principal, lead_id))
    if not flag_spam(connection, principal, lead_id, why, now, version) or event is None:
        return
    # It keeps its lead, and what it was: a person's word stands above all rules, also on a replay.
    before = {name: getattr(event, name) for name in ("state", "outcome", "reason", "error", "verdict")}
    told = {"by": principal.actor, "why": why}
    verdict = {**(event.verdict or {}), **told, "spam": "spam", "at": now.isoformat(), "before": before}
    transitions.call_spam(connection, event.id, verdict, spam_reason(told), now)


def unmark_spam(
    connection: Connection, principal: Principal, lead_id: int, why: str, now: datetime, version: int | None = None
) -> None:
    """Takes it back: the lead, its event and its tasks are as they were. A second time changes nothing.

    Raises Forbidden; NotFound; or Conflict for an old `version`, an erased lead, while its event is on its way, or as `flag_spam` is taken back.
    """
    demand(principal, "leads.write")
    event = _hold(connection, event_of(connection, principal, lead_id))
    if not unflag_spam(connection, principal, lead_id, why, now, version) or event is None:
        return
    before = (event.verdict or {}).get("before")
    if before is not None:  # else it brought more than this lead and was never called spam itself
        transitions.call_genuine(connection, event.id, before)


def _hold(connection: Connection, event_id: int) -> AnyRow | None:
    """The event, locked. None if the journal has it no more."""
    row = connection.execute(
        text("SELECT id, state, outcome, reason, error, verdict, erased_at FROM inbound_event WHERE id = :id FOR NO KEY UPDATE"),
        {"id": event_id},
    ).one_or_none()
    if row is not None and row.state in PENDING:
        raise Conflict("event_on_its_way", "This lead's inquiry is being read again. Try again in a moment.")
    if row is not None and row.erased_at is not None:
        raise Conflict("lead_erased", "This person's data was erased; there is nothing left to judge.")
    return row
