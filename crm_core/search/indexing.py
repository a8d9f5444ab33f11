"""Keeps what search finds as the rows are. Whoever writes a person, a lead or a touch marks the person, in its own transaction;
what is marked is made right soon after, beside the work, or at once by somebody who searches.

A mark is a row that is never waited for: the engine writes one a person and batch and goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, text

from crm_core.base.copying import numbers
from crm_core.search.documents import documents

_AT_ONCE = 100  # persons a statement: their texts are in memory together

_TAKE = """
WITH taken AS (DELETE FROM search_queue WHERE id IN
                 (SELECT id FROM search_queue ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED) RETURNING contact_id, anew)
SELECT c.root_id, bool_or(taken.anew) AS anew FROM taken JOIN contact c ON c.id = taken.contact_id GROUP BY c.root_id
"""
#: One at a time, everywhere: the later one sees what the earlier one wrote.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('leadhub.search', 0))"
_TRIES = 6  # times 30 ms: about as long as another one's step takes
#: Documents of what was folded into the person, and of rows that are gone, go with it.
_WIPE = """
DELETE FROM search_document d USING contact c
 WHERE c.root_id = ANY(:roots) AND d.contact_id = c.id AND (:anew OR d.kind <> 'touch')
"""
_WRITE = """
INSERT INTO search_document (kind, row_id, contact_id, words)
SELECT kind, row_id, contact_id, array_to_tsvector(ARRAY(SELECT jsonb_array_elements_text(words)))
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS made(kind text, row_id bigint, contact_id bigint, words jsonb)
ON CONFLICT (kind, row_id) DO UPDATE SET words = excluded.words, contact_id = excluded.contact_id
"""


def mark(connection: Connection, contact_ids: Iterable[int], *, anew: bool = False) -> None:
    """These persons were changed in this transaction; `anew`: and what had been said before, too."""
    connection.execute(
        text("INSERT INTO search_queue (contact_id, anew) SELECT DISTINCT unnest(CAST(:ids AS bigint[])), :anew"),
        {"ids": list(contact_ids), "anew": anew},
    )


def mark_batch(cursor: psycopg.Cursor[Any], changed: Iterable[int], rewritten: Iterable[int]) -> None:
    """The same from the engine: one short statement a batch."""
    anew = set(rewritten)
    ids = sorted(anew.union(changed))
    if ids:
        cursor.execute(
            "INSERT INTO search_queue (contact_id, anew) SELECT * FROM unnest(%s::bigint[], %s::boolean[])",
            (numbers(ids), "{" + ",".join("t" if one in anew else "f" for one in ids) + "}"),
        )


def catch_up(connection: Connection, most: int = _AT_ONCE) -> int:
    """Makes up to `most` marks good in the caller's transaction; returns how many persons that were. Where another one is at
    it, and stays at it, there is nothing to do."""
    for _ in range(_TRIES):
        if waiting(connection, 1) == 0:
            return 0
        if connection.scalar(text(_ALONE)):
            break
        time.sleep(0.03)
    else:
        return 0
    roots = {row.root_id: row.anew for row in connection.execute(text(_TAKE), {"most": most})}
    for anew in (False, True):
        some = [root for root, whole in roots.items() if whole == anew]
        if some:
            _write(connection, some, anew=anew)
    return len(roots)


def _write(connection: Connection, roots: list[int], *, anew: bool) -> None:
    made = documents(connection, roots, anew=anew)
    connection.execute(text(_WIPE), {"roots": roots, "anew": anew})
    rows = [{"kind": one.kind, "row_id": one.row_id, "contact_id": one.contact_id, "words": one.words} for one in made]
    connection.execute(text(_WRITE), {"rows": orjson.dumps(rows).decode()})


def waiting(connection: Connection, most: int) -> int:
    """How many marks there are, counted up to `most`."""
    return connection.scalar(text("SELECT count(*) FROM (SELECT 1 FROM search_queue LIMIT :most) marks"), {"most": most}) or 0
