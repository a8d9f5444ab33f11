"""W0: the least that can be done. A bare WSGI callable, rows gathered by one writer thread, one commit for a group."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any

import psycopg

TABLE = "CREATE TABLE w0 (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text UNIQUE, body bytea,"
TABLE += " at timestamptz DEFAULT now())"

_INSERT = "INSERT INTO w0 (key, body) SELECT * FROM unnest(%b::text[], %b::bytea[]) ON CONFLICT (key) DO NOTHING"
_GROUP = 256
_queue: SimpleQueue[tuple[str, bytes, threading.Lock]] = SimpleQueue()
_start = threading.Lock()
_writer: threading.Thread | None = None


def _write() -> None:
    connection = psycopg.connect(os.environ["BENCH_DATABASE_URL"], autocommit=True)
    while True:
        group = [_queue.get()]
        while not _queue.empty() and len(group) < _GROUP:
            group.append(_queue.get())
        connection.execute(_INSERT, ([row[0] for row in group], [row[1] for row in group]), prepare=True)
        for row in group:
            row[2].release()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    global _writer  # noqa: PLW0603 - one a process
    if _writer is None:
        with _start:
            if _writer is None:
                _writer = threading.Thread(target=_write, daemon=True)
                _writer.start()
    done = threading.Lock()
    done.acquire()
    content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    _queue.put((environ["HTTP_IDEMPOTENCY_KEY"], content, done))
    done.acquire()
    start_response("204 No Content", [])
    return [b""]
