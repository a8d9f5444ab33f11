"""Rows into the journal: one statement for a whole group, in whatever transaction the caller has open.

A key that is known makes a redelivery, which is counted and gets the receipt of the first. Nothing is refused here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from ingest.arrival import RawArrival, Receipt, new_uid, other_bytes_key, safe_json, safe_key

# uid comes from here and not from the table's default: rows without a key are matched to their receipts by it, and a
# group whose answer was lost is found again by it. Everything but the bodies travels as one JSON text: a dozen arrays
# would cost the driver more than the rest of the request.
_INSERT = """
INSERT INTO inbound_event
  (uid, source_id, channel, method, path, query, headers, remote_ip, provider_key, unclaimed, redeliveries, body)
SELECT * FROM ROWS FROM (
  json_to_recordset(%b::text::json) AS (uid text, source_id int8, channel text, method text, path text, query text,
    headers jsonb, remote_ip text, provider_key text, unclaimed bool, redeliveries int8),
  unnest(%b::bytea[]))
ON CONFLICT (source_id, provider_key) WHERE provider_key IS NOT NULL
DO UPDATE SET redeliveries = inbound_event.redeliveries + 1 + excluded.redeliveries
RETURNING id, uid, source_id, provider_key, CASE WHEN redeliveries > 0 THEN sha256(body) END
"""


def insert_events(connection: psycopg.Connection[Any], arrivals: Sequence[RawArrival]) -> list[Receipt]:
    """Stores the arrivals in their order and gives a receipt for each. Commits nothing by itself.

    Raises psycopg.Error; then nothing of the group is stored.
    """
    return insert_named(connection, arrivals, [new_uid() for _ in arrivals])


def insert_named(
    connection: psycopg.Connection[Any], arrivals: Sequence[RawArrival], uids: Sequence[str]
) -> list[Receipt]:
    """The same with the uids chosen by the caller, who can then ask later which of them got in."""
    if not arrivals:
        return []
    keys = [safe_key(arrival.provider_key) for arrival in arrivals]
    # Equal keys within the group become one row: a statement cannot touch a row twice.
    first: dict[tuple[int, str], int] = {}
    chosen: list[int] = []
    again: dict[int, int] = {}
    for index, (arrival, key) in enumerate(zip(arrivals, keys, strict=True)):
        if key is not None:
            winner = first.setdefault((arrival.source_id, key), index)
            if winner != index:
                again[winner] = again.get(winner, 0) + 1
                continue
        chosen.append(index)
    rows = [_row(arrivals[index], uids[index], keys[index], again.get(index, 0)) for index in chosen]
    bodies = [arrivals[index].body for index in chosen]
    found = connection.execute(_INSERT, (safe_json(rows), bodies), prepare=True).fetchall()
    by_uid = {uid: (event_id, uid, digest) for event_id, uid, _, _, digest in found}
    by_key = {
        (source_id, key): (event_id, uid, digest)
        for event_id, uid, source_id, key, digest in found
        if key is not None
    }
    receipts: list[Receipt] = []
    conflicts: list[int] = []
    for index, (arrival, key) in enumerate(zip(arrivals, keys, strict=True)):
        event_id, uid, digest = by_uid[uids[index]] if key is None else by_key[arrival.source_id, key]
        redelivery = uid != uids[index]
        receipts.append(Receipt(event_id, uid, redelivery))
        if redelivery and arrival.key_is_senders and digest != hashlib.sha256(arrival.body).digest():
            conflicts.append(index)
    if conflicts:
        _keep_conflicts(connection, arrivals, keys, uids, conflicts, receipts)
    return receipts


def _row(arrival: RawArrival, uid: str, key: str | None, again: int) -> dict[str, Any]:
    return {
        "uid": uid, "source_id": arrival.source_id, "channel": arrival.channel, "method": arrival.method,
        "path": arrival.path, "query": arrival.query, "headers": arrival.headers, "remote_ip": arrival.remote_ip,
        "provider_key": key, "unclaimed": arrival.unclaimed, "redeliveries": again,
    }  # fmt: skip


def _keep_conflicts(
    connection: psycopg.Connection[Any],
    arrivals: Sequence[RawArrival],
    keys: Sequence[str | None],
    uids: Sequence[str],
    conflicts: Sequence[int],
    receipts: list[Receipt],
) -> None:
    """A sender's key over other bytes is something new that arrived: it gets a row, and its own redeliveries find it."""
    renamed = [
        replace(
            arrivals[index],
            provider_key=other_bytes_key(keys[index] or "", arrivals[index].body),
            key_is_senders=False,
        )
        for index in conflicts
    ]
    for index, receipt in zip(
        conflicts, insert_named(connection, renamed, [uids[index] for index in conflicts]), strict=True
    ):
        receipts[index] = receipt
