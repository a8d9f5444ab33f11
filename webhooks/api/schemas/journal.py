"""Events, the ledger and the queues."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from webhooks.api.schemas.base import Id, Named, Page, Shape
from webhooks.api.schemas.staff import SourceStatus

#: A calendar day, 2026-11-21.
Day = Annotated[str, BeforeValidator(lambda day: day.isoformat() if isinstance(day, date) else day)]


class EventError(Shape):
    code: str | None
    message: str | None
    path: str | None


class Event(Shape):
    id: Id = Field(validation_alias="uid")
    source: Named
    channel: str
    received_at: AwareDatetime
    state: Literal["waiting", "working", "done", "needs_attention", "rejected"]
    outcome: Literal["created", "attached", "repeat", "auto", "spam", "test", "ignored", "dismissed"] | None
    reason: dict[str, Any]
    lead: Id | None = Field(validation_alias="lead_id")
    attempts: int
    error: EventError | None
    redeliveries: int
    size: int = Field(description="bytes")
    sha256: str
    unclaimed: bool
    done_at: AwareDatetime | None


class EventCard(Event):
    contact: Id | None = Field(validation_alias="contact_id")
    provider_key: str | None
    replayed: int


class ReplayChange(Shape):
    event: Id
    before: str
    after: str
    lead: str | None
    reason: Any


class ReplayReport(Shape):
    selected: int
    replayed: int
    dry_run: bool
    truncated: bool
    before: dict[str, int]
    after: dict[str, int]
    changed: int = Field(description="of a dry run: how many would end otherwise; `changes` names the first of them")
    changes: list[ReplayChange]


class LedgerRow(Shape):
    source: Named | None
    day: Day | None
    received: int
    created: int
    attached: int
    repeat: int
    auto: int
    spam: int
    test: int
    ignored: int
    dismissed: int
    rejected: int
    waiting: int
    needs_attention: int
    balanced: bool


class Ledger(Shape):
    items: list[LedgerRow]


class QueueChannel(Shape):
    channel: str
    waiting: int
    working: int
    retrying: int
    paused: int
    oldest_waiting_seconds: float | None
    needs_attention: int
    rejected: int
    unfinished: int


class QueueProcess(Shape):
    role: str
    instance: str
    age_seconds: float
    data: dict[str, Any]


class Canary(Shape):
    queue: str
    seconds: float | None
    age_seconds: float | None


class Mailbox(Shape):
    source: Named
    folder: str
    state: str
    lag_seconds: float | None
    fails: int
    missed: int
    to_fetch: int
    error: dict[str, Any] | None


class QueueSource(Shape):
    source: Named
    status: SourceStatus


class Queues(Shape):
    at: AwareDatetime
    channels: list[QueueChannel]
    waiting: int
    needs_attention: int
    rejected: int
    processes: list[QueueProcess]
    canaries: list[Canary]
    mailboxes: list[Mailbox]
    sources: list[QueueSource]


class EventPage(Page[Event]):
    pass
