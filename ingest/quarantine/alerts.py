"""Alerts as people see them, a burst with what it set aside, and a person's word that one was seen to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, Page, Position, newest_first, page
from crm_core.base.values import Named
from crm_core.forms.models import SourceAlert
from crm_core.sources.models import Source
from ingest.quarantine.quarantine import count_picked, of_alert

ALERT_RESOLVED = history.Action("alert.resolve")

MOST_OPEN = 200  # that are shown at once
_OF_FIELDS = ("new_field", "field_gone")


@dataclass(frozen=True, slots=True)
class AlertView:
    id: int
    source: Named
    code: str
    subject: str  # form or field; empty for the source as a whole
    data: Mapping[str, Any]
    raised: int  # how often since first_at
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None


def resolve_alert(connection: Connection, principal: Principal, alert_id: int) -> AlertView:
    """A person has seen to it. NotFound; a second click finds it resolved and changes nothing."""
    demand(principal, "alerts.write")
    found = connection.execute(
        text(
            "UPDATE source_alert SET resolved_at = clock_timestamp(), resolved_by = :by"
            " WHERE id = :id AND resolved_at IS NULL RETURNING source_id, code"
        ),
        {"id": alert_id, "by": principal.actor},
    ).one_or_none()
    if found is not None:
        history.record(connection, principal, ALERT_RESOLVED, alert_id, {"code": found.code})
    row = connection.execute(_statement().where(SourceAlert.id == alert_id)).one_or_none()
    if row is None:
        raise NotFound("alert_unknown", "There is no such alert.")
    return _alert(row)


def list_alerts(
    connection: Connection,
    state: str | None = "open",
    source_id: int | None = None,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[AlertView]:
    """Newest first. `state`: open, resolved, or None for both."""
    statement = _statement()
    if state is not None:
        ended = SourceAlert.resolved_at.is_not(None)
        statement = statement.where(ended if state == "resolved" else ~ended)
    if source_id is not None:
        statement = statement.where(SourceAlert.source_id == source_id)
    rows = connection.execute(newest_first(statement, None, SourceAlert.id, after, limit)).all()
    return page(rows, limit, lambda shown: _alerts(connection, shown), lambda row: (None, row.id))


def _alerts(connection: Connection, rows: Sequence[AnyRow]) -> list[AlertView]:
    """As the contract shows them, a burst with what it set aside."""
    return [_alert(row, count_picked(connection, of_alert(connection, row.id)) if row.code == "burst" else None) for row in rows]


def open_alerts(connection: Connection, source_id: int | None = None) -> list[AlertView]:
    """The open ones: newest first, and those about single fields,
    of which there may be hundreds, after all others. At most `MOST_OPEN`; how many there are says `open_counts`."""
    statement = _statement().where(SourceAlert.resolved_at.is_(None))
    if source_id is not None:
        statement = statement.where(SourceAlert.source_id == source_id)
    ordered = statement.order_by(SourceAlert.code.in_(_OF_FIELDS), SourceAlert.id.desc()).limit(MOST_OPEN)
    return _alerts(connection, connection.execute(ordered).all())


def _statement() -> Any:
    return select(
        SourceAlert.id, SourceAlert.source_id, Source.name.label("source_name"), SourceAlert.code, SourceAlert.subject,
        SourceAlert.data, SourceAlert.count.label("raised"), SourceAlert.first_at, SourceAlert.last_at, SourceAlert.resolved_at,
        SourceAlert.resolved_by,
    ).join(Source, Source.id == SourceAlert.source_id)  # fmt: skip


def _alert(row: AnyRow, set_aside: int | None = None) -> AlertView:
    """`set_aside`: of a burst, how much of it waits in quarantine."""
    return AlertView(
        row.id, Named(row.source_id, row.source_name), row.code, row.subject,
        row.data if set_aside is None else {**row.data, "set_aside": set_aside}, row.raised, row.first_at, row.last_at,
        row.resolved_at, row.resolved_by or None,
    )  # fmt: skip
