"""What guards the accounting waits for no foreign server, with one worker process, whatever hangs."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest
from desk import Desk
from graph import TOKEN, Graph, graph
from outbound_servers import peer
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.sources.sources import add_source
from workers.background import BackgroundLanes
from workers.celery_app import FETCH, QUEUES, make_app
from workers.wake import send_wakeup

_WORKER = """
import json, sys
from pathlib import Path
from crm_core.base.config import HubConfig
from ingest.fetch import backfill, fetch
from workers.run import run_worker

fetch.FETCH_SECONDS = backfill.QUESTION_SECONDS = 60.0  # a server that hangs holds us as long as the test wants
told = json.loads(sys.argv[1])
run_worker(HubConfig(**{**told, "home": Path(told["home"]), "outbound_allow": tuple(told["outbound_allow"])}))
"""


def until(holds: Callable[[], object]) -> None:
    """Waits for something that must come; how long it takes is no matter of this test."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


@contextmanager
def worker(config: HubConfig) -> Iterator[None]:
    told = json.dumps({**asdict(config), "home": str(config.home)})
    process = subprocess.Popen([sys.executable, "-c", _WORKER, told], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def announce(desk: Desk, source_id: int, secret: str, lead_id: str) -> str:
    body = json.dumps(
        {"object": "page", "entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": lead_id}}]}]}
    ).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return desk.post(source_id, "form", body, {"x-hub-signature-256": f"sha256={signature}"})


def meta(desk: Desk, engine: Engine, api: Graph) -> int:
    settings = {"app_secret": "s", "page_token": TOKEN, "forms": ["12312312312"], "api_url": api.url}
    with engine.begin() as connection:
        return add_source(connection, HUB, desk.config, "meta", "Facebook", settings).id


def test_sweeps_and_forms_go_on_when_everything_that_is_fetched_hangs(engine: Engine, config: HubConfig) -> None:
    config = replace(config, outbound_allow=("127.0.0.1",), workers=1, lease_seconds=300.0)
    desk = Desk(config, engine)
    hanging = threading.Event()
    with graph() as api, peer(lambda *_: hanging.wait(40) and None) as files, worker(config):
        api.hang = hanging
        api.add("1")
        source_id = meta(desk, engine, api)
        app = make_app(config)
        try:
            announced = announce(desk, source_id, "s", "1")
            send_wakeup(app, "form")
            form = desk.form(name="Boris", email="boris@example.org", file=f"{files.url}/plan.pdf")
            until(lambda: desk.event(form)["outcome"])
            app.send_task("files", queue=QUEUES[FETCH])
            app.send_task("backfill", queue=QUEUES[FETCH])
            until(lambda: len(api.asked) == 2 and files.asked)  # the lead, the list, and the file
            later = desk.form(name="Vera", email="vera@example.org")
            desk.rows("DELETE FROM heartbeat RETURNING role")
            app.send_task("watch", queue=QUEUES["maintenance"])
            app.send_task("canary", args=["maintenance", time.time()], queue=QUEUES["maintenance"])
            app.send_task("sweep", queue=QUEUES["maintenance"])  # it finds the form, of which nobody told
            until(lambda: desk.event(later)["outcome"])
            roles = {row["role"] for row in desk.rows("SELECT role FROM heartbeat")}
            assert roles >= {"sweep", "canary", "worker"}
            assert desk.event(announced)["state"] == "working", "it was still being waited for"
        finally:
            hanging.set()
        until(lambda: desk.event(announced)["outcome"] == "ignored")
        app.send_task("sweep", queue=QUEUES["maintenance"])
        until(lambda: desk.one("SELECT count(*) FROM lead") == 3)
    desk.close()


def test_lead_is_fetched_when_the_hint_for_it_was_lost(engine: Engine, config: HubConfig) -> None:
    config = replace(config, outbound_allow=("127.0.0.1",), workers=1)
    desk = Desk(config, engine)
    with graph() as api:
        api.add("1")
        source_id = meta(desk, engine, api)
        announced = announce(desk, source_id, "s", "1")
        desk.drain("form")  # nobody is told
        assert desk.event(announced)["error"]["code"] == "to_be_fetched"
        with worker(config):
            app = make_app(config)
            app.send_task("sweep", queue=QUEUES["maintenance"])
            until(lambda: desk.event(announced)["outcome"] == "ignored")
            app.send_task("canary", args=[QUEUES[FETCH], time.time()], queue=QUEUES[FETCH])
            until(lambda: desk.rows("SELECT 1 AS x FROM heartbeat WHERE role = 'canary' AND instance = 'fetch'"))
    desk.close()


def test_job_is_done_once_more_when_it_is_wanted_twice_meanwhile() -> None:
    lanes, began, go = BackgroundLanes(), threading.Event(), threading.Event()
    done: list[str] = []

    def slow() -> None:
        began.set()
        go.wait(20)
        done.append("slow")

    def other() -> None:
        done.append("other")

    lanes.do("a", "slow", slow)
    assert began.wait(20)
    for _ in range(3):
        lanes.do("a", "slow", other)
    there = threading.Event()
    lanes.do("b", "another lane", there.set)
    assert there.wait(20), "one lane does not wait for another"
    assert done == []
    go.set()
    until(lambda: len(done) == 2)
    lanes.do("a", "last", lambda: done.append("last"))
    until(lambda: len(done) == 3)
    assert done == ["slow", "other", "last"]


def test_lane_goes_on_when_a_job_has_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    lanes, done, said = BackgroundLanes(), threading.Event(), "anna@example.org"

    def broken() -> None:
        raise LookupError(said)  # the line itself is shown, what it holds is not

    lanes.do("a", "broken", broken)
    lanes.do("a", "good", done.set)
    assert done.wait(20)
    lanes.end(5)
    assert "lane_failed" in caplog.text
    assert "anna@" not in caplog.text
    began = threading.Event()
    lanes.do("a", "too late", began.set)
    assert not began.wait(0.05)
