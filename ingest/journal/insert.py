"""Rows into the journal: one statement for a whole group, in whatever transaction the caller has open.

A key that is known makes a redelivery, which is counted and gets the receipt of the first. Nothing is refused here, and
what came in on a replaced address keeps no key from what comes in on the living one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from ingest.journal.insert_prepared import MOST_ROWS, Found, PreparedInsert, Values, with_redeliveries
from ingest.journal.raw_event import RawEvent, Receipt, new_uid, other_bytes_key, safe_json, safe_key
from ingest.journal.transitions import count_redeliveries

# uid comes from here and not from the table's default: rows without a key are matched to their receipts by it, and a
# group whose answer was lost is found again by it. Everything but the bodies travels as one JSON text: a dozen arrays
# would cost the driver more than the rest of the request.
_INSERT = """
INSERT INTO inbound_event
  (uid, source_id, channel, method, path, query, headers, remote_ip, provider_key, unclaimed, verified_at_door, redeliveries,
   body)
SELECT * FROM ROWS FROM (
  json_to_recordset(%b::text::json) AS (uid text, source_id int8, channel text, method text, path text, query text,
    headers jsonb, remote_ip text, provider_key text, unclaimed bool, verified_at_door bool, redeliveries int8),
  unnest(%b::bytea[]))
"""

#: What both ways of sending rows (this one and `ingest.journal.insert_prepared`) do about a key that is known, and what they learn.
ON_CONFLICT = """
ON CONFLICT (source_id, provider_key) WHERE provider_key IS NOT NULL
DO UPDATE SET redeliveries = inbound_event.redeliveries + 1 + excluded.redeliveries
RETURNING id, uid, source_id, provider_key, CASE WHEN redeliveries > 0 THEN sha256(body) END, unclaimed AND replayed = 0
"""


def insert_events(connection: psycopg.Connection[Any], parsed_items: Sequence[RawEvent]) -> list[Receipt]:
    """Stores the arrivals in their order and gives a receipt for each. Commits nothing by itself.

    Raises psycopg.Error; then nothing of the group is stored.
    """
    return insert_named(connection, parsed_items, [new_uid() for _ in parsed_items])


def insert_named(
    connection: psycopg.Connection[Any],
    parsed_items: Sequence[RawEvent],
    uids: Sequence[str],
    prepared: PreparedInsert | None = None,
    values: Sequence[Values] = (),
) -> list[Receipt]:
    """The same with the uids chosen by the caller, who can then ask later which of them got in.

    A small group goes in by `prepared` where the caller has one for its connection, and the `values` of the arrivals.
    """
    if not parsed_items:
        return []
    keys = [safe_key(raw_event.provider_key) for raw_event in parsed_items]
    # Equal keys within the group become one row: a statement cannot touch a row twice.
    first: dict[tuple[int, str], int] = {}
    chosen: list[int] = []
    again: dict[int, int] = {}
    for index, (raw_event, key) in enumerate(zip(parsed_items, keys, strict=True)):
        if key is not None:
            winner = first.setdefault((raw_event.source_id, key), index)
            if winner != index:
                again[winner] = again.get(winner, 0) + 1
                continue
        chosen.append(index)
    found: Sequence[Found]
    if prepared is not None and len(chosen) <= MOST_ROWS:
        found = prepared(
            [with_redeliveries(values[index], again[index]) if index in again else values[index] for index in chosen]
        )
    else:
        rows = [_row(parsed_items[index], uids[index], keys[index], again.get(index, 0)) for index in chosen]
        bodies = [parsed_items[index].body for index in chosen]
        found = connection.execute(_INSERT + ON_CONFLICT, (safe_json(rows), bodies), prepare=True).fetchall()
    if not again and all(row[1] == uid for row, uid in zip(found, uids, strict=True)):
        return [Receipt(row[0], row[1], redelivery=False) for row in found]  # nearly always: all of them are new
    by_uid = {uid: (event_id, uid, digest, is_held) for event_id, uid, _, _, digest, is_held in found}
    by_key = {
        (source_id, key): (event_id, uid, digest, is_held)
        for event_id, uid, source_id, key, digest, is_held in found
        if key is not None
    }
    receipts: list[Receipt] = []
    conflicts: list[int] = []
    for index, (raw_event, key) in enumerate(zip(parsed_items, keys, strict=True)):
        event_id, uid, digest, is_held = by_uid[uids[index]] if key is None else by_key[raw_event.source_id, key]
        redelivery = uid != uids[index]
        receipts.append(Receipt(event_id, uid, redelivery))
        if redelivery and is_conflict(raw_event, digest, is_held=is_held):
            conflicts.append(index)
    if conflicts:
        _keep_conflicts(connection, parsed_items, uids, conflicts, receipts)
    return receipts


def is_conflict(raw_event: RawEvent, digest: bytes | None, *, is_held: bool) -> bool:
    """True when a sender's key is over other bytes than those of the stored row, whose SHA-256 this is; and when that row
    `is_held`, because it came in on a replaced address and nobody has taken it: whoever knows the old address may have
    guessed the key."""
    if is_held and not raw_event.unclaimed:
        return True
    return raw_event.key_is_senders and digest != hashlib.sha256(raw_event.body).digest()


def kept_apart(raw_event: RawEvent) -> RawEvent:
    """A conflict as it is stored: it is something new, under a key over its bytes, and its own redeliveries find it."""
    key = other_bytes_key(safe_key(raw_event.provider_key) or "", raw_event.body)
    return replace(raw_event, provider_key=key, key_is_senders=False)


def _row(raw_event: RawEvent, uid: str, key: str | None, again: int) -> dict[str, Any]:
    return {
        "uid": uid, "source_id": raw_event.source_id, "channel": raw_event.channel, "method": raw_event.method,
        "path": raw_event.path, "query": raw_event.query, "headers": raw_event.headers, "remote_ip": raw_event.remote_ip,
        "provider_key": key, "unclaimed": raw_event.unclaimed, "verified_at_door": raw_event.verified_at_door,
        "redeliveries": again,
    }  # fmt: skip


def _keep_conflicts(
    connection: psycopg.Connection[Any],
    parsed_items: Sequence[RawEvent],
    uids: Sequence[str],
    conflicts: Sequence[int],
    receipts: list[Receipt],
) -> None:
    """Stores the conflicts under keys of their own and takes them from the count of the rows that they met."""
    met = [receipts[index].event_id for index in conflicts]
    renamed = [kept_apart(parsed_items[index]) for index in conflicts]
    for index, receipt in zip(conflicts, insert_named(connection, renamed, [uids[index] for index in conflicts]), strict=True):
        receipts[index] = receipt
    # The conflict met the row of its key, which therefore counted it. One that is locked by now keeps its one too many: to
    # wait for it would hold up the whole group.
    count_redeliveries(connection, met, sign=-1)
