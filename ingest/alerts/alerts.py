"""What somebody should look at, source by source: raised where it is noticed, counted while it lasts, ended when it has passed.
An alert names a form or a field, never a person. What people see of them and do about them is `ingest.quarantine.alerts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, text

from crm_core.base.values import Named

#: Where alerts may be written from: a worker's cursor or connection, or a request's connection.
Where = psycopg.Cursor[Any] | psycopg.Connection[Any] | Connection

#: Alerts that mean: inquiries that exist do not arrive. `leadhub health` names them as problems. The others are notes:
#: a form that is silent may have nobody who writes, and a hub that calls itself ill for that is soon not believed.
GRAVE = frozenset({"token_expired", "source_broken", "fetch_failed", "poll_failed"})

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
class AlertCount:
    code: str
    source: Named
    count: int


def open_counts(connection: Connection) -> list[AlertCount]:
    """Open alerts by code and source: what a gauge and the health report need."""
    rows = connection.execute(
        text(
            "SELECT a.code, s.id AS source_id, s.name AS source_name, count(*) AS alerts FROM source_alert a"
            " JOIN source s ON s.id = a.source_id WHERE a.resolved_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2"
        )
    ).all()
    return [AlertCount(row.code, Named(row.source_id, row.source_name), row.alerts) for row in rows]


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
