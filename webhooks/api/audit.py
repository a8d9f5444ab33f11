"""Who did or looked at what: every change and every look at personal raw data, by any door."""

from __future__ import annotations

from typing import Any, cast

from pydantic import AwareDatetime, Field

from crm_core.access.audit_queries import AuditFilter, list_audit
from webhooks.api.parameters import Text, Time
from webhooks.api.route import Ask, Paging, Route, narrowed
from webhooks.api.shape import Id, Page, Shape


class AuditRow(Shape):
    id: Id
    at: AwareDatetime
    actor: str = Field(description="user:7, token:3, cli:root (the account on the machine), visitor (who is not signed in), hub")
    actor_name: str = Field(description="of a user or token; empty for the others")
    action: str = Field(description="what was done, such as lead.assign or event.raw")
    subject: str = Field(description="to what, such as lead:7")
    data: dict[str, Any] = Field(description="ids and names of fields; no personal data")


class AuditPage(Page[AuditRow]):
    pass


class AuditQuery(Paging):
    actor: Text | None = Field(
        None, max_length=100, description="user:7, token:3, cli:root, visitor, hub; a kind alone (cli) means all of that kind"
    )
    subject: Text | None = Field(
        None, max_length=200, description="lead:7, event:…, source:3; a kind alone (lead) means all of that kind"
    )
    action: Text | None = Field(None, max_length=100, description="event.raw, lead.assign, session.refuse, …")
    since: Time | None = Field(None, description="at or after")
    until: Time | None = Field(None, description="before")


def _list(ask: Ask) -> object:
    query = cast(AuditQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_audit(connection, ask.principal, narrowed(AuditFilter, query), query.limit, query.after)


ROUTES = (
    Route("GET", "/audit", "audit.read", _list, "Every change and every look at personal raw data, newest first",
          AuditPage, query=AuditQuery),
)  # fmt: skip
