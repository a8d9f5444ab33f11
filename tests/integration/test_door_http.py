"""The whole web process on a real server: what a WSGI call in memory cannot show, above all chunks and half bodies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from ingest.sources.sources import NewSource, add_source

_MODULE = """
from pathlib import Path
from crm_core.base.config import HubConfig
from webhooks.wsgi import create_application
application = create_application(HubConfig(home=Path({home!r}), database_url={database_url!r}, broker_url={broker_url!r},
    secret_key={secret_key!r}, port={port}, max_body_bytes=200_000))
"""


def _source(config: HubConfig, connector: str) -> NewSource:
    engine = make_engine(config.database_url, "worker")
    with engine.begin() as connection:
        made = add_source(connection, HUB, config, connector, "Website", {})
    engine.dispose()
    return made


@pytest.fixture
def source(config: HubConfig) -> NewSource:
    return _source(config, "generic_form")


@pytest.fixture
def web(config: HubConfig, tmp_path: Path) -> Iterator[httpx.Client]:
    values = {"home": str(config.home), "database_url": config.database_url, "broker_url": config.broker_url}
    module = _MODULE.format(**values, secret_key=config.secret_key, port=config.port)
    (tmp_path / "door_under_test.py").write_text(module)
    root = Path(__file__).parents[2]
    server = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1", "--port", str(config.port),
         "--workers", "1", "--blocking-threads", "8", "--backlog", "128", "door_under_test:application"],
        env={**os.environ, "PYTHONPATH": f"{root}:{tmp_path}"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with httpx.Client(base_url=f"http://127.0.0.1:{config.port}", timeout=30) as client:
        deadline = time.monotonic() + 60
        while True:
            try:
                client.get("/livez")
                break
            except httpx.TransportError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield client
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _bodies(config: HubConfig) -> list[bytes]:
    with psycopg.connect(config.database_url) as connection:
        return [bytes(body) for (body,) in connection.execute("SELECT body FROM inbound_event ORDER BY id")]


def test_web_process_takes_in_what_http_brings(web: httpx.Client, source: NewSource, config: HubConfig) -> None:
    path = f"/in/{source.token}"

    assert web.post(path, content=b"plain").json()["accepted"] is True
    assert web.post(path, content=iter([b"chu", b"nk", b"ed"])).status_code == 200
    assert _bodies(config) == [b"plain", b"chunked"]

    # Too large, declared or in chunks: the sender still hears the answer, with CORS.
    for content in (b"x" * 200_001, iter([b"x" * 50_000] * 5)):
        heard = web.post(path, content=content, headers={"Origin": "https://example.com"})
        assert heard.status_code == 413
        assert heard.headers["access-control-allow-origin"] == "https://example.com"

    # A sender that hangs up in the middle gets nothing stored: he was promised nothing.
    with socket.create_connection(("127.0.0.1", config.port)) as line:
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf".encode())
    assert web.head(path).status_code == 200
    assert web.get(path).status_code == 200
    assert web.options(path).status_code == 204
    assert web.post("/in/unknown").status_code == 404
    assert web.post(path + "/%D1%81%D0%BE%D0%B1/%00?q=%FF").status_code == 200
    assert _bodies(config) == [b"plain", b"chunked", b""]

    keyed = {"Idempotency-Key": '"one"'}
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda _: httpx.post(f"{web.base_url}{path}", content=b"k", headers=keyed, timeout=60).text, range(16))
        )
    answers.append(web.post(path, content=b"k", headers=keyed).text)
    assert len(set(answers)) == 1
    assert _bodies(config)[3:] == [b"k"]

    # Behind the entrances stands Flask, with the health checks of the same process.
    assert web.get("/livez").text == "ok\n"
    ready = web.get("/readyz")
    assert (ready.status_code, ready.json()["ready"], ready.json()["degraded"]) == (200, True, False)
    metrics = web.get("/metrics").text
    assert 'leadhub_events_received_total{channel="form"} 4.0' in metrics
    assert 'leadhub_events_waiting{channel="form"} 4.0' in metrics
    assert "sha" not in metrics
    assert web.get(f"/route/{source.token}").status_code == 404  # a form's address stands in public pages
    asked = web.get(f"/route/{_source(config, 'generic_call').token}", params={"caller": "+7 912 345-67-89"})
    assert asked.status_code == 200
    assert set(asked.json()) == {"contact", "owner", "targets", "reason"}
    assert web.get("/route/unknown").status_code == 404
