"""A hub without HTTP for tests: post an event through the one door, drain, look at the rows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import orjson
import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.people.commands import add_owner
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import Drained, Processor
from ingest.sources.sources import add_source


class Desk:
    """One database, three sources, as many owners as wanted."""

    def __init__(self, config: HubConfig, engine: Engine, owners: tuple[str, ...] = ("Anna", "Boris", "Vera")) -> None:
        self.config, self.engine = config, engine
        with engine.begin() as connection:
            self.owners = {name: add_owner(connection, HUB, name, extension=str(101 + n)) for n, name in enumerate(owners)}
            self.form_source = add_source(connection, HUB, config, "generic_form", "Site", {}).id
            self.call_source = add_source(connection, HUB, config, "generic_call", "Exchange", {}).id
        self.connection = psycopg.connect(config.database_url, autocommit=True, row_factory=dict_row)
        self.door = connect(config.database_url, "worker")

    def close(self) -> None:
        self.connection.close()
        self.door.close()

    def post(
        self, source_id: int, channel: str, body: bytes, headers: Mapping[str, str] | None = None, key: str | None = None
    ) -> str:
        """The event's uid."""
        raw_event = RawEvent(source_id, channel, body, headers=dict(headers or {}), provider_key=key)
        return insert_events(self.door, [raw_event])[0].uid

    def form(self, key: str | None = None, **fields: str) -> str:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.post(self.form_source, "form", urlencode(fields).encode(), headers, key)

    def call(self, event: str, call_id: str, caller: str = "", to: str = "74951112233", **more: str) -> str:
        body = {"event": event, "callId": call_id, "from": caller, "to": to, "direction": "in", **more}
        return self.post(self.call_source, "call", orjson.dumps(body), {"content-type": "application/json"})

    def drain(self, *channels: str) -> Drained:
        processor = Processor(self.config)
        total = Drained()
        try:
            for channel in channels or ("form", "call", "mail"):
                one = processor.drain(channel, budget_seconds=60)
                total.finished += one.finished
                total.failed += one.failed
        finally:
            processor.close()
        return total

    def drain_at_once(self, channel: str, workers: int) -> None:
        """So many workers with a connection each begin in the same moment; what one of them raises is raised here."""
        gate = Barrier(workers)

        def work() -> None:
            gate.wait(30)
            for _ in range(3):
                self.drain(channel)

        with ThreadPoolExecutor(workers) as pool:
            for one in [pool.submit(work) for _ in range(workers)]:
                one.result(120)
        self.drain(channel)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return self.connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    def one(self, sql: str, *parameters: Any) -> Any:
        """The only value of the only row."""
        (row,) = self.rows(sql, *parameters)
        (value,) = row.values()
        return value

    def event(self, uid: str) -> dict[str, Any]:
        return self.rows("SELECT * FROM inbound_event WHERE uid = %s", uid)[0]
