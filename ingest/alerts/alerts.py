"""What somebody should look at, source by source: raised where it is noticed, counted while it lasts, closed by a person
or by itself. An alert names a form or a field, never a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import psycopg
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

#: Where alerts may be written from: a worker's cursor or connection, or a request's connection.
Where = psycopg.Cursor[Any] | psycopg.Connection[Any] | Connection

#: Alerts that mean: inquiries that exist do not arrive. `leadhub health` names them as problems. The others are notes:
#: a form that is silent may have nobody who writes, and a hub that calls itself ill for that is soon not believed.
GRAVE = frozenset({"token_expired", "source_broken", "fetch_failed", "poll_failed"})

MOST_OPEN = 200  # that are shown at once
_OF_FIELDS = ("new_field", "field_gone")

_LONGEST_SUBJECT = 300  # characters; a field's name is at most 256

_RAISE = """
INSERT INTO source_alert AS a (source_id, code, subject, data, first_at, last_at)
VALUES (%(source)s, %(code)s, %(subject)s, CAST(%(data)s AS jsonb), clock_timestamp(), clock_timestamp())
ON CONFLICT (source_id, code, subject) WHERE resolved_at IS NULL
DO UPDATE SET count = a.count + 1, last_at = clock_timestamp(),
   -- What is told anew counts, but for when it began.
   data = a.data || excluded.data || jsonb_strip_nulls(jsonb_build_object('since', a.data->'since'))
RETURNING id, count
"""
_END = """
UPDATE source_alert SET resolved_at = clock_timestamp(), resolved_by = %(by)s
 WHERE source_id = %(source)s AND code = %(code)s AND resolved_at IS NULL
   AND (CAST(%(subject)s AS text) IS NULL OR subject = %(subject)s)
RETURNING id, count
"""


def raise_alert(where: Where, source_id: int, code: str, subject: str = "", data: Mapping[str, Any] | None = None) -> int:
    """Opens the alert, or counts one more of the open one, in the caller's transaction; returns how often it was raised.

    `subject` says what of the source (a form, a field). `data` is added to what the alert knows: numbers and codes that
    its words are made of, never a phone, an e-mail or a text that somebody wrote.
    """
    values = {"source": source_id, "code": code, "subject": _kept(subject), "data": orjson.dumps(dict(data or {})).decode()}
    return next((count for _, count in _run(where, _RAISE, values)), 0)


def end_alert(where: Where, source_id: int, code: str, subject: str | None = None, by: str = "hub") -> int:
    """Closes the open alerts of that code because what they told of has passed. `subject` None: whatever it is.
    Returns how many there were."""
    kept = None if subject is None else _kept(subject)
    return len(_run(where, _END, {"source": source_id, "code": code, "subject": kept, "by": by}))


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


@dataclass(frozen=True, slots=True)
class AlertCount:
    code: str
    source: Named
    count: int


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


def open_counts(connection: Connection) -> list[AlertCount]:
    """Open alerts by code and source: what a gauge and the health report need."""
    rows = connection.execute(
        text(
            "SELECT a.code, s.id AS source_id, s.name AS source_name, count(*) AS alerts FROM source_alert a"
            " JOIN source s ON s.id = a.source_id WHERE a.resolved_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2"
        )
    ).all()
    return [AlertCount(row.code, Named(row.source_id, row.source_name), row.alerts) for row in rows]


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


def _kept(subject: str) -> str:
    return subject.replace("\x00", "")[:_LONGEST_SUBJECT]


def _run(where: Where, statement: str, values: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(id, count) of the rows touched, whichever kind of rows the caller's cursor gives."""
    if isinstance(where, Connection):
        driver = where.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor:
            return _run(cursor, statement, values)
    rows = where.execute(statement, values).fetchall()
    return [(row["id"], row["count"]) if isinstance(row, dict) else (row[0], row[1]) for row in rows]
