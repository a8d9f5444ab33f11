"""Calling a lead spam, and taking that back. The lead closes, the event that it was born from ends as `spam`; later touches of
the contact keep their own outcomes, and what he sends afterwards makes a new lead.

Locks: the event first, as the workers do it, then contact, lead and tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, audit, visible_leads
from crm_core.errors import Conflict, Invalid, NotFound
from crm_core.models import Lead, Touch
from crm_core.reading.paging import AnyRow
from crm_core.working.locking import hold_lead
from crm_core.working.reopening import refuse_reopening

#: `lost_reason` of a lead that a person called spam. The mark itself stands in `lead.spam["marked"]`.
SPAM = "spam"
#: `lost_reason` of a lead that closed because its contact has another one.
MERGED = "merged"


def mark_spam(
    connection: Connection, principal: Principal, lead_id: int, why: str, now: datetime, version: int | None = None
) -> None:
    """Says that a lead is spam. A second time changes nothing.

    Raises NotFound; Invalid without a reason; Conflict for an old `version`, a won or erased lead, or while its event is
    on its way through the workers.
    """
    why = why.strip()
    if not why:
        raise Invalid("why_missing", "Say why it is spam.", fields=["why"])
    event = _hold_event(connection, principal, lead_id)
    lead = hold_lead(connection, principal, lead_id, None)
    if "marked" in lead.spam:
        return
    _refuse(lead, version)
    cancelled = connection.scalars(
        text(
            "UPDATE activity SET state = 'cancelled', closed_at = :now,"
            "       result = result || jsonb_build_object('code', 'lead_is_spam', 'by', CAST(:by AS text))"
            " WHERE lead_id = :lead AND state = 'open' RETURNING id"
        ),
        {"lead": lead_id, "now": now, "by": principal.actor},
    ).all()
    before = {"state": lead.state, "lost_reason": lead.lost_reason,
              "closed_at": lead.closed_at.isoformat() if lead.closed_at else None}  # fmt: skip
    marked = {"by": principal.actor, "at": now.isoformat(), "why": why, "before": before, "tasks": sorted(cancelled)}
    connection.execute(
        update(Lead)
        .where(Lead.id == lead_id)
        .values(state="closed", lost_reason=SPAM, closed_at=now, spam={**lead.spam, "marked": marked},
                version=Lead.version + 1)
    )  # fmt: skip
    if event is not None and not _goes_on(connection, event.id):
        _end_event(connection, event, principal, why, now)
    _note(connection, principal, lead, {"state": {"from": lead.state, "to": "spam"}}, why, now)
    audit(connection, principal, "lead.spam", f"lead:{lead_id}", {"before": lead.state, "tasks": len(cancelled)})


def unmark_spam(connection: Connection, principal: Principal, lead_id: int, why: str, now: datetime) -> None:
    """Takes it back: the lead, its event and its tasks are as they were. A second time changes nothing.

    If the contact has another open lead in the same line by now, that one goes on and this one comes back closed, as of
    merged contacts. Raises NotFound, or Conflict for an erased lead, while its event is on its way, or if the lead would
    be open again and its client is a colleague's by now.
    """
    event = _hold_event(connection, principal, lead_id)
    lead = hold_lead(connection, principal, lead_id, None)
    marked = lead.spam.get("marked")
    if marked is None:
        return
    before: dict[str, Any] = dict(marked["before"])
    goes_on = before["state"] == "open" and _other_open(connection, lead)
    if goes_on:
        before = {"state": "closed", "lost_reason": MERGED, "closed_at": now.isoformat()}
    elif before["state"] == "open":
        refuse_reopening(connection, principal, lead)
    try:
        with connection.begin_nested():
            connection.execute(
                update(Lead)
                .where(Lead.id == lead_id)
                .values(state=before["state"], lost_reason=before["lost_reason"], closed_at=_time(before["closed_at"]),
                        spam={name: value for name, value in lead.spam.items() if name != "marked"},
                        version=Lead.version + 1)
            )  # fmt: skip
            if before["state"] == "open":
                _reopen_tasks(connection, marked["tasks"])
    except IntegrityError as error:
        raise Conflict("call_back_opened_meanwhile", "The same caller rang at this moment. Try again.") from error
    if event is not None:
        _restore_event(connection, event)
    _note(connection, principal, lead, {"state": {"from": "spam", "to": before["state"]}}, why.strip(), now)
    audit(connection, principal, "lead.not_spam", f"lead:{lead_id}", {"state": before["state"]})


def _hold_event(connection: Connection, principal: Principal, lead_id: int) -> AnyRow | None:
    """The event that the lead was born from, locked. None if the journal has it no more."""
    event_id = connection.execute(
        select(Lead.event_id).where(Lead.id == lead_id, visible_leads(principal))
    ).scalar_one_or_none()
    if event_id is None:
        raise NotFound("lead_unknown", f"There is no lead {lead_id}.")
    row = connection.execute(
        text(
            "SELECT id, state, outcome, reason, error, verdict, erased_at FROM inbound_event WHERE id = :id FOR NO KEY UPDATE"
        ),
        {"id": event_id},
    ).one_or_none()
    if row is not None and row.state in ("waiting", "working"):
        raise Conflict("event_on_its_way", "This lead's inquiry is being read again. Try again in a moment.")
    if row is not None and row.erased_at is not None:
        raise Conflict("lead_erased", "This person's data was erased; there is nothing left to judge.")
    return row


def _refuse(lead: AnyRow, version: int | None) -> None:
    if version is not None and lead.version != version:
        raise Conflict(
            "version", f"The lead is at version {lead.version}, not {version}; read it again.", version=lead.version
        )
    if lead.state == "won":
        raise Conflict("lead_won", "A lead that was won is no spam. Change its state first.")


def _goes_on(connection: Connection, event_id: int) -> bool:
    """True if the event brought something else that nobody has called spam: then its outcome stays that thing's."""
    return bool(
        connection.scalar(
            select(Touch.id)
            .join(Lead, Lead.id == Touch.lead_id)
            .where(Touch.event_id == event_id, ~Lead.spam.bool_op("?")("marked"))
            .limit(1)
        )
    )


def _end_event(connection: Connection, event: AnyRow, principal: Principal, why: str, now: datetime) -> None:
    """It keeps its lead, and what it was in `verdict["before"]`: a person's word stands above all rules, also on a replay."""
    judged = {
        "spam": "spam", "by": principal.actor, "at": now.isoformat(), "why": why,
        "before": {"state": event.state, "outcome": event.outcome, "reason": event.reason, "error": event.error,
                   "verdict": event.verdict},
    }  # fmt: skip
    connection.execute(
        text(
            "UPDATE inbound_event SET state = 'done', outcome = 'spam', error = NULL, verdict = CAST(:verdict AS jsonb),"
            "       reason = CAST(:reason AS jsonb), done_at = coalesce(done_at, :now),"
            "       lead_id = coalesce(lead_id, (SELECT id FROM lead WHERE event_id = :id ORDER BY id LIMIT 1)) WHERE id = :id"
        ),
        {"id": event.id, "now": now, "verdict": _json({**(event.verdict or {}), **judged}),
         "reason": _json({"code": "called_spam", "by": principal.actor, "why": why})},
    )  # fmt: skip


def _restore_event(connection: Connection, event: AnyRow) -> None:
    before = (event.verdict or {}).get("before")
    if before is None:
        return  # it brought more than this lead and was never called spam itself
    connection.execute(
        text(
            "UPDATE inbound_event SET state = :state, outcome = :outcome, reason = CAST(:reason AS jsonb),"
            "       error = CAST(:error AS jsonb), verdict = CAST(:verdict AS jsonb) WHERE id = :id"
        ),
        {"id": event.id, "state": before["state"], "outcome": before["outcome"], "reason": _json(before["reason"]),
         "error": _json_or_null(before["error"]), "verdict": _json_or_null(before["verdict"])},
    )  # fmt: skip


def _other_open(connection: Connection, lead: AnyRow) -> bool:
    """The contact is locked, so nobody opens one meanwhile."""
    return bool(
        connection.scalar(
            select(Lead.id).where(Lead.contact_id == lead.contact_id, Lead.line == lead.line, Lead.state == "open")
        )
    )


def _reopen_tasks(connection: Connection, task_ids: list[int]) -> None:
    """Those that the mark had cancelled, unless the same caller has a call-back open again by now."""
    connection.execute(
        text(
            "UPDATE activity a SET state = 'open', closed_at = NULL, result = result - 'code' - 'by'"
            " WHERE id = ANY(:ids) AND state = 'cancelled' AND result->>'code' = 'lead_is_spam'"
            "   AND NOT (kind = 'call_back' AND EXISTS (SELECT 1 FROM activity o"
            "            WHERE o.kind = 'call_back' AND o.state = 'open' AND o.phone = a.phone))"
        ),
        {"ids": list(task_ids)},
    )


def _note(
    connection: Connection, principal: Principal, lead: AnyRow, changed: Mapping[str, Any], why: str, now: datetime
) -> None:
    connection.execute(
        insert(Touch).values(
            contact_id=lead.contact_id, lead_id=lead.id, kind="stage", direction="internal", at=now,
            actor=principal.actor, text=why, data={"changed": dict(changed)},
        )
    )  # fmt: skip


def _time(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()


def _json_or_null(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else _json(value)
