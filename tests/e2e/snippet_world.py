"""A website on one port and a hub on another: what the tests of the page snippet play in. Both speak to 127.0.0.1 only."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine
from werkzeug.serving import BaseWSGIServer, make_server

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.process import drain
from ingest.sources.sources import NewSource, add_source
from webhooks import engines
from webhooks.entrance.snippet_file import snippet
from webhooks.wsgi import create_application

FIELDS = (
    '<label>Name <input name="name" required></label><label>Phone <input name="phone"></label>'
    '<label>Message <textarea name="message"></textarea></label>'
)


@dataclass
class Site:
    """Pages with a strict Content-Security-Policy that names the hub and nothing else."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    hub: str = ""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def form(
        self, posted_to: str, path: str = "/", *, inner: str = FIELDS, form: str = "", script: str = "", lang: str = "en",
        integrity: str = "",
    ) -> str:  # fmt: skip
        """Puts a page there that carries one form and the ready line; gives its address."""
        self.hub = posted_to.partition("/in/")[0]
        integrity = integrity or snippet().integrity
        self.pages[path] = (
            f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>Contacts</title>'
            f'<script src="{self.hub}/js/{snippet().name}" integrity="{integrity}" crossorigin defer '
            f'data-leadhub="{posted_to}" {script}></script>'
            f'<form data-leadhub {form} method="post" action="{posted_to}">{inner}<button>Send</button></form></html>'
        )
        return self.url(path)


@contextmanager
def open_site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = site.pages.get(self.path.partition("?")[0])
            body = (page or "").encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            if site.hub:
                self.send_header(
                    "Content-Security-Policy",
                    f"default-src 'none'; script-src {site.hub}; connect-src {site.hub}; form-action {site.hub}",
                )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

    with _serving(Handler) as port:
        site = Site(port)
        yield site


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Hub:
    """The real application on a real socket; it can go away and come back on the same port."""

    config: HubConfig
    engine: Engine
    source: NewSource
    server: BaseWSGIServer | None = None
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.server = make_server("127.0.0.1", self.config.port, create_application(self.config), threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        if self.server is not None and self.thread is not None:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            self.server = None

    def add(self, connector: str = "generic_form", settings: dict[str, Any] | None = None) -> NewSource:
        with self.engine.begin() as connection:
            return add_source(connection, HUB, self.config, connector, "Another form", settings or {})

    def events(self) -> list[dict[str, Any]]:
        return self._rows("SELECT * FROM inbound_event ORDER BY id")

    def leads(self) -> int:
        drain(None, self.config, "form")
        return len(self._rows("SELECT id FROM lead"))

    def _rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.config.database_url, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()


@contextmanager
def open_hub(config: HubConfig, engine: Engine) -> Iterator[Hub]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with engine.begin() as connection:
        source = add_source(connection, HUB, config, "generic_form", "Site", {})
    hub = Hub(config, engine, source)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()
        engines.close_engines()


@dataclass
class Stub:
    """A hub that answers as it is told: one status after the other, the last one for ever, each after its delay.

    Redirects lead to the same address; what a GET brings there is no answer of a hub.
    """

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    delays: list[float] = field(default_factory=list)
    pages: int = 0  # so many of the first answers are somebody's web page instead
    heard: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/in/stub"

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.heard]


@contextmanager
def open_stub() -> Iterator[Stub]:
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, snippet().body, "text/javascript; charset=utf-8")

        def do_POST(self) -> None:
            stub.heard.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            turn = len(stub.heard) - 1
            time.sleep(stub.delays[turn] if turn < len(stub.delays) else 0)
            status = stub.statuses[min(turn, len(stub.statuses) - 1)]
            if turn < stub.pages:
                self._answer(status, b"<!doctype html><title>We are back soon</title>", "text/html; charset=utf-8")
            else:
                self._answer(status, b'{"ok":true}' if status != 204 else b"", "application/json")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            try:
                self.send_response(status)
                for name, value in (
                    ("Content-Type", content_type), ("Content-Length", str(len(body))), ("Access-Control-Allow-Origin", "*"),
                ):  # fmt: skip
                    self.send_header(name, value)
                if 300 <= status < 400:
                    self.send_header("Location", stub.address)
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # the browser gave up, as it was meant to

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

    with _serving(Handler) as stub.port:
        yield stub


def until(true: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
