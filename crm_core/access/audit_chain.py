"""The audit as a chain: each sealed row carries a hash over its content and the hash before it, so that none can be
changed, taken out or emptied without being noticed.

Rows are written freely and sealed a little later, in the order in which the sealing sees them, because a lock over all
who write would make them wait for each other. Whoever can write into the database can also write a chain anew: that is
noticed by the heads that are noted outside of it (`ingest.monitoring.audit_sealing`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]

_LOCK: Final = 0x1EAD_AD17  # one sealing at a time
#: Rows of one transaction; a long history that was never sealed takes several.
_MOST_ROWS: Final = 5_000
#: Rows below the last sealed one that are looked at again: a slow transaction may commit a lower number late. Nobody writes
#: so many rows within the minute that a transaction may be idle.
_LATE_ROWS: Final = 10_000
_CHUNK: Final = 2_000  # rows that a verification holds at once
FIRST: Final = bytes(32)  # what stands before the first row

#: One row as text that is the same for ever: jsonb orders keys by itself.
_CONTENT: LiteralString = """
    jsonb_build_array(e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.actor, e.action, e.subject,
                      e.data)::text
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at some moment: how many rows it has, and the hash of the last."""

    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold."""

    code: str  # entry_missing | entry_changed | seal_missing | truncated | rewritten
    position: int
    entry: int | None  # id of the row, where it is known
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    entries: int  # rows that were compared
    head: Head | None  # None: nothing was ever sealed
    broken: Break | None  # the first break


def link(before: bytes, content: str) -> bytes:
    """The hash of a row: SHA-256 over the hash before it and its content."""
    return hashlib.sha256(before + content.encode()).digest()


def seal(connection: Connection, *, wait: bool = False, everything: bool = False) -> Head | None:
    """Chains the rows that are committed and not sealed yet; the new head, or None if there was nothing to do.

    One transaction for so many rows as one takes; more are left for the next call. Does nothing while another process
    seals, unless `wait`. `everything` also looks at rows far below the last sealed one.
    """
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        else:
            locked = cursor.execute("SELECT pg_try_advisory_xact_lock(%s) AS locked", (_LOCK,)).fetchone()
            if locked is None or not locked["locked"]:
                return None
        last = _last(cursor)
        position, before = (last.position, last.hash) if last else (0, FIRST)
        low = "0" if everything else "(SELECT coalesce(max(entry_id), 0) FROM audit_seal) - %(late)s"
        rows = cursor.execute(
            f"SELECT e.id, {_CONTENT} AS content FROM audit_entry e WHERE e.id > {low}"
            " AND NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.entry_id = e.id) ORDER BY e.id LIMIT %(most)s",
            {"late": _LATE_ROWS, "most": _MOST_ROWS},
        ).fetchall()
        if not rows:
            return None
        seals = []
        for row in rows:
            position, before = position + 1, link(before, row["content"])
            seals.append((position, row["id"], before))
        cursor.executemany("INSERT INTO audit_seal (position, entry_id, hash) VALUES (%s, %s, %s)", seals)
    return Head(position, before)


def verify(connection: Connection, noted: Sequence[Head] = (), last: int | None = None) -> Verification:
    """Compares the rows with the chain, and the chain with the heads that were noted elsewhere.

    `last`: only so many rows from the end (and all noted heads). Seals what is committed first.
    """
    while seal(connection, wait=True, everything=last is None) is not None:
        pass
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        head = _last(cursor)
        begin = max(0, head.position - last) if head and last is not None else 0
        entries, broken = _compare(cursor, begin, head)
        return Verification(entries, head, broken or _against(cursor, noted, head))


def holds(connection: Connection, head: Head) -> bool:
    """Whether the chain still has this head."""
    row = connection.execute("SELECT hash FROM audit_seal WHERE position = %s", (head.position,)).fetchone()
    return row is not None and bytes(next(iter(row.values() if isinstance(row, dict) else row))) == head.hash


def _last(cursor: psycopg.Cursor[dict[str, Any]]) -> Head | None:
    row = cursor.execute("SELECT position, hash FROM audit_seal ORDER BY position DESC LIMIT 1").fetchone()
    return None if row is None else Head(row["position"], bytes(row["hash"]))


def _compare(cursor: psycopg.Cursor[dict[str, Any]], begin: int, head: Head | None) -> tuple[int, Break | None]:
    """How many rows were compared, and the first break behind position `begin`, whose own hash is taken as it is."""
    if head is None:
        return 0, None
    before, position, compared = FIRST, begin, 0
    if begin:
        row = cursor.execute("SELECT hash FROM audit_seal WHERE position = %s", (begin,)).fetchone()
        if row is None:
            return 0, _gap(begin)
        before = bytes(row["hash"])
    for row in _rows(cursor, begin):
        position += 1
        if row["position"] != position:
            return compared, _gap(position)
        entry: int = row["entry_id"]
        if row["content"] is None:
            return compared, Break("entry_missing", position, entry, f"Row {entry} was taken out of the audit.")
        if link(before, row["content"]) != bytes(row["hash"]):
            return compared, Break("entry_changed", position, entry, f"Row {entry} is not as it was when it was sealed.")
        before, compared = bytes(row["hash"]), compared + 1
    return compared, None


def _rows(cursor: psycopg.Cursor[dict[str, Any]], begin: int) -> Iterator[dict[str, Any]]:
    while True:
        rows = cursor.execute(
            f"SELECT s.position, s.entry_id, s.hash, CASE WHEN e.id IS NOT NULL THEN {_CONTENT} END AS content"
            "  FROM audit_seal s LEFT JOIN audit_entry e ON e.id = s.entry_id"
            " WHERE s.position > %s ORDER BY s.position LIMIT %s",
            (begin, _CHUNK),
        ).fetchall()
        yield from rows
        if len(rows) < _CHUNK:
            return
        begin = rows[-1]["position"]


def _against(cursor: psycopg.Cursor[dict[str, Any]], noted: Sequence[Head], head: Head | None) -> Break | None:
    """The first noted head that the chain does not have any more."""
    for one in sorted(noted, key=lambda known: known.position):
        if head is None or one.position > head.position:
            return Break(
                "truncated", one.position, None,
                f"The audit once had {one.position} sealed rows and has {head.position if head else 0} now.",
            )  # fmt: skip
        row = cursor.execute("SELECT hash FROM audit_seal WHERE position = %s", (one.position,)).fetchone()
        if row is None or bytes(row["hash"]) != one.hash:
            return Break(
                "rewritten", one.position, None,
                f"The chain has another hash at position {one.position} than was noted outside of the database.",
            )  # fmt: skip
    return None


def _gap(position: int) -> Break:
    return Break("seal_missing", position, None, f"The seal at position {position} was taken out.")
