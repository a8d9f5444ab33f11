"""What was set aside as spam, and what somebody should look at about a source."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from webhooks.api.schemas.base import Id, Named, OffsetTime, Page, Shape
from webhooks.api.schemas.journal import EventCard

__all__ = ["Alert", "AlertPage", "EventCard", "Judged", "QuarantinePage"]


class SpamReason(Shape):
    code: str
    detail: str
    points: int


class Preview(Shape):
    name: str
    phones: list[str]
    emails: list[str]
    company: str
    message: str = Field(description="its beginning")
    form: str


class Verdict(Shape):
    by: str | None
    at: OffsetTime | None


class QuarantineItem(Shape):
    id: Id = Field(validation_alias="uid", description="of the event")
    source: Named
    received_at: AwareDatetime
    score: int
    reasons: list[SpamReason]
    shelf: Literal["review", "buried", "confirmed"]
    judged: Verdict | None
    preview: Preview | None = Field(description="null where the raw bytes are too large or cannot be read")


class QuarantinePage(Page[QuarantineItem]):
    pass


class Judged(Shape):
    events: int = Field(description="how many were released or confirmed; those of a second click are none")


class Alert(Shape):
    id: Id
    source: Named
    code: str = Field(description="machine-readable: burst, silence, new_field, token_expired, …")
    subject: str = Field(description="form or field; empty for the source as a whole")
    data: dict[str, Any]
    raised: int = Field(description="how often since first_at")
    first_at: AwareDatetime
    last_at: AwareDatetime
    resolved_at: AwareDatetime | None
    resolved_by: str | None


class AlertPage(Page[Alert]):
    pass
