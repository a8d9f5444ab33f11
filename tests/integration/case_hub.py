"""A hub for the tests of the list of cases: bytes in at the door, a worker's turn, rows out. Nothing stands in for anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from door_client import Door, Heard, call, open_door
from psycopg.rows import dict_row

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.processing.process import Processor
from ingest.sources.sources import NewSource

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
#: What a visitor's browser sends along; a script of the page asks for JSON.
SCRIPT = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept": "*/*",
    "Accept-Language": "ru", "Origin": "https://www.example.com", "Referer": "https://www.example.com/",
}  # fmt: skip
BROWSER = SCRIPT | {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Content-Type": FORM}


@dataclass
class CaseHub:
    door: Door
    config: HubConfig
    sources: list[NewSource] = field(default_factory=list)

    def add(self, connector: str = "generic_form", hosts: Sequence[str] = (), **settings: Any) -> NewSource:
        self.sources.append(self.door.add(connector, settings, allowed_hosts=list(hosts)))
        return self.sources[-1]

    def send(
        self, source: NewSource, body: bytes = b"", headers: Mapping[str, str] | None = None, *, method: str = "POST",
        rest: str = "", query: str = "", remote: str = "198.51.100.7",
    ) -> Heard:  # fmt: skip
        """One request to the source's address, as a visitor's script sends it unless `headers` say otherwise."""
        sent = SCRIPT if headers is None else headers
        return call(self.door.entrance, method, f"/in/{source.token}{rest}", body, sent, query=query, remote=remote)

    def drain(self) -> None:
        """A worker's turn."""
        processor = Processor(self.config)
        try:
            processor.drain("form", budget_seconds=120)
        finally:
            processor.close()

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.config.database_url, row_factory=dict_row, autocommit=True) as connection:
            return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    def one(self, sql: str, *parameters: Any) -> Any:
        """The only value of the only row."""
        (row,) = self.rows(sql, *parameters)
        (value,) = row.values()
        return value

    def events(self, source: NewSource) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM inbound_event WHERE source_id = %s ORDER BY id", source.id)

    def ends(self, source: NewSource) -> list[str]:
        """Outcome, or else state, of each event in its order."""
        return [event["outcome"] or event["state"] for event in self.events(source)]

    def touches(self, source: NewSource) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM touch WHERE source_id = %s ORDER BY event_id, seq", source.id)

    def leads(self, source: NewSource) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM lead WHERE source_id = %s ORDER BY id", source.id)

    def keys(self, source: NewSource, kind: str) -> list[dict[str, Any]]:
        """Identifiers of one kind of the contacts of this source's inquiries."""
        return self.rows(
            "SELECT DISTINCT i.* FROM identifier i JOIN contact_identifier c ON c.identifier_id = i.id"
            " JOIN touch t ON t.contact_id = c.contact_id WHERE t.source_id = %s AND i.kind = %s ORDER BY i.id",
            source.id, kind,
        )  # fmt: skip


@contextmanager
def open_hub(config: HubConfig, **changes: Any) -> Iterator[CaseHub]:
    with open_door(config, **changes) as door:
        with door.engine.begin() as connection:
            add_owner(connection, HUB, "Anna", extension="101")
        yield CaseHub(door, door.config)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """The results of `work(0..count-1)`, all begun at the same moment."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> Any:
        barrier.wait(60)
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))
