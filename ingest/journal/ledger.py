"""The ledger: received = the sum of what became of it, per source and day. A query over the journal, nothing kept beside it.

`balanced` is a check and no tautology: the outcomes that claim a lead are held against the leads that exist.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from crm_core.base.values import Named

OUTCOMES = ("created", "attached", "repeat", "auto", "spam", "test", "ignored", "dismissed")
PARTS = (*OUTCOMES, "rejected", "waiting", "needs_attention")

_QUERY = """
WITH counted AS (
    SELECT source_id, (received_at AT TIME ZONE :zone)::date AS day, count(*) AS received,
           {parts},
           count(*) FILTER (WHERE outcome IN ('created', 'repeat', 'attached') AND lead_id IS NULL) AS without_lead
      FROM inbound_event
     WHERE received_at >= :start AND received_at < :end AND (CAST(:source AS bigint) IS NULL OR source_id = :source)
     GROUP BY 1, 2
), born AS (
    SELECT e.source_id, (e.received_at AT TIME ZONE :zone)::date AS day, count(DISTINCT l.event_id) AS leads
      FROM inbound_event e JOIN lead l ON l.event_id = e.id
     WHERE e.received_at >= :start AND e.received_at < :end AND (CAST(:source AS bigint) IS NULL OR e.source_id = :source)
       AND e.outcome IN ('created', 'repeat')
     GROUP BY 1, 2
)
SELECT counted.*, coalesce(born.leads, 0) AS leads_born, coalesce(source.name, '#' || counted.source_id) AS name
  FROM counted LEFT JOIN source ON source.id = counted.source_id
  LEFT JOIN born ON born.source_id = counted.source_id AND born.day = counted.day
 ORDER BY counted.day DESC, counted.source_id
"""


@dataclass(slots=True)
class _Sum:
    source: Named | None
    day: date | None
    counts: Counter[str]
    balanced: bool = True


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What was received, and what became of it: each of PARTS is a count."""

    source: Named | None  # None: all of them
    day: date | None  # None: all of them
    received: int
    created: int
    attached: int
    repeat: int
    auto: int
    spam: int
    test: int
    ignored: int
    dismissed: int
    rejected: int
    waiting: int
    needs_attention: int
    balanced: bool

    def count(self, part: str) -> int:
        """Of one of PARTS, or "received"."""
        number: int = getattr(self, part)
        return number


def _part(name: str) -> str:
    if name == "waiting":
        return "count(*) FILTER (WHERE state IN ('waiting', 'working')) AS waiting"
    if name in ("rejected", "needs_attention"):
        return f"count(*) FILTER (WHERE state = '{name}') AS {name}"
    return f"count(*) FILTER (WHERE state = 'done' AND outcome = '{name}') AS {name}"


def ledger(
    connection: Connection,
    zone: str,
    from_day: date,
    to_day: date,
    source_id: int | None = None,
    by: tuple[str, ...] = ("source", "day"),
) -> list[LedgerRow]:
    """Rows of the contract for the days `from_day` to `to_day`, both included, as days of `zone`; newest first.

    `by` sums rows up: ("source",), ("day",) or () for one total. A row is balanced if its parts add up to what was
    received, every event that claims a lead names one, and as many leads were born as events say.
    """
    start = datetime.combine(from_day, time(), ZoneInfo(zone))
    end = datetime.combine(to_day + timedelta(days=1), time(), ZoneInfo(zone))
    found = connection.execute(
        text(_QUERY.format(parts=", ".join(_part(name) for name in PARTS))),
        {"zone": zone, "start": start, "end": end, "source": source_id},
    ).mappings()
    groups: dict[tuple[Any, ...], _Sum] = {}
    for row in found:
        key = tuple({"source": row["source_id"], "day": row["day"]}[name] for name in by)
        total = groups.setdefault(
            key,
            _Sum(
                Named(row["source_id"], row["name"]) if "source" in by else None, row["day"] if "day" in by else None, Counter()
            ),
        )
        total.counts.update({name: row[name] for name in ("received", *PARTS)})
        total.balanced &= (
            row["received"] == sum(row[name] for name in PARTS)
            and row["without_lead"] == 0
            and row["leads_born"] == row["created"] + row["repeat"]
        )
    return [LedgerRow(one.source, one.day, balanced=one.balanced, **one.counts) for one in groups.values()]
