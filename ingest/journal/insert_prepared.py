"""The journal's rows as the entrance sends them: a statement prepared for each size of group, values in PostgreSQL's own form.

A driver for everything spends more on a row than the rest of the request does, and JSON is read twice by the server. What is
sent here is what `ingest.journal.insert` sends, by another way.
"""

from __future__ import annotations

import select
import struct
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

import orjson
import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

from ingest.journal.bounded_connection import BoundedConnection
from ingest.journal.raw_event import RawEvent, safe_json, safe_text

#: Groups of up to so many rows: as many as one process works on at once (`webhooks.entrance.entrance.PLACES`). Each size is a plan of
#: its own in the server's memory.
MOST_ROWS: Final = 16

_COLUMNS: Final = (
    "uid", "source_id", "channel", "method", "path", "query", "headers", "remote_ip", "provider_key", "unclaimed",
    "verified_at_door", "redeliveries", "body",
)  # fmt: skip
_TYPES: Final = "text, int8, text, text, text, text, jsonb, text, text, bool, bool, int8, bytea"
_INT8: Final = struct.Struct("!q").pack
_NO_REDELIVERY: Final = _INT8(0)
_REDELIVERIES: Final = _COLUMNS.index("redeliveries")
_NO, _YES = b"\0", b"\1"
_JSONB_VERSION: Final = b"\1"  # jsonb_recv reads one byte, then text

Values = list[bytes | None]
#: id, uid, source_id, provider_key, SHA-256 of the body if the row was there already, whether it is held back
Found = tuple[int, str, int, str | None, bytes | None, bool]


def values_of(raw_event: RawEvent, uid: str, key: str | None) -> Values:
    """The row in binary form, in the order of the columns. Made by the thread of the request: the writer's time is everybody's."""
    return [
        uid.encode(),
        _INT8(raw_event.source_id),
        raw_event.channel.encode(),
        _text(raw_event.method),
        _text(raw_event.path),
        _text(raw_event.query),
        _JSONB_VERSION + _json(raw_event.headers),
        _text(raw_event.remote_ip),
        None if key is None else key.encode(),
        _YES if raw_event.unclaimed else _NO,
        _YES if raw_event.verified_at_door else _NO,
        _NO_REDELIVERY,
        raw_event.body,
    ]


def with_redeliveries(values: Values, times: int) -> Values:
    """The same row, which came so many times more within its group."""
    counted = values.copy()
    counted[_REDELIVERIES] = _INT8(times)
    return counted


class PreparedInsert:
    """One for each connection, which must be in autocommit. Used by one thread only."""

    def __init__(self, connection: BoundedConnection, tail: str) -> None:
        """`tail` is what follows the values: what to do about a conflict, and what to return."""
        self._connection = connection
        self._tail = tail
        self._sizes: set[int] = set()
        self._socket = connection.pgconn.socket
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def __call__(self, rows: Sequence[Values]) -> list[Found]:
        """What became of the rows, in their order. Raises psycopg.Error; then nothing of the group is stored."""
        size = len(rows)
        if size not in self._sizes:
            self._connection.execute(_prepare(size, self._tail))
            self._sizes.add(size)
        values = [value for row in rows for value in row]
        server = self._connection.pgconn
        server.send_query_prepared(b"leadhub_insert_%d" % size, values, _FORMATS[size], pq.Format.TEXT)
        result = self._result(server)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise error_from_result(result)
        return [_found(result, row) for row in range(result.ntuples)]

    def _result(self, server: Any) -> Any:
        """The statement's result, and the line free for the next. OperationalError when it takes longer than the connection
        allows; then close it."""
        until = monotonic() + self._connection.limit_seconds
        if server.flush():
            self._send_rest(server, until)
        while True:
            if not self._poll.poll(max(0.0, until - monotonic()) * 1000):
                raise psycopg.OperationalError("the server did not answer in time")
            server.consume_input()
            if not server.is_busy():
                break
        first = result = server.get_result()
        while result is not None:  # the last is None: the server is ready again
            result = self._next(server, until)
        return first

    def _next(self, server: Any, until: float) -> Any:
        while server.is_busy():
            if not self._poll.poll(max(0.0, until - monotonic()) * 1000):
                raise psycopg.OperationalError("the server did not end its answer in time")
            server.consume_input()
        return server.get_result()

    def _send_rest(self, server: Any, until: float) -> None:
        """Large bodies do not fit into the socket at once; the server may have something to say meanwhile."""
        both = select.poll()
        both.register(self._socket, select.POLLIN | select.POLLOUT)
        while server.flush():
            ready = both.poll(max(0.0, until - monotonic()) * 1000)
            if not ready:
                raise psycopg.OperationalError("the server did not take the rows in time")
            if ready[0][1] & select.POLLIN:
                server.consume_input()


_FORMATS: Final = {size: [pq.Format.BINARY] * (size * len(_COLUMNS)) for size in range(1, MOST_ROWS + 1)}


def _found(result: pq.abc.PGresult, row: int) -> Found:
    get = result.get_value
    key, digest = get(row, 3), get(row, 4)
    return (
        int(get(row, 0) or 0),
        (get(row, 1) or b"").decode(),
        int(get(row, 2) or 0),
        None if key is None else key.decode(),
        None if digest is None else bytes.fromhex(digest[2:].decode()),
        get(row, 5) == b"t",
    )


def _prepare(size: int, tail: str) -> str:
    count = len(_COLUMNS)
    rows = ", ".join("(" + ", ".join(f"${row * count + column + 1}" for column in range(count)) + ")" for row in range(size))
    types = ", ".join([_TYPES] * size)
    return f"PREPARE leadhub_insert_{size} ({types}) AS INSERT INTO inbound_event ({', '.join(_COLUMNS)}) VALUES {rows} {tail}"


def _text(text: str) -> bytes:
    if "\x00" not in text:
        try:
            return text.encode()
        except UnicodeEncodeError:
            pass
    return safe_text(text).encode()


def _json(value: Any) -> bytes:
    try:
        dumped = orjson.dumps(value)
        if b"\\u0000" not in dumped:
            return dumped
    except TypeError:
        pass
    return safe_json(value).encode()
