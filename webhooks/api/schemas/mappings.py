"""A source's own mapping and the bench on which it is tried."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from webhooks.api.schemas.base import Id, Page, Shape


class MappingVersion(Shape):
    version: int
    state: Literal["draft", "published", "retired"]
    text: str = Field(description="YAML")
    note: str
    author: str
    created_at: AwareDatetime
    published_at: AwareDatetime | None


class RolledBack(Shape):
    published: MappingVersion | None


class Trouble(Shape):
    code: str
    message: str


class UnderstoodConsent(Shape):
    purpose: str
    given: bool
    field: str


class Understood(Shape):
    name: str
    phones: list[str] = Field(description="as written")
    emails: list[str]
    company: str
    message: str
    title: str
    form: str
    line: str
    is_test: bool
    messengers: dict[str, str]
    fields: dict[str, Any] = Field(description="what nobody understood, kept")
    page_url: str
    referrer: str
    marks: dict[str, str]
    consents: list[UnderstoodConsent]
    files: list[str]
    warnings: list[str]


class Reading(Shape):
    inquiries: list[Understood]
    ignored: str | None = Field(description="code of why it is no inquiry")
    problem: Trouble | None = Field(description="why it cannot be read")


class RehearsedReading(Reading):
    outcome: str = Field(description="outcome, or the state of an event without one")
    reason: dict[str, Any] = Field(default_factory=dict)


class ArrivedField(Shape):
    path: str
    source: str = Field(description="what a mapping calls it; empty where none can name it")
    name: str
    label: str
    type: str
    value: str = Field(description="its beginning")
    role: str
    how: Literal["mapped", "name", "value", "kept", "left", "unread"]
    inquiry: int = Field(description="which of the event's inquiries")


class BenchEvent(Shape):
    event: Id
    received_at: AwareDatetime
    state: str
    outcome: str | None
    lead: Id | None


class BenchItem(BenchEvent):
    arrived: list[ArrivedField]
    understood: Reading
    draft_arrived: list[ArrivedField] | None
    draft: Reading | None
    differs: list[str]


class Bench(Shape):
    items: list[BenchItem]
    published: int | None
    draft: int | None


class DryRunItem(BenchEvent):
    before: RehearsedReading
    after: RehearsedReading
    differs: list[str]
    creates_lead: bool


class DryRun(Shape):
    events: int
    changed: int
    leads: int = Field(description="how many would be created")
    before: dict[str, int]
    after: dict[str, int]
    items: list[DryRunItem]


class SourceField(Shape):
    form: str
    field: str
    seen: int
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    event: Id | None = Field(description="where it was first seen")
    acknowledged_at: AwareDatetime | None


class Acknowledged(Shape):
    acknowledged: int


class MappingPage(Page[MappingVersion]):
    pass


class SourceFieldPage(Page[SourceField]):
    pass
