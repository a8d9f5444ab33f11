"""Calling a lead spam, and taking that back: the lead's side of it. Later touches of the contact keep their own leads, and
what he sends afterwards makes a new one.

The event that the lead was born from is the journal's: `ingest.processing.lead_spam` holds it before it calls this, as the workers take
their locks, and writes what this says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, demand, select_visible
from crm_core.base import history, reasons
from crm_core.base.database import dict_cursor
from crm_core.base.errors import Conflict, NotFound
from crm_core.base.paging import AnyRow
from crm_core.leads.locking import hold_lead, refuse_version
from crm_core.leads.models import Lead
from crm_core.leads.reopening import refuse_reopening
from crm_core.routing.refunds import refund, take_back
from crm_core.timeline.models import Touch

CALLED_SPAM = history.Action("lead.spam", touch="stage")
CALLED_GENUINE = history.Action("lead.not_spam", touch="stage")

#: `closed_code` of a lead that a person called spam. Who, when and why stand in `lead.spam["marked"]`.
SPAM = "spam"
#: `closed_code` of a lead that closed because its contact has another one.
MERGED = "merged"


def event_of(connection: Connection, principal: Principal, lead_id: int) -> int:
    """The event that the lead was born from. NotFound."""
    event_id: int | None = connection.execute(
        select_visible(Lead, principal, Lead.event_id).where(Lead.id == lead_id)
    ).scalar_one_or_none()
    if event_id is None:
        raise NotFound("lead_unknown", f"There is no lead {lead_id}.")
    return event_id


def flag_spam(
    connection: Connection, principal: Principal, lead_id: int, why: str, now: datetime, version: int | None = None
) -> bool:
    """Says that a lead is spam; a second time changes nothing. True if its event ends as spam by that: unless it brought
    something else, that nobody has called spam, whose outcome stays its own.

    Raises Forbidden; NotFound; Invalid without a reason; Conflict for an old `version` or a won lead.
    """
    demand(principal, "leads.write")
    why = reasons.needed(why)
    lead = hold_lead(connection, principal, lead_id, None)
    if "marked" in lead.spam:
        return False
    _refuse(lead, version)
    cancelled = connection.scalars(
        text(
            "UPDATE activity SET state = 'cancelled', closed_at = :now,"
            "       result = result || jsonb_build_object('code', 'lead_is_spam', 'by', CAST(:by AS text))"
            " WHERE lead_id = :lead AND state = 'open' RETURNING id"
        ),
        {"lead": lead_id, "now": now, "by": principal.actor},
    ).all()
    before = {"state": lead.state, "lost_reason": lead.lost_reason, "closed_code": lead.closed_code,
              "closed_at": lead.closed_at.isoformat() if lead.closed_at else None}  # fmt: skip
    marked = {"by": principal.actor, "at": now.isoformat(), "why": why, "before": before, "tasks": sorted(cancelled)}
    connection.execute(
        update(Lead)
        .where(Lead.id == lead_id)
        .values(state="closed", closed_code=SPAM, lost_reason="", closed_at=now, spam={**lead.spam, "marked": marked},
                version=Lead.version + 1)
    )  # fmt: skip
    with dict_cursor(connection) as cursor:
        refund(cursor, [lead_id], "spam")
    touch = _touch(lead, {"state": {"from": lead.state, "to": "spam"}}, why, now)
    history.record(connection, principal, CALLED_SPAM, lead_id, {"before": lead.state, "tasks": len(cancelled)}, touch)
    return not _goes_on(connection, lead.event_id)


def unflag_spam(
    connection: Connection, principal: Principal, lead_id: int, why: str, now: datetime, version: int | None = None
) -> bool:
    """Takes it back: the lead and its tasks are as they were. False if nobody had called it spam.

    If the contact has another open lead in the same line by now, that one goes on and this one comes back closed, as of
    merged contacts. Raises Forbidden; NotFound; or Conflict for an old `version`, or if the lead would be open again and its
    client is a colleague's by now.
    """
    demand(principal, "leads.write")
    why = reasons.optional(why)
    lead = hold_lead(connection, principal, lead_id, None)
    marked = lead.spam.get("marked")
    if marked is None:
        return False
    refuse_version(lead, version)
    before = _before(marked["before"])
    goes_on = before["state"] == "open" and _other_open(connection, lead)
    if goes_on:
        before = {"state": "closed", "lost_reason": "", "closed_code": MERGED, "closed_at": now.isoformat()}
    elif before["state"] == "open":
        refuse_reopening(connection, principal, lead)
    try:
        with connection.begin_nested():
            connection.execute(
                update(Lead)
                .where(Lead.id == lead_id)
                .values(state=before["state"], lost_reason=before["lost_reason"], closed_code=before["closed_code"],
                        closed_at=_time(before["closed_at"]),
                        spam={name: value for name, value in lead.spam.items() if name != "marked"},
                        version=Lead.version + 1)
            )  # fmt: skip
            if before["state"] == "open":
                _reopen_tasks(connection, marked["tasks"])
    except IntegrityError as error:
        raise Conflict("call_back_opened_meanwhile", "The same caller rang at this moment. Try again.") from error
    if before["closed_code"] != MERGED:
        with dict_cursor(connection) as cursor:
            take_back(cursor, [lead_id])
    touch = _touch(lead, {"state": {"from": "spam", "to": before["state"]}}, why, now)
    history.record(connection, principal, CALLED_GENUINE, lead_id, {"state": before["state"]}, touch)
    return True


def _refuse(lead: AnyRow, version: int | None) -> None:
    refuse_version(lead, version)
    if lead.state == "won":
        raise Conflict("lead_won", "A lead that was won is no spam. Change its state first.")


def _goes_on(connection: Connection, event_id: int) -> bool:
    """True if the event brought something else that nobody has called spam: then its outcome stays that thing's."""
    return bool(
        connection.scalar(
            select(Touch.id)
            .join(Lead, Lead.id == Touch.lead_id)
            .where(Touch.event_id == event_id, Lead.closed_code != SPAM)
            .limit(1)
        )
    )


def _before(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a lead was before it was called spam. One of the version before has the code of a merged one among the words."""
    if "closed_code" in told:
        return dict(told)
    was_merged = told["lost_reason"] == MERGED
    return {**told, "lost_reason": "" if was_merged else told["lost_reason"], "closed_code": MERGED if was_merged else ""}


def _other_open(connection: Connection, lead: AnyRow) -> bool:
    """The contact is locked, so nobody opens one meanwhile."""
    return bool(
        connection.scalar(select(Lead.id).where(Lead.contact_id == lead.contact_id, Lead.line == lead.line, Lead.state == "open"))
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


def _touch(lead: AnyRow, changed: Mapping[str, Any], why: str, now: datetime) -> history.Touch:
    return history.Touch(lead.contact_id, now, lead_id=lead.id, text=why, data={"changed": dict(changed)})


def _time(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
