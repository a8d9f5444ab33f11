"""What one search answers."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from webhooks.api.schemas.base import Id, Named, Shape
from webhooks.api.schemas.people import Contact, Lead


class FoundEvent(Shape):
    event: str | None = Field(description="the event that brought it, for roles that may read events")
    kind: Literal["form", "call", "mail", "comment"]
    direction: str
    at: AwareDatetime
    lead: Id | None = Field(validation_alias="lead_id")
    contact: Named | None
    source: str | None
    title: str
    text: str = Field(description="what was said, its beginning")
    phone: str = Field(description="of a call: the other side's number")
    state: str | None = Field(description="of an event found by its id")
    outcome: str | None


class FoundContacts(Shape):
    items: list[Contact]
    count: int = Field(description="counted up to 1000")
    more: bool


class FoundLeads(Shape):
    items: list[Lead]
    count: int
    more: bool


class FoundEvents(Shape):
    items: list[FoundEvent]
    count: int
    more: bool


class Colleague(Shape):
    id: Id
    name: str
    extension: str


class Found(Shape):
    q: str = Field(description="what was read of the query, at most 200 characters")
    cut: bool = Field(description="whether more was sent than is read")
    contacts: FoundContacts
    leads: FoundLeads
    events: FoundEvents
    others: list[Colleague] = Field(description="who has a client of that whole name, number or address that you do not see")
