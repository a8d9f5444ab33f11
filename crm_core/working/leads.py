"""Changing a lead by hand: its state, stage, title or the reason why it was lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, audit
from crm_core.errors import Conflict, Invalid
from crm_core.models import Lead, Touch
from crm_core.reading.values import Text
from crm_core.search import mark
from crm_core.working.locking import hold_lead
from crm_core.working.marking import MERGED, SPAM
from crm_core.working.reopening import refuse_reopening

#: What these say decides where the contact's next inquiry goes, so that nobody may write them by hand.
_RESERVED_REASONS = frozenset({MERGED, SPAM})


class LeadChange(BaseModel):
    """What is not named stays. `version` is the one that was read: whoever changed it since is not overwritten."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1, le=2**63 - 1)
    state: Literal["open", "won", "lost", "closed"] | None = None
    stage: Text | None = Field(None, min_length=1, max_length=100)
    title: Text | None = Field(None, max_length=500)
    lost_reason: Text | None = Field(None, max_length=500)


def change_lead(
    connection: Connection, principal: Principal, lead_id: int, change: LeadChange, now: datetime
) -> None:
    """Raises NotFound, Invalid for a reason that the hub itself gives, or Conflict if the version is old, the contact has
    another open lead of the same line, or a lead is to be opened again whose client went to a colleague.
    """
    lead = hold_lead(connection, principal, lead_id, change.version)
    wanted = change.model_dump(exclude={"version"}, exclude_none=True)
    changes = {name: value for name, value in wanted.items() if getattr(lead, name) != value}
    if not changes:
        return
    if "marked" in lead.spam and changes.keys() & {"state", "lost_reason"}:
        raise Conflict("lead_is_spam", "Somebody called this lead spam. Say first that it is not.")
    if changes.get("lost_reason") in _RESERVED_REASONS:
        raise Invalid(
            "lost_reason_reserved",
            "This reason is the hub's own word, for leads that were merged or called spam. Say it in other words.",
            fields=["lost_reason"],
        )
    if changes.get("state") == "open":
        refuse_reopening(connection, principal, lead)
    moved = {name: {"from": getattr(lead, name), "to": value} for name, value in changes.items()}
    values: dict[str, Any] = dict(changes)
    if "state" in changes:
        values["closed_at"] = None if change.state == "open" else now
    try:
        with connection.begin_nested():
            connection.execute(
                update(Lead).where(Lead.id == lead_id).values(version=Lead.version + 1, **values)
            )
    except IntegrityError as error:
        raise Conflict("another_open_lead", "This contact has another open lead in the same line.") from error
    mark(connection, [lead.contact_id])
    _note(connection, principal, lead.contact_id, lead_id, moved, now)


def _note(
    connection: Connection,
    principal: Principal,
    contact_id: int,
    lead_id: int,
    moved: Mapping[str, Any],
    now: datetime,
) -> None:
    connection.execute(
        insert(Touch).values(
            contact_id=contact_id, lead_id=lead_id, kind="stage", direction="internal", at=now,
            actor=principal.actor, data={"changed": moved},
        )
    )  # fmt: skip
    # The audit names what changed; titles are people's words and stay in the touch.
    audit(connection, principal, "lead.change", f"lead:{lead_id}", {"fields": sorted(moved)})
