"""Changing a lead by hand (its state, stage, title, amount or the reason why it was lost), and taking that back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.currencies import known, of_region
from crm_core.base.errors import Conflict, Invalid
from crm_core.base.paging import AnyRow
from crm_core.leads.locking import hold_lead
from crm_core.leads.models import Lead
from crm_core.leads.reopening import refuse_reopening
from crm_core.pipeline.stages import STAGES
from crm_core.search import mark
from crm_core.timeline.models import Touch

CHANGED = history.Action("lead.change", touch="stage")

_BY_HAND = frozenset({"state", "stage", "title", "lost_reason", "amount", "currency"})


@dataclass(frozen=True, slots=True)
class LeadChange:
    """What is None stays. `version` is the one that was read: whoever changed it since is not overwritten."""

    version: int
    state: Literal["open", "won", "lost", "closed"] | None = None
    stage: str | None = None
    title: str | None = None
    lost_reason: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


def change_lead(
    connection: Connection, principal: Principal, lead_id: int, change: LeadChange, now: datetime, region: str = "RU"
) -> None:
    """Raises Forbidden; NotFound; Invalid for an unknown stage or currency, or a lost lead without a reason;
    Conflict if the version is old, the contact has another open lead of the same line, or a lead is to be opened again
    whose client went to a colleague. `region` says the currency of an amount without one.
    """
    demand(principal, "leads.write")
    lead = hold_lead(connection, principal, lead_id, change.version)
    wanted = {name: value for name, value in asdict(change).items() if name != "version" and value is not None}
    _check(lead, wanted)
    if "amount" in wanted:
        wanted["currency"] = wanted.get("currency") or lead.currency or of_region(region)
    if wanted.get("state") == "open":
        wanted.setdefault("lost_reason", "")  # an open lead is not lost
    _apply(connection, principal, lead, wanted, now)


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
    if not values.keys() <= _BY_HAND:
        raise Conflict("nothing_to_undo", "There is no change of yours to take back.")
    if values.get("amount") is not None:
        values["amount"] = Decimal(values["amount"])
    _apply(connection, principal, lead, values, now)


def _check(lead: AnyRow, wanted: Mapping[str, Any]) -> None:
    stage = wanted.get("stage")
    if stage is not None and stage not in STAGES and stage != lead.stage:
        raise Invalid(
            "stage_unknown", f"There is no stage {stage!r}; there are: {', '.join(STAGES)}.", fields=["stage"],
            stages=", ".join(STAGES),
        )  # fmt: skip
    if wanted.get("state") == "lost" and not str(wanted.get("lost_reason", lead.lost_reason)).strip():
        raise Invalid("why_missing", "Say why it was lost.", fields=["lost_reason"])
    if wanted.get("currency", "") not in ("", *known()):
        raise Invalid("currency_unknown", "A currency is written as in ISO 4217, for instance RUB or EUR.", fields=["currency"])


def _apply(connection: Connection, principal: Principal, lead: AnyRow, wanted: Mapping[str, Any], now: datetime) -> None:
    """Sets columns of a lead that is held, and tells it in its history. Nothing happens where nothing is different."""
    changes = {name: value for name, value in wanted.items() if getattr(lead, name) != value}
    if not changes:
        return
    if "marked" in lead.spam and changes.keys() & {"state", "lost_reason"}:
        raise Conflict("lead_is_spam", "Somebody called this lead spam. Say first that it is not.")
    if changes.get("state") == "open":
        refuse_reopening(connection, principal, lead)
    moved = {name: {"from": _told(getattr(lead, name)), "to": _told(value)} for name, value in changes.items()}
    values: dict[str, Any] = dict(changes)
    if "state" in changes:
        values["closed_at"] = None if changes["state"] == "open" else now
        if lead.closed_code:  # from now on it is a person who says how it stands
            values["closed_code"] = ""
            moved["closed_code"] = {"from": lead.closed_code, "to": ""}
    try:
        with connection.begin_nested():
            connection.execute(update(Lead).where(Lead.id == lead.id).values(version=Lead.version + 1, **values))
    except IntegrityError as error:
        raise Conflict("another_open_lead", "This contact has another open lead in the same line.") from error
    mark(connection, [lead.contact_id])
    # The audit names what changed; titles are people's words and stay in the touch.
    touch = history.Touch(lead.contact_id, now, lead_id=lead.id, data={"changed": moved})
    history.record(connection, principal, CHANGED, lead.id, {"fields": sorted(moved)}, touch)


def _told(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
