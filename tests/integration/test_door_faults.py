"""The door while PostgreSQL or the broker is away, hung or back: 503 in time, nothing promised that is not kept."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import servers
from door_client import Door, Heard, open_door

from crm_core.base.config import HubConfig
from crm_core.base.database import migrate
from ingest.sources.sources import NewSource
from leadhub.embedded import postgres
from webhooks.entrance.entrance import Entrance
from workers.wake import Waker

# Alone on the machine: what is asserted here is a promise in seconds.
pytestmark = pytest.mark.serial

#: The promise to whoever posts; the door aims at three, a provider gives up after five.
LIMIT_SECONDS = 4.0


class OwnServer:
    """A PostgreSQL of this test, that may be stopped and continued."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # Durable as in life: what a commit promised must survive the kill.
        self.context = servers.private_postgres(directory, fsync="on", synchronous_commit="on", full_page_writes="on")
        self.cluster, self.server = self.context.__enter__()
        self.url = f"postgresql://{postgres.ADMIN}@127.0.0.1:{self.cluster.port}/postgres"
        migrate(self.url)

    def signal_all(self, how: signal.Signals) -> None:
        """The postmaster and every process of its own."""
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.server.pid)], capture_output=True, text=True, check=True)
        for pid in [self.server.pid, *map(int, listed.stdout.split())]:
            os.kill(pid, how)

    def stop(self) -> None:
        servers.end(self.server, signal.SIGQUIT)

    def start_again(self) -> None:
        (self.cluster.data / "postmaster.pid").unlink(missing_ok=True)
        with (self.directory / "server.log").open("ab") as output:
            self.server = subprocess.Popen(postgres.command(self.cluster), stdout=output, stderr=output)
        servers.wait_until(lambda: postgres.is_ready(self.cluster), self.server, self.directory / "server.log")

    def close(self) -> None:
        servers.end(self.server, signal.SIGQUIT)
        self.context.__exit__(None, None, None)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnServer]:
    own = OwnServer(tmp_path / "own-postgres")
    yield own
    own.close()


@pytest.fixture
def own_config(tmp_path: Path, server: OwnServer) -> HubConfig:
    return HubConfig(
        home=tmp_path,
        database_url=server.url,
        broker_url="redis://127.0.0.1:1/0",
        secret_key="only-for-tests-" + "0" * 32,
    )


def _timed(post: object, *arguments: object) -> tuple[Heard, float]:
    began = time.monotonic()
    heard = post(*arguments)  # type: ignore[operator]
    return heard, time.monotonic() - began


def _is_come_back(heard: Heard) -> None:
    assert heard.status == 503
    assert 1 <= int(heard.headers["retry-after"]) <= 10
    assert heard.headers["access-control-allow-origin"] == "*"
    assert heard.json()["error"]["code"] == "database_away"


def _eventually_accepts(door: Door, post: object) -> None:
    deadline = time.monotonic() + 30
    while door.post(post, b"after").status != 200:  # type: ignore[arg-type]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_known_address_is_told_to_come_back_when_the_database_is_stopped(server: OwnServer, own_config: HubConfig) -> None:
    with open_door(own_config) as door:
        source = door.add()
        assert door.post(source, b"before").status == 200
        server.stop()
        for _ in range(3):
            heard, seconds = _timed(door.post, source, b"during")
            _is_come_back(heard)
            assert seconds < LIMIT_SECONDS
        server.start_again()
        _eventually_accepts(door, source)
        assert [row["body"] for row in door.rows()] == [b"before", b"after"]


def test_nobody_is_refused_when_the_database_was_restarted_between_two_posts(server: OwnServer, own_config: HubConfig) -> None:
    with open_door(own_config) as door:
        source = door.add()
        assert door.post(source, b"before").status == 200
        server.stop()
        server.start_again()
        assert door.post(source, b"after").status == 200
        assert len(door.rows()) == 2


def test_everybody_is_told_in_time_when_the_database_hangs(server: OwnServer, own_config: HubConfig) -> None:
    with open_door(own_config) as door:
        source = door.add()
        assert door.post(source, b"before").status == 200
        server.signal_all(signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(16) as threads:
                told = list(threads.map(lambda n: _timed(door.post, source, b"during %d" % n), range(64)))
        finally:
            server.signal_all(signal.SIGCONT)
        for heard, seconds in told:
            _is_come_back(heard)
            assert seconds < LIMIT_SECONDS
        _eventually_accepts(door, source)
        bodies = [row["body"] for row in door.rows()]
        assert bodies[0] == b"before"
        assert bodies[-1] == b"after"


def test_unknown_address_is_told_to_come_back_when_nobody_can_be_asked(server: OwnServer, own_config: HubConfig) -> None:
    with open_door(own_config) as door:
        door.add()
        server.stop()
        heard, seconds = _timed(door.post, NewSource(0, "", "generic_form", "form", "", "0" * 32, ""))
        _is_come_back(heard)
        assert seconds < LIMIT_SECONDS


def test_promised_events_are_there_when_the_database_is_killed_under_load(server: OwnServer, own_config: HubConfig) -> None:
    with open_door(own_config) as door:
        source = door.add()
        assert door.post(source, b"first").status == 200
        promised: list[str] = []

        def post(number: int) -> int:
            heard = door.post(source, b"%d" % number)
            if heard.status == 200:
                promised.append(heard.json()["event"])
            return heard.status

        with ThreadPoolExecutor(16) as threads:
            posts = [threads.submit(post, number) for number in range(1500)]
            while len(promised) < 300:
                time.sleep(0.005)
            server.stop()
            statuses = {one.result(60) for one in posts}
        assert statuses <= {200, 503}
        server.start_again()
        _eventually_accepts(door, source)
        stored = {row["uid"] for row in door.rows()}
        assert set(promised) <= stored


@pytest.mark.parametrize("how", ["hung", "away"])
def test_posts_are_accepted_when_the_broker_does_not_answer(config: HubConfig, tmp_path: Path, how: str) -> None:
    directory = tmp_path / "broker"
    directory.mkdir()
    with (
        servers.private_broker(directory) as (url, process),
        open_door(replace(config, broker_url=url)) as door,
    ):
        source = door.add()
        door.acceptor._on_accepted = Waker(door.config).wake
        entrance = Entrance(door.config, door.entrance._directory, door.acceptor)
        door.entrance = entrance
        assert door.post(source, b"before").status == 200
        process.send_signal(signal.SIGSTOP if how == "hung" else signal.SIGKILL)
        with ThreadPoolExecutor(8) as threads:
            told = list(threads.map(lambda n: _timed(door.post, source, b"%d" % n), range(200)))
        assert {heard.status for heard, _ in told} == {200}
        assert max(seconds for _, seconds in told) < LIMIT_SECONDS
        assert len(door.rows()) == 201
