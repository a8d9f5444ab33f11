"""What an employee was told, and that it was read."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AwareDatetime, Field

from crm_core.notifications.commands import MOST, mark_read
from crm_core.notifications.queries import list_notifications
from webhooks.api.parameters import RowId
from webhooks.api.route import Ask, Body, Paging, Route
from webhooks.api.shape import Id, Named, Page, Shape


class Notification(Shape):
    id: Id
    kind: Literal[
        "lead_given", "lead_to_take", "lead_taken_away", "deadline_warned", "deadline_breached", "escalated", "message_left"
    ]
    to: Named = Field(description="whom it is for", validation_alias="owner")
    instead_of: Named | None = Field(description="who is away, where it goes to a deputy")
    lead: Id | None = Field(validation_alias="lead_id")
    contact: Named | None = Field(description="null where the reader may not see the lead")
    at: AwareDatetime
    read_at: AwareDatetime | None


class NotificationPage(Page[Notification]):
    pass


class NotificationQuery(Paging):
    state: Literal["unread", "read"] | None = None


class ReadBody(Body):
    ids: list[RowId] | None = Field(None, max_length=MOST, description="null: all of one's own")


class Read(Shape):
    read: int = Field(description="how many had not been read before")


def _list(ask: Ask) -> object:
    query = cast(NotificationQuery, ask.query)
    unread = None if query.state is None else query.state == "unread"
    with ask.engine.begin() as connection:
        return list_notifications(connection, ask.principal, unread, query.limit, query.after)


def _read(ask: Ask) -> object:
    body = cast(ReadBody, ask.body)
    with ask.engine.begin() as connection:
        return {"read": mark_read(connection, ask.principal, body.ids, ask.now)}


ROUTES = (
    Route("GET", "/notifications", "notifications.read", _list, "What one was told, newest first; all where one is no owner",
          NotificationPage, query=NotificationQuery),
    Route("POST", "/notifications/read", "notifications.write", _read, "Say that one's own were read", Read, body=ReadBody),
)  # fmt: skip
