"""What the hub got from a provider itself goes through the same door as what is sent: one key, one event, whoever was first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from connectors.kit.connector import FETCHED
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from ingest.alerts.alerts import end_alert, raise_alert
from ingest.journal.insert import insert_events
from ingest.journal.raw_event import RawEvent, safe_key
from ingest.journal.transitions import make_due

#: What `SourceBroken` may be called in an alert; anything else is "source_broken".
_BROKEN = ("token_expired", "source_broken")


def known_keys(connection: psycopg.Connection[Any], source_id: int, keys: Iterable[str]) -> dict[str, str]:
    """Those of the keys that the journal has already, with the uids of their events."""
    stored = {safe_key(key): key for key in keys}
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        rows = cursor.execute(
            "SELECT provider_key, uid FROM inbound_event WHERE source_id = %s AND provider_key = ANY(%s)",
            (source_id, [key for key in stored if key]),
        ).fetchall()
    return {stored[key]: uid for key, uid in rows}


def put_in(config: HubConfig, source_id: int, channel: str, bodies: Mapping[str, bytes]) -> dict[str, str]:
    """Commits the bodies to the journal under their keys and returns the uids. Whoever waits for the channel finds them."""
    if not bodies:
        return {}
    parsed_items = [
        RawEvent(
            source_id, channel, body, method=FETCHED, path="fetched", headers={"content-type": "application/json"},
            provider_key=key,
        )
        for key, body in bodies.items()
    ]  # fmt: skip
    with connect(config.database_url, "worker") as connection:
        receipts = insert_events(connection, parsed_items)
    return {key: receipt.uid for key, receipt in zip(bodies, receipts, strict=True)}


def broken(connection: psycopg.Connection[Any], source_id: int, code: str, message: str) -> None:
    """Tells somebody that a source cannot work until it is mended."""
    raise_alert(
        connection,
        source_id,
        code if code in _BROKEN else "source_broken",
        data={"code": code, "said": message},
    )


def mended(connection: psycopg.Connection[Any], source_id: int) -> None:
    """It works again: alerts end, and what waited for that is due now."""
    ended = sum(end_alert(connection, source_id, code) for code in (*_BROKEN, "fetch_failed"))
    if ended:
        make_due(connection.cursor(), source_id)
