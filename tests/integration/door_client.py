"""A door of a test's own and a client that calls it as a WSGI server would."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine

from connectors.kit import Connector, registry
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from crm_core.parsed import Ignored
from ingest.journal.accept import GroupAcceptor
from ingest.sources.directory import SourceDirectory
from ingest.sources.sources import NewSource, add_source
from webhooks.entrance.entrance import Entrance

App = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class Heard:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        import orjson

        return orjson.loads(self.body)


@dataclass
class Door:
    config: HubConfig
    engine: Engine
    entrance: Entrance
    acceptor: GroupAcceptor
    woken: list[str] = field(default_factory=list)

    def add(self, connector: str = "generic_form", settings: Mapping[str, Any] | None = None, **more: Any) -> NewSource:
        with self.engine.begin() as connection:
            return add_source(connection, HUB, self.config, connector, "A source", settings or {}, **more)

    def post(self, source: NewSource, body: bytes = b"name=Anna", **more: Any) -> Heard:
        return call(self.entrance, "POST", f"/in/{source.token}{more.pop('rest', '')}", body, **more)

    def rows(self) -> list[dict[str, Any]]:
        with psycopg.connect(self.config.database_url, row_factory=dict_row) as connection:
            return connection.execute("SELECT * FROM inbound_event ORDER BY id").fetchall()


@contextmanager
def open_door(config: HubConfig, **changes: Any) -> Iterator[Door]:
    """An entrance on the configured database, with nobody in front of it."""
    config = replace(config, **changes)
    engine = make_engine(config.database_url, "worker")
    woken: list[str] = []
    acceptor = GroupAcceptor(config, woken.append)
    directory = SourceDirectory(config)
    try:
        yield Door(config, engine, Entrance(config, directory, acceptor), acceptor, woken)
    finally:
        acceptor.close()
        directory.close()
        engine.dispose()


def call(
    app: App,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    query: str = "",
    remote: str = "192.0.2.7",
    length: str | None = None,
) -> Heard:
    """One request. `length` overrides Content-Length; "" leaves it out, as a chunked request does."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": remote,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
    }
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    started: list[tuple[str, list[tuple[str, str]]]] = []
    chunks = app(environ, lambda status, found, exc_info=None: started.append((status, found)))
    [(status, found)] = started
    return Heard(int(status[:3]), {name.lower(): value for name, value in found}, b"".join(chunks))


def stand_in(monkeypatch: Any, **functions: Any) -> None:
    """Registers a connector named "probe" for this test."""
    probe = Connector(
        name="probe",
        channel="call",
        title="Probe",
        parse=lambda request, config: [Ignored("probe")],
        **functions,
    )
    real = registry.get
    monkeypatch.setattr(registry, "get", lambda name: probe if name == "probe" else real(name))
