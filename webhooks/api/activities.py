"""Planned activities: call-back tasks and the rest."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AwareDatetime, Field

from crm_core.activities.commands import finish_activity
from crm_core.activities.queries import ActivityFilter, get_activity, list_activities
from webhooks.api.parameters import RowId, StorableText, Time
from webhooks.api.route import Ask, Body, Paging, Route, narrowed
from webhooks.api.shape import Id, Named, Page, Shape


class Activity(Shape):
    id: Id
    kind: str
    state: Literal["open", "done", "cancelled"]
    title: str
    due_at: AwareDatetime
    owner: Named | None
    contact: Named | None
    lead: Id | None = Field(validation_alias="lead_id")
    call: Id | None = Field(validation_alias="call_id")
    phone: str
    missed: int
    tried: int
    created_at: AwareDatetime
    closed_at: AwareDatetime | None


class ActivityPage(Page[Activity]):
    pass


class ActivityQuery(Paging):
    state: Literal["open", "done", "cancelled"] | None = None
    kind: Literal["call_back", "call", "mail", "meeting", "task"] | None = None
    owner: RowId | None = None
    lead: RowId | None = None
    contact: RowId | None = None
    due_before: Time | None = Field(None, description="due before")


class DoneBody(Body):
    result: StorableText = Field("", description="what came of it, for the timeline; at most 10000 characters")


def _list(ask: Ask) -> object:
    query = cast(ActivityQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_activities(connection, ask.principal, narrowed(ActivityFilter, query), query.limit, query.after)


def _done(ask: Ask) -> object:
    activity_id = ask.id("activity")
    with ask.engine.begin() as connection:
        finish_activity(connection, ask.principal, activity_id, cast(DoneBody, ask.body).result, ask.now)
        return get_activity(connection, ask.principal, activity_id)


ROUTES = (
    Route("GET", "/activities", "activities.read", _list, "What is planned, the latest due first",
          ActivityPage, query=ActivityQuery),
    Route("POST", "/activities/<id>/done", "activities.write", _done, "Finish an activity", Activity,
          body=DoneBody),
)  # fmt: skip
