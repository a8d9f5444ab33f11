"""Who did or looked at what: every change and every look at personal raw data, by any door."""

from __future__ import annotations

from typing import cast

from crm_core.reading.audit import AuditFilters, list_audit
from webhooks.api.route import Ask, Paging, Route
from webhooks.api.shapes import audit as shapes


class AuditQuery(AuditFilters, Paging):
    pass


def _list(ask: Ask) -> object:
    query = cast(AuditQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_audit(connection, ask.principal, query, query.limit, query.after)


ROUTES = (
    Route("GET", "/audit", "audit.read", _list, "Every change and every look at personal raw data, newest first",
          shapes.AuditPage, query=AuditQuery),
)  # fmt: skip
