"""The entrance's own way of sending rows stores what the other way stores, and gives up when the server does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from door_client import Door, open_door

from crm_core.base.config import HubConfig
from ingest.journal.accept_writer import JournalWriter, PendingInsert
from ingest.journal.bounded_connection import BoundedConnection, connect_bounded
from ingest.journal.insert import ON_CONFLICT, insert_events, insert_named
from ingest.journal.insert_prepared import MOST_ROWS, PreparedInsert, values_of
from ingest.journal.raw_event import RawEvent, new_uid, safe_key

_STORED = "channel, method, path, query, headers, remote_ip, provider_key, unclaimed, redeliveries, body, state, reason"

_ODD = (
    RawEvent(1, "form", b""),
    RawEvent(1, "form", b"\x00\xff", headers={"a": "b\x00c", "d": "\ud800e", "ü": "é", "n": ""}),
    RawEvent(1, "call", b"x", method="PUT", path="a/\x00b", query="q=\ud800", remote_ip="2001:db8::1", unclaimed=True),
    RawEvent(1, "form", b"long key", provider_key="k" * 300),
    RawEvent(1, "form", b"key", provider_key="a\x00b"),
    RawEvent(1, "form", b"twice", provider_key="twice"),
    RawEvent(1, "form", b"twice", provider_key="twice", key_is_senders=True),
    RawEvent(1, "form", b"not twice", provider_key="twice", key_is_senders=True),
    RawEvent(1, "form", b"{}" * 700_000, headers={"content-type": "application/json; charset=\"utf-8\""}),
)  # fmt: skip


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        yield opened


@pytest.fixture
def connection(config: HubConfig, door: Door) -> Iterator[BoundedConnection]:
    opened = connect_bounded(config.database_url, "web", limit_seconds=2.0)
    yield opened
    opened.close()


def _stored(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    rows = connection.execute(f"SELECT {_STORED} FROM inbound_event ORDER BY id").fetchall()
    connection.execute("TRUNCATE inbound_event")
    return rows


def _sent(connection: BoundedConnection, parsed_items: tuple[RawEvent, ...]) -> list[bool]:
    prepared = PreparedInsert(connection, ON_CONFLICT)
    uids = [new_uid() for _ in parsed_items]
    values = [values_of(one, uid, safe_key(one.provider_key)) for one, uid in zip(parsed_items, uids, strict=True)]
    return [receipt.redelivery for receipt in insert_named(connection, parsed_items, uids, prepared, values)]


def test_rows_are_those_of_the_other_way_when_their_texts_are_odd(connection: BoundedConnection) -> None:
    known = RawEvent(1, "form", b"twice", provider_key="twice")
    insert_events(connection, [known])
    expected = [receipt.redelivery for receipt in insert_events(connection, _ODD)], _stored(connection)
    insert_events(connection, [known])
    assert (_sent(connection, _ODD), _stored(connection)) == expected


@pytest.mark.parametrize("count", [1, 2, MOST_ROWS, MOST_ROWS + 1])
def test_every_row_gets_its_receipt_when_groups_differ_in_size(config: HubConfig, door: Door, count: int) -> None:
    writer = JournalWriter(config)
    for _ in range(2):
        group = [PendingInsert(RawEvent(1, "form", b"%d" % number)) for number in range(count)]
        assert writer.write(list(group))
        assert all(pending.receipt is not None and pending.receipt.uid == pending.uid for pending in group)
    rows = door.rows()
    assert [row["body"] for row in rows] == [b"%d" % number for number in range(count)] * 2
    writer.close()


def test_megabytes_go_through_when_the_socket_takes_them_in_parts(connection: BoundedConnection) -> None:
    bodies = [bytes([number]) * 3_000_000 for number in range(8)]
    assert _sent(connection, tuple(RawEvent(1, "form", body) for body in bodies)) == [False] * 8
    found = connection.execute("SELECT body FROM inbound_event ORDER BY id", binary=True).fetchall()
    assert [body for (body,) in found] == bodies


def test_waiting_ends_when_the_server_does_not_answer(config: HubConfig, connection: BoundedConnection) -> None:
    connection.limit_seconds = 0.3
    connection.execute("SET lock_timeout = 0")
    holder = psycopg.connect(config.database_url)
    holder.execute("LOCK TABLE inbound_event IN ACCESS EXCLUSIVE MODE")
    release = threading.Timer(20.0, holder.close)  # a wait without an end would hang the suite
    release.start()
    try:
        with pytest.raises(psycopg.OperationalError) as raised:
            _sent(connection, (RawEvent(1, "form", b"late"),))
        assert raised.value.sqlstate is None  # so the writer knows that the line is no good
    finally:
        release.cancel()
        holder.close()
