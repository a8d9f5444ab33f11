"""What somebody should look at about a source, and the word that he has."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import AwareDatetime, Field

from ingest.quarantine.alerts import list_alerts, resolve_alert
from webhooks.api.parameters import RowId
from webhooks.api.route import Ask, Paging, Route
from webhooks.api.shape import Id, Named, Page, Shape


class Alert(Shape):
    id: Id
    source: Named
    code: str = Field(description="machine-readable: burst, silence, new_field, token_expired, …")
    subject: str = Field(description="form or field; empty for the source as a whole")
    data: dict[str, Any]
    raised: int = Field(description="how often since first_at")
    first_at: AwareDatetime
    last_at: AwareDatetime
    resolved_at: AwareDatetime | None
    resolved_by: str | None


class AlertPage(Page[Alert]):
    pass


class AlertQuery(Paging):
    state: Literal["open", "resolved", "all"] = "open"
    source: RowId | None = None


def _list(ask: Ask) -> object:
    query = cast(AlertQuery, ask.query)
    state = None if query.state == "all" else query.state
    with ask.engine.begin() as connection:
        return list_alerts(connection, state, query.source, query.limit, query.after)


def _resolve(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return resolve_alert(connection, ask.principal, ask.id("alert"))


ROUTES = (
    Route("GET", "/alerts", "alerts.read", _list, "What somebody should look at, newest first", AlertPage,
          query=AlertQuery),
    Route("POST", "/alerts/<id>/resolve", "alerts.write", _resolve, "Say that somebody has seen to it", Alert),
)  # fmt: skip
