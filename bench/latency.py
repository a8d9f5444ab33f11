"""From the start of a POST until its lead can be read, at a steady rate that does not wait for answers (open loop)."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg

from bench.load import body, percentile
from bench.stage import Hub, Stage, wait_until
from bench.table import Line, limit

_SENDERS = 16
_POLL_SECONDS = 0.002
_SETTLE_SECONDS = 2.0


def measure(stage: Stage, rate: int, seconds: float) -> list[Line]:
    hub = stage.hub("bench_latency")
    with hub.role("web"), hub.role("worker"), hub.role("beat"):
        with psycopg.connect(hub.config.database_url, autocommit=True) as connection:
            wait_until(lambda: connection.execute("SELECT 1 FROM heartbeat WHERE role = 'sweep'").fetchone() is not None)
        _visible(hub, rate, _SETTLE_SECONDS, first=1_000_000)
        found = _visible(hub, rate, seconds, first=0)
    stage.drop("bench_latency")
    what = f"received → lead visible, {rate} posts/s"
    return [
        limit(f"{what}, p50", 1e3 * percentile(found, 0.5), 40, "ms", 1),
        limit(f"{what}, p99", 1e3 * percentile(found, 0.99), 400, "ms", 1),
    ]


def _visible(hub: Hub, rate: int, seconds: float, first: int) -> list[float]:
    """Seconds from the moment at which each post was due until its lead was seen."""
    pending: dict[str, float] = {}
    found: list[float] = []
    sent_all = threading.Event()
    local = threading.local()
    path = urlsplit(hub.form.url).path

    def send(number: int, due: float) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", hub.config.port, timeout=10)
        local.connection.request("POST", path, body(first + number), {"Content-Type": "application/json"})
        answer = json.loads(local.connection.getresponse().read())
        pending[answer["event"]] = due

    def watch() -> None:
        with psycopg.connect(hub.config.database_url, autocommit=True) as connection:
            while pending or not sent_all.is_set():
                rows = connection.execute(
                    "SELECT e.uid FROM inbound_event e JOIN lead l ON l.id = e.lead_id WHERE e.uid = ANY(%s)",
                    (list(pending),), prepare=True,
                ).fetchall()  # fmt: skip
                now = time.perf_counter()
                found.extend(now - pending.pop(uid) for (uid,) in rows)
                time.sleep(_POLL_SECONDS)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(_SENDERS) as senders:
            begin = time.perf_counter() + 0.1
            sent = []
            for number in range(int(rate * seconds)):
                due = begin + number / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                sent.append(senders.submit(send, number, due))
            for each in sent:
                each.result()
    finally:
        sent_all.set()
        watcher.join()
    return found
