"""Messages about a lead to a colleague: leave, list, read."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AwareDatetime, Field

from crm_core.mentions.commands import leave_mention, read_mention
from crm_core.mentions.queries import MentionFilter, get_mention, list_mentions
from webhooks.api.parameters import RowId, StorableText
from webhooks.api.route import Ask, Body, Paging, Route
from webhooks.api.shape import Id, Named, Page, Shape


class Mention(Shape):
    id: Id
    lead: Id = Field(validation_alias="lead_id")
    contact: Named | None = Field(description="null where the reader may not see the lead")
    author: str = Field(description='who wrote it, for instance "user:7"')
    author_name: str
    to: Named = Field(description="whom it is for", validation_alias="owner")
    text: str
    created_at: AwareDatetime
    read_at: AwareDatetime | None


class MentionPage(Page[Mention]):
    pass


class MentionQuery(Paging):
    to: RowId | None = Field(None, description="an owner's id: whom it is for")
    lead: RowId | None = None
    state: Literal["unread", "read"] | None = None


class MentionBody(Body):
    lead: RowId
    to: RowId = Field(description="the colleague: an owner's id")
    text: StorableText = Field(description="at most 10000 characters")


def _list(ask: Ask) -> object:
    query = cast(MentionQuery, ask.query)
    filters = MentionFilter(query.to, query.lead, None if query.state is None else query.state == "unread")
    with ask.engine.begin() as connection:
        return list_mentions(connection, ask.principal, filters, query.limit, query.after)


def _leave(ask: Ask) -> object:
    body = cast(MentionBody, ask.body)
    with ask.engine.begin() as connection:
        mention_id = leave_mention(connection, ask.principal, body.lead, body.to, body.text, ask.now)
        return get_mention(connection, ask.principal, mention_id)


def _read(ask: Ask) -> object:
    mention_id = ask.id("mention")
    with ask.engine.begin() as connection:
        read_mention(connection, ask.principal, mention_id, ask.now)
        return get_mention(connection, ask.principal, mention_id)


ROUTES = (
    Route("GET", "/mentions", "mentions.read", _list, "Messages to colleagues about leads, newest first", MentionPage,
          query=MentionQuery),
    Route("POST", "/mentions", "mentions.write", _leave, "Leave a colleague a message about a lead", Mention, body=MentionBody,
          status=201),
    Route("POST", "/mentions/<id>/read", "mentions.write", _read, "Say that a message was read", Mention),
)  # fmt: skip
