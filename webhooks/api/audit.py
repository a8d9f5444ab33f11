"""Who did or looked at what: every change and every look at personal raw data, by any door."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from crm_core.access.audit_queries import AuditFilter, list_audit
from crm_core.base.values import Text
from webhooks.api.parameters import Time
from webhooks.api.route import Ask, Paging, Route, narrowed
from webhooks.api.schemas import audit as shapes


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
          shapes.AuditPage, query=AuditQuery),
)  # fmt: skip
