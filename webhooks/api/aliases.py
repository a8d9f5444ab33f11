"""Aliases of a source: the ids by which a form was known to the service that it posted to before."""

from __future__ import annotations

from typing import Annotated, cast

from pydantic import AwareDatetime, Field

from crm_core.base import paging
from ingest.sources.aliases import add_alias, list_aliases, remove_alias
from webhooks.api.parameters import Filters, Text
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Page, Shape


class SourceAlias(Shape):
    alias: str = Field(description="service:id")
    created_at: AwareDatetime


class AliasPage(Page[SourceAlias]):
    pass


AliasText = Annotated[Text, Field(max_length=1000)]


class AliasBody(Body):
    alias: AliasText = Field(description="service:id, for example formspree:xyzabcde, or the old service's address")


class AliasQuery(Filters):
    alias: AliasText = Field(description="service:id")


def _all(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        found = list_aliases(connection, ask.config, ask.id("source"))
    return paging.Page(found, None)


def _add(ask: Ask) -> object:
    typed = cast(AliasBody, ask.body).alias
    with ask.engine.begin() as connection:
        add_alias(connection, ask.principal, ask.config, ask.id("source"), typed)
    return _all(ask)


def _remove(ask: Ask) -> None:
    typed = cast(AliasQuery, ask.query).alias
    with ask.engine.begin() as connection:
        remove_alias(connection, ask.principal, ask.config, ask.id("source"), typed)


ROUTES = (
    Route("GET", "/sources/<id>/aliases", "sources.address", _all, "The ids of other services that lead to this source",
          AliasPage),
    Route("POST", "/sources/<id>/aliases", "sources.write", _add, "Let an id of another service lead to this source",
          AliasPage, body=AliasBody, status=201),
    Route("DELETE", "/sources/<id>/aliases", "sources.write", _remove,
          "Take an alias away; what still arrives under it is kept as unclaimed", None, query=AliasQuery, status=204),
)  # fmt: skip
