"""How fast waiting events become leads, against bare Celery doing nothing, with as many worker processes, and against P20.

Every event is a form with a phone, an address and a name; one in ten comes from somebody who is known by then.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import redis

from bench.baselines import noop, p20
from bench.load import body
from bench.stage import ROOT, Hub, Stage, running, wait_until
from bench.table import Line, at_least
from ingest.journal.accept import RawEvent, insert_events
from workers.celery_app import make_app
from workers.wake import send_wakeup

_CHUNK = 500
_KNOWN_EVERY = 10
_PATIENCE_SECONDS = 180.0


def measure(stage: Stage, rounds: int, events: int, tasks: int) -> list[Line]:
    ours, theirs, least = [], [], []
    for _ in range(rounds):
        theirs.append(_noop_rate(stage, tasks))
        ours.append(_lead_rate(stage, events))
        least.append(_p20_rate(stage, events))
    return [
        at_least(f"events to leads, {events:,} waiting forms, 2 workers", ours, theirs, 3.0, "/s", "Celery no-op"),
        at_least("the same", ours, least, 0.25, "/s", "P20"),
    ]


def _lead_rate(stage: Stage, events: int) -> float:
    hub = stage.hub("bench_engine")
    with (
        hub.role("worker"),
        hub.role("beat"),
        psycopg.connect(hub.config.database_url, autocommit=True) as connection,
    ):
        wait_until(lambda: _alive(connection))
        with connection.transaction():
            _insert(connection, hub, events)
        began = time.monotonic()
        app = make_app(hub.config)
        for _ in range(hub.config.workers):  # the entrance would have sent them meanwhile
            send_wakeup(app, "form")
        wait_until(lambda: not _waiting(connection), seconds=_PATIENCE_SECONDS)
        seconds = time.monotonic() - began
        _require_leads(connection, events)
    stage.drop("bench_engine")
    return events / seconds


def _insert(connection: psycopg.Connection[tuple[object, ...]], hub: Hub, events: int) -> None:
    numbers = _numbers(events)
    for at in range(0, events, _CHUNK):
        parsed_items = [
            RawEvent(
                hub.form.id,
                "form",
                body(n),
                headers={"content-type": "application/json"},
                provider_key=f"e{at + i}",
            )
            for i, n in enumerate(numbers[at : at + _CHUNK])
        ]
        insert_events(connection, parsed_items)


def _numbers(events: int) -> list[int]:
    """Whose form each event is."""
    return [n - _KNOWN_EVERY + 1 if n % _KNOWN_EVERY == _KNOWN_EVERY - 1 else n for n in range(events)]


def _alive(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    """A sweep has been through: broker, beat and worker have found each other."""
    return connection.execute("SELECT 1 FROM heartbeat WHERE role = 'sweep'").fetchone() is not None


def _waiting(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    return connection.execute("SELECT 1 FROM inbound_event WHERE state IN ('waiting', 'working') LIMIT 1").fetchone() is not None


def _require_leads(connection: psycopg.Connection[tuple[object, ...]], events: int) -> None:
    found = connection.execute(
        "SELECT (SELECT count(*) FROM lead), (SELECT count(*) FROM touch WHERE event_id IS NOT NULL)"
    ).fetchone()
    expected = (events - events // _KNOWN_EVERY, events)
    if found != expected:
        raise RuntimeError(f"{events} events made {found} leads and touches, expected {expected}")


def _p20_rate(stage: Stage, events: int) -> float:
    """The same bodies through P20, in a process of its own."""
    url = stage.database("bench_p20")
    with psycopg.connect(url, autocommit=True) as connection:
        p20.fill(connection, (body(n) for n in _numbers(events)))
        said = subprocess.run(
            [sys.executable, "-m", "bench.baselines.p20", url],
            cwd=ROOT, capture_output=True, check=True, timeout=_PATIENCE_SECONDS,
        )  # fmt: skip
        leads = events - events // _KNOWN_EVERY
        found = connection.execute("SELECT (SELECT count(*) FROM lead), (SELECT count(*) FROM outbox)").fetchone()
        if found != (leads, leads):
            raise RuntimeError(f"{events} events made {found} leads and outbox rows, expected {leads} of each")
    stage.drop("bench_p20")
    told = json.loads(said.stdout)
    return float(told["events"] / told["seconds"])


def _noop_rate(stage: Stage, tasks: int) -> float:
    """Tasks a second from the first `delay()` to the last one acknowledged; the producer uses the same cores."""
    with redis.Redis.from_url(stage.broker.url) as client:
        client.flushall()
        argv = [
            str(Path(sys.executable).with_name("celery")), "-A", "bench.baselines.noop", "worker", "--pool=prefork",
            "--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING",
        ]  # fmt: skip
        log = stage.directory / "noop.log"
        noop.app.conf.broker_url = stage.broker.url
        with running(argv, log, {"BENCH_BROKER_URL": stage.broker.url}) as process:
            for _ in range(4):
                noop.noop.delay()
            wait_until(lambda: _idle(client), process, log)
            began = time.monotonic()
            for _ in range(tasks):
                noop.noop.delay()
            wait_until(lambda: _idle(client), process, log, _PATIENCE_SECONDS)
            return tasks / (time.monotonic() - began)


def _idle(client: redis.Redis) -> bool:
    return client.llen(noop.QUEUE) == 0 and client.hlen("unacked") == 0
