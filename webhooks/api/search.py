"""One search over everything: as the box on the console's pages finds."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import AwareDatetime, Field

from crm_core.global_search.queries import DEFAULT_LIMIT, search
from webhooks.api.contacts import Contact
from webhooks.api.leads import Lead
from webhooks.api.parameters import Filters, Text
from webhooks.api.route import Ask, Route
from webhooks.api.shape import Id, Named, Shape


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


class SearchQuery(Filters):
    q: Text = Field(
        description="words in any order, either script; a phone in any spelling; part of an e-mail; a lead's number; an event's id"
    )
    limit: Annotated[int, Field(ge=1, le=50, description="of each group")] = DEFAULT_LIMIT


def _search(ask: Ask) -> object:
    query = cast(SearchQuery, ask.query)
    with ask.engine.begin() as connection:
        return search(connection, ask.principal, query.q, ask.config.region, query.limit)


ROUTES = (Route("GET", "/search", "leads.read", _search, "Leads, contacts and events in one", Found, query=SearchQuery),)
