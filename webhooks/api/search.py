"""One search over everything: as the box on the console's pages finds."""

from __future__ import annotations

from typing import Annotated, cast

from pydantic import Field

from crm_core.base.values import Text
from crm_core.global_search.queries import DEFAULT_LIMIT, search
from webhooks.api.parameters import Filters
from webhooks.api.route import Ask, Route
from webhooks.api.schemas import search as shapes


class SearchQuery(Filters):
    q: Text = Field(
        description="words in any order, either script; a phone in any spelling; part of an e-mail; a lead's number; an event's id"
    )
    limit: Annotated[int, Field(ge=1, le=50, description="of each group")] = DEFAULT_LIMIT


def _search(ask: Ask) -> object:
    query = cast(SearchQuery, ask.query)
    with ask.engine.begin() as connection:
        return search(connection, ask.principal, query.q, ask.config.region, query.limit)


ROUTES = (Route("GET", "/search", "leads.read", _search, "Leads, contacts and events in one", shapes.Found, query=SearchQuery),)
