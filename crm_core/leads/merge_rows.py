"""The rows of a merge, whoever decides it: the loser answers as the winner from now on, and what that moved is put down.

Only leads move. All else that is a contact's stays with the contact that it came to, and is read through the root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm_core.base import history
from crm_core.batch.rows import Cursor, insert_rows

MERGED: Final = history.Action("contact.merge", touch="merge")

#: Who decided, where no person did.
AUTOMATIC: Final = "auto"


def write_merge(
    cursor: Cursor, winner_id: int, loser_id: int, folds: Sequence[tuple[int, int]], *, actor: str, event_id: int | None,
    evidence: Mapping[str, Any], before: Mapping[str, Any],
) -> int:  # fmt: skip
    """Returns the id of the merge. Both are roots, and locked.

    `folds`: leads that close, each with the one that carries on for it; its open tasks go along. `before`: what the winner's
    row said until now ("winner"), for the undo.
    """
    cursor.execute(
        "SELECT coalesce(max(t.id), 0) AS last FROM touch t JOIN contact c ON c.id = t.contact_id WHERE c.root_id = ANY(%s)",
        ([winner_id, loser_id],),
    )
    (row,) = cursor.fetchall()
    tasks: dict[str, int] = {}
    if folds:
        closed, kept = [lead for lead, _ in folds], [lead for _, lead in folds]
        cursor.execute(
            "UPDATE lead SET state = 'closed', closed_code = 'merged', closed_at = now(), version = version + 1"
            " WHERE id = ANY(%s)",
            (closed,),
        )
        cursor.execute(
            "UPDATE activity SET lead_id = k.kept FROM unnest(%s::bigint[], %s::bigint[]) AS k(lead, kept)"
            " WHERE lead_id = k.lead AND state = 'open' RETURNING activity.id, k.lead",
            (closed, kept),
        )
        tasks = {str(task["id"]): task["lead"] for task in cursor.fetchall()}
    cursor.execute("UPDATE contact SET root_id = %s WHERE root_id = %s RETURNING id", (winner_id, loser_id))
    contacts = sorted({loser_id, *(one["id"] for one in cursor.fetchall())})
    cursor.execute("UPDATE lead SET contact_id = %s WHERE contact_id = %s RETURNING id", (winner_id, loser_id))
    leads = sorted(one["id"] for one in cursor.fetchall())
    cursor.execute("SELECT nextval('merge_event_id_seq') AS id")
    (drawn,) = cursor.fetchall()
    moved = {"leads": leads, "folded": [lead for lead, _ in folds], "kept": {str(lead): kept for lead, kept in folds},
             "tasks": tasks, "contacts": contacts, "last_touch": row["last"], **before}  # fmt: skip
    insert_rows(
        cursor, "merge_event",
        [{"id": drawn["id"], "winner_id": winner_id, "loser_id": loser_id, "actor": actor, "event_id": event_id,
          "evidence": evidence, "moved": moved, "at": "now", "undone_by": ""}],
    )  # fmt: skip
    return int(drawn["id"])
