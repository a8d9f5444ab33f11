"""Calls and call-back tasks of a batch, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_core.batch.state import ContactState, LeadState, TouchState


@dataclass(slots=True, eq=False)
class CallState:
    id: int | None
    source_id: int
    call_key: str
    facts: dict[str, Any] | None
    contact: ContactState | None = None
    lead: LeadState | None = None
    touch: TouchState | None = None
    outcome: str | None = None
    owner_id: int | None = None
    view: Any = None  # CallView, once it was derived
    remote: str = ""  # E.164 where the number is one
    line: str = ""  # of its source
    phone: str = ""  # canonical key of the caller; "" where the number identifies nobody
    changed: bool = False


@dataclass(slots=True, eq=False)
class CallBackState:
    id: int | None
    phone: str
    contact: ContactState | None
    lead: LeadState | None
    call: CallState | int | None
    owner_id: int | None
    title: str
    due_at: datetime
    opened_at: datetime
    state: str = "open"
    missed: int = 0
    tried: int = 0
    closed_at: datetime | None = None
    result: dict[str, Any] = field(default_factory=dict)
    created: bool = False
    changed: bool = False
    contact_id: int | None = None  # where no state was read for it
    lead_id: int | None = None


@dataclass(slots=True)
class Calls:
    rows: list[dict[str, Any]] = field(default_factory=list)
    by_key: dict[tuple[int, str], CallState] = field(default_factory=dict)  # by source and the exchange's id
    owners_by_extension: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class CallBacks:
    """`phones` are those of the batch's calls, whoever's; `callers` those whose tasks must be derived anew, in order."""

    phones: list[str] = field(default_factory=list)
    callers: dict[str, None] = field(default_factory=dict)
    known_ids: list[int] = field(default_factory=list)
    tasks: dict[str, list[CallBackState]] = field(default_factory=dict)  # of the last weeks, by phone
    calls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # rows of calls that are over, by phone
    #: Calls of earlier batches by their ids: attempts to reach somebody whose contact is only known now.
    attempts: list[tuple[int, ContactState]] = field(default_factory=list)
    new: list[CallBackState] = field(default_factory=list)
    needless: list[CallBackState] = field(default_factory=list)

    def open_task(self, phone: str) -> CallBackState | None:
        return next((task for task in self.tasks.get(phone, ()) if task.state == "open"), None)
