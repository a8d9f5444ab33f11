"""Taking back what was just done to a lead: the values before it come back, as one more change in its history."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from crm_core.access import Principal, demand
from crm_core.base.errors import Conflict
from crm_core.leads.commands import apply_change
from crm_core.leads.locking import hold_lead
from crm_core.leads.models import Touch
from crm_core.leads.spam_flag import MERGED, SPAM

_BY_HAND = frozenset({"state", "stage", "title", "lost_reason", "amount", "currency"})


def undo_change(connection: Connection, principal: Principal, lead_id: int, version: int, now: datetime) -> None:
    """Takes back the last change that this person made by hand. Raises Forbidden; NotFound; Conflict if the lead was changed since
    (`version`), if there is nothing to take back, or for the reasons of `change_lead`."""
    demand(principal, "leads.write")
    lead = hold_lead(connection, principal, lead_id, version)
    last = connection.execute(
        select(Touch.actor, Touch.data).where(Touch.lead_id == lead_id, Touch.kind == "stage").order_by(Touch.id.desc()).limit(1)
    ).one_or_none()
    changed: dict[str, Any] = (last.data.get("changed") or {}) if last is not None else {}
    if last is None or last.actor != principal.actor or not changed:
        raise Conflict("nothing_to_undo", "There is no change of yours to take back.")
    values = {name: told["from"] for name, told in changed.items()}
    if not values.keys() <= _BY_HAND or values.get("lost_reason") in (MERGED, SPAM):
        raise Conflict("nothing_to_undo", "There is no change of yours to take back.")
    if values.get("amount") is not None:
        values["amount"] = Decimal(values["amount"])
    apply_change(connection, principal, lead, values, now)
