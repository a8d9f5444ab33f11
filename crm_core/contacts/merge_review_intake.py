"""A value that turned out to be shared proves nothing about anybody any more: what the hub had merged on its evidence alone comes
before a person again. Nothing is taken apart by itself, as somebody may be working with the client by now.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from crm_core.batch.rows import Cursor, insert_rows
from crm_core.batch.subject import Batch, Subject
from crm_core.identity.names import clean_name, compare_names

#: Says in `suggestion.why` that this is no pair to merge, but a merge (why["merge"]) to look at again.
BECAME_SHARED: Final = "identifier_became_shared"

#: Merges by an inquiry that named one of these values, among those who use it.
_MERGES: Final = """
SELECT DISTINCT m.id, m.winner_id, m.loser_id, m.event_id, m.moved->'winner'->>'name' AS winner_name, m.moved->>'loser_name' AS loser_name,
       m.moved->'contacts' AS contacts, t.identifiers, m.evidence->'evidence' AS evidence
  FROM (SELECT DISTINCT c.root_id FROM contact_identifier ci JOIN contact c ON c.id = ci.contact_id WHERE ci.identifier_id = ANY(%s)) r
  JOIN contact l ON l.root_id = r.root_id JOIN merge_event m ON m.loser_id = l.id AND m.undone_at IS NULL AND m.actor = 'auto'
  JOIN touch t ON t.event_id = m.event_id AND t.identifiers && %s::bigint[] ORDER BY m.id
"""
#: Who else had which of their other values, before the inquiry that showed the merge.
_OTHERS: Final = """
SELECT ci.identifier_id, ci.contact_id, ci.event_id FROM contact_identifier ci
  JOIN identifier i ON i.id = ci.identifier_id AND i.strength = 'strong' WHERE ci.identifier_id = ANY(%s)
"""


def _write(cursor: Cursor, batch: Batch) -> None:
    shared = [one.id for one in batch.identifiers.values() if one.became_shared and one.id is not None]
    if not shared:
        return
    cursor.execute(_MERGES, (shared, shared))
    merges = cursor.fetchall()
    if not merges:
        return
    cursor.execute(_OTHERS, (sorted({one for merge in merges for one in merge["identifiers"]} - set(shared)),))
    links = cursor.fetchall()
    reopen(cursor, [merge for merge in merges if not _stands(merge, links)])


def _stands(merge: dict[str, Any], links: Sequence[dict[str, Any]]) -> bool:
    """Whether the merge would have been made without that value: each of the two is known by another strong one that the inquiry
    named, or both have one first name and surname, which joins on a shared value as well."""
    if compare_names(clean_name(merge["winner_name"] or ""), clean_name(merge["loser_name"] or "")).full:
        return True
    of_loser: Collection[int] = {merge["loser_id"], *(int(one) for one in merge["contacts"] or ())}
    known = [one["contact_id"] in of_loser for one in links
             if one["identifier_id"] in merge["identifiers"] and one["event_id"] != merge["event_id"]]  # fmt: skip
    return True in known and False in known


def reopen(cursor: Cursor, merges: Sequence[dict[str, Any]]) -> None:
    """Into the queue, once a merge: what a person has decided about the two holds."""
    rows = [
        {"a_id": min(one["winner_id"], one["loser_id"]), "b_id": max(one["winner_id"], one["loser_id"]), "state": "open", "at": "now",
         "why": {"rule": BECAME_SHARED, "merge": str(one["id"]), "evidence": one["evidence"] or []}}
        for one in merges
    ]  # fmt: skip
    insert_rows(
        cursor, "suggestion", rows,
        "ON CONFLICT (a_id, b_id) DO UPDATE SET state = 'open', why = excluded.why, at = excluded.at, postponed_at = NULL"
        " WHERE suggestion.decided_by = '' AND suggestion.why->>'rule' IS DISTINCT FROM excluded.why->>'rule'",
    )  # fmt: skip


SUBJECT = Subject("merge_review", write=_write)
