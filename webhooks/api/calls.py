"""Telephone calls."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AwareDatetime, Field

from crm_core.calls.queries import CallFilter, get_call, list_calls
from crm_core.parsed import CallOutcome, Direction
from webhooks.api.parameters import RowId, Text, Time
from webhooks.api.route import Ask, Paging, Route, narrowed
from webhooks.api.shape import Id, Named, Page, Shape


class Call(Shape):
    id: Id
    key: str
    source: Named
    direction: str
    phase: str
    outcome: str | None
    remote: str
    our_number: str
    extension: str
    owner: Named | None
    contact: Named | None
    lead: Id | None = Field(validation_alias="lead_id")
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    talk_seconds: float | None
    recording: str


class CallPage(Page[Call]):
    pass


class CallQuery(Paging):
    outcome: CallOutcome | None = None
    direction: Direction | None = None
    phase: Literal["ringing", "talking", "ending", "closed"] | None = None
    owner: RowId | None = Field(None, description="who talked")
    source: RowId | None = None
    contact: RowId | None = None
    lead: RowId | None = None
    phone: Text | None = Field(None, description="of the outside party, in any spelling")
    since: Time | None = Field(None, description="began at or after")
    until: Time | None = Field(None, description="began before")


def _list(ask: Ask) -> object:
    query = cast(CallQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_calls(connection, ask.principal, narrowed(CallFilter, query), query.limit, query.after, ask.config.region)


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_call(connection, ask.principal, ask.id("call"))


ROUTES = (
    Route("GET", "/calls", "calls.read", _list, "Calls, newest first", CallPage, query=CallQuery),
    Route("GET", "/calls/<id>", "calls.read", _get, "One call", Call),
)
