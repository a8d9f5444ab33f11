"""A pool gets its turn back for a lead that was none: merged into another, or spam. Once, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from crm_core.batch.rows import Cursor
from crm_core.routing.config import REFUNDS

Why = Literal["merged", "spam"]

#: The last decision of each lead, where a pool's turn made it and stands.
_TURNS: Final = (
    "SELECT a.id, a.pool_id, a.owner_id FROM assignment a WHERE a.lead_id = ANY(%s) AND a.kind IN ('pool', 'cover')"
    " AND a.pool_id IS NOT NULL AND a.owner_id IS NOT NULL AND a.trace->>'code' <> 'merged' AND (a.refunded_at IS NULL) = %s"
    " AND NOT EXISTS (SELECT 1 FROM assignment later WHERE later.lead_id = a.lead_id AND later.id > a.id)"
)


def refund(cursor: Cursor, lead_ids: Sequence[int], why: Why) -> int:
    """Gives back the turn that each of them cost its owner, under the pools' locks, if the rules in force say so for this reason.
    `cursor` gives rows as dictionaries; contacts and leads are locked already. Returns how many turns."""
    if not lead_ids or why not in _reasons(cursor):
        return 0
    return _move(cursor, lead_ids, why)


def take_back(cursor: Cursor, lead_ids: Sequence[int]) -> int:
    """The lead is one after all: its owner has had their turn."""
    return _move(cursor, lead_ids, None) if lead_ids else 0


def _move(cursor: Cursor, lead_ids: Sequence[int], why: Why | None) -> int:
    gives = why is not None
    pools = {row["pool_id"] for row in cursor.execute(_TURNS, (list(lead_ids), gives)).fetchall()}
    if not pools:
        return 0
    cursor.execute("SELECT id FROM pool WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (sorted(pools),))
    cursor.execute(
        f"WITH turns AS ({_TURNS}), told AS (UPDATE assignment SET refunded_at = CASE WHEN %s THEN now() END, refunded_why = %s"
        "  FROM turns WHERE assignment.id = turns.id AND turns.pool_id = ANY(%s) RETURNING assignment.pool_id, assignment.owner_id),"
        " counted AS (SELECT pool_id, owner_id, count(*) AS n FROM told GROUP BY 1, 2),"
        " moved AS (UPDATE pool_member m SET assigned = m.assigned + %s * counted.n FROM counted"
        "  WHERE m.pool_id = counted.pool_id AND m.owner_id = counted.owner_id)"
        " SELECT coalesce(sum(n), 0)::int AS n FROM counted",
        (list(lead_ids), gives, gives, why or "", sorted(pools), -1 if gives else 1),
    )
    row = cursor.fetchone()
    return int(row["n"]) if row else 0


def _reasons(cursor: Cursor) -> frozenset[str]:
    row = cursor.execute("SELECT body->'settings'->'refund' AS refund FROM routing_version WHERE state = 'active'").fetchone()
    told = row["refund"] if row else None
    return REFUNDS if told is None else frozenset(told)
