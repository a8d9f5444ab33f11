"""Sources by token, kept in the process: the door asks it on every request and almost never asks the database.

While the database is away it goes on with what it knows, so that a known token is told to come back (503) and is never
taken for an unknown one (404), which some providers answer by switching the address off.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from queue import SimpleQueue
from time import monotonic
from typing import Any

import psycopg
from psycopg.rows import dict_row

from crm_core.base.config import HubConfig
from crm_core.base.errors import HubError, Transient
from ingest.journal.bounded_connection import BoundedConnection, connect_bounded
from ingest.sources.settings import LoadedSource, loaded, marked_fields
from ingest.sources.sources import digest_of

_FRESH_SECONDS = 5.0  # a rotated token or a changed setting is known everywhere after this
_STALE_SECONDS = 10.0  # up to here an old answer is used while a new one is fetched; beyond, it is waited for
_WAIT_SECONDS = 0.4  # how long a request waits for a newer answer before it makes do with the old one
_FIRST_WAIT_SECONDS = 2.0  # and how long for the first one, which it cannot do without
_RETRY_SECONDS = 1.0  # after a failure nobody waits again before this
_MOST_UNKNOWN = 10_000  # remembered misses, so that a scan of random tokens costs memory once and queries never

_QUERY = """
SELECT t.digest, t.state AS address_state, t.is_alias, s.id, s.name, s.connector, s.channel, s.config, s.state, s.line, s.pool_id,
       s.allowed_hosts
FROM source_token t JOIN source s ON s.id = t.source_id WHERE t.digest = ANY(%b)
"""


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """What a token leads to."""

    source_id: int
    channel: str
    unclaimed: bool  # the token was rotated or disabled
    is_alias: bool  # it is the id of another service, which stands in a public page
    allowed_hosts: tuple[str, ...]
    secret_headers: frozenset[str]  # lower case; the source's settings say that their values are keys
    source: LoadedSource | None  # None: its connector or its secrets cannot be loaded; what arrives is kept all the same


@dataclass(slots=True)
class _Entry:
    address: SourceAddress | None  # None: nobody has this token
    at: float
    asked: bool = False  # a new answer is already on its way


#: A scan of random tokens pushes the known ones out, and costs a hash each again.
_digest_of = lru_cache(maxsize=1024)(digest_of)


class SourceDirectory:
    """One a process. Its thread starts at the first question and ends with the process."""

    def __init__(self, config: HubConfig) -> None:
        self._config = config
        self._entries: dict[bytes, _Entry] = {}
        self._questions: SimpleQueue[tuple[bytes, threading.Event | None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._failed_at = float("-inf")

    def find(self, token: str) -> SourceAddress | None:
        """What the token leads to, None if nobody has it. Transient if it is not known here and cannot be asked now."""
        digest = _digest_of(token)
        entry = self._entries.get(digest)
        now = monotonic()
        if entry is not None:
            age = now - entry.at
            if age < _FRESH_SECONDS:
                return entry.address
            if age < _STALE_SECONDS and entry.address is not None:
                if not entry.asked:
                    entry.asked = True
                    self._ask(digest, None)
                return entry.address
        if now - self._failed_at > _RETRY_SECONDS:
            answered = threading.Event()
            self._ask(digest, answered)
            answered.wait(_FIRST_WAIT_SECONDS if entry is None else _WAIT_SECONDS)
            entry = self._entries.get(digest)
        elif entry is not None and not entry.asked:
            entry.asked = True
            self._ask(digest, None)
        if entry is None or (entry.address is None and monotonic() - entry.at > _STALE_SECONDS):
            raise Transient("database_away", "The hub cannot look this address up at the moment.")
        return entry.address

    def close(self) -> None:
        """Ends the thread and its connection. For tests and orderly ends."""
        thread = self._thread
        if thread is not None:
            self._questions.put(None)
            thread.join(timeout=_FIRST_WAIT_SECONDS)

    def _ask(self, digest: bytes, answered: threading.Event | None) -> None:
        self._questions.put((digest, answered))
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="source-directory", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        connection: BoundedConnection | None = None
        while True:
            questions = []
            question = self._questions.get()
            while question is not None:
                questions.append(question)
                if self._questions.empty():
                    break
                question = self._questions.get()
            if question is None:
                if connection is not None:
                    connection.close()
                return
            digests = {digest for digest, _ in questions}
            try:
                if connection is None or connection.closed:
                    connection = connect_bounded(self._config.database_url, "web", limit_seconds=2.0)
                    connection.prepare_threshold = None
                self._learn(digests, connection)
                self._failed_at = float("-inf")
            except psycopg.Error:
                # Asked again with a new connection at the next question; what is known stays in use meanwhile.
                self._failed_at = monotonic()
                if connection is not None:
                    connection.close()
                for digest in digests & self._entries.keys():
                    self._entries[digest].asked = False
            for _, answered in questions:
                if answered is not None:
                    answered.set()

    def _learn(self, digests: Iterable[bytes], connection: BoundedConnection) -> None:
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = {bytes(row["digest"]): row for row in cursor.execute(_QUERY, (list(digests),), binary=True)}
        now = monotonic()
        if len(self._entries) > _MOST_UNKNOWN:
            self._entries = {digest: entry for digest, entry in self._entries.items() if entry.address is not None}
        for digest in digests:
            row = rows.get(digest)
            self._entries[digest] = _Entry(None if row is None else self._address(row), now)

    def _address(self, row: dict[str, Any]) -> SourceAddress:
        source: LoadedSource | None
        try:
            source = loaded(self._config, row)
        except (HubError, ValueError):
            # A connector that was uninstalled, or a key that was changed, is the operator's to mend; the mail must
            # still be let in. The worker names the reason on each event.
            source = None
        return SourceAddress(
            source_id=row["id"],
            channel=row["channel"],
            unclaimed=row["address_state"] != "active",
            is_alias=row["is_alias"],
            allowed_hosts=tuple(row["allowed_hosts"]),
            secret_headers=_secret_headers(source),
            source=source,
        )


def _secret_headers(source: LoadedSource | None) -> frozenset[str]:
    """Values of the settings that are marked {"secret_header": True}: each names a header that carries a key."""
    if source is None:
        return frozenset()
    names = marked_fields(type(source.settings), "secret_header")
    return frozenset(str(getattr(source.settings, name)).lower() for name in names) - {""}
