"""`leadhub up` as somebody meets it who just cloned the repository: ports taken, curl pasted, killed, started again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

_PATIENCE_SECONDS = 120.0
_STOP_SECONDS = 10.0  # what the front door promises
#: Who is alone in a hub, and the words in its command line.
_CHILDREN = {
    "postgres": "/bin/postgres",
    "valkey": "valkey-server",
    "web": "-m leadhub web",
    "worker": "-m leadhub worker",
    "beat": "-m leadhub beat",
    "mail": "-m leadhub mail",
}


@dataclass
class Hub:
    home: Path
    process: subprocess.Popen[str]
    output: Path

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        until(lambda: "Ready in" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process | None:
        """The process that the supervisor itself started, None while there is none."""
        for process in psutil.Process(self.process.pid).children():
            try:
                if _CHILDREN[name] in " ".join(process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None

    def stop(self) -> float:
        """Seconds until it has ended."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(_PATIENCE_SECONDS)
        return time.monotonic() - started

    def command(self, *arguments: str) -> dict[str, object]:
        result = subprocess.run(
            [sys.executable, "-m", "leadhub", *arguments, "--json"],
            env=environment(self.home), capture_output=True, text=True, check=False,
        )  # fmt: skip
        answer: dict[str, object] = json.loads(result.stdout)
        return answer

    def events(self) -> list[dict[str, object]]:
        items = self.command("events", "list")["items"]
        assert isinstance(items, list)
        return items


def environment(home: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEADHUB_")}
    return {**clean, "LEADHUB_HOME": str(home), "PYTHONUNBUFFERED": "1"}


def alive(process: psutil.Process) -> bool:
    """A zombie has ended; only whoever inherited it has not looked yet."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def until(true: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def taken_ports() -> Iterator[None]:
    """The ports that everything else on this planet uses too."""
    with ExitStack() as stack:
        for port in (5432, 6379, 8080):
            holder = stack.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                holder.bind(("127.0.0.1", port))
                holder.listen()
            except OSError:
                continue  # somebody has it already, which is as good
        yield


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    home = tmp_path / "home"
    started: list[Hub] = []

    def up(*command: str) -> Hub:
        output = tmp_path / f"up-{len(started)}.log"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, *(command or ("-m", "leadhub", "up"))],
                env=environment(home), stdout=file, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            )  # fmt: skip
        hub = Hub(home, process, output)
        started.append(hub)
        return hub

    yield up
    for hub in started:
        if hub.process.poll() is None:
            hub.process.kill()
            hub.process.wait()


def pasted_curl(said: str) -> dict[str, object]:
    """Runs the line as a shell would, asking for the program's answer instead of the page."""
    line = next(line.strip() for line in said.splitlines() if line.strip().startswith("curl "))
    result = subprocess.run(
        ["bash", "-c", f"{line} -sS --fail-with-body -H 'Accept: application/json'"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


@pytest.mark.serial  # how soon it ends is a promise in seconds
def test_everything_works_when_started_for_the_first_time_with_ports_taken(start: Callable[..., Hub], taken_ports: None) -> None:
    hub = start()
    hub.wait_until_ready()
    said = hub.said()
    assert set(re.findall(r"port (\d+) is taken", said)) == {"5432", "6379", "8080"}
    assert re.search(r"http://127\.0\.0\.1:\d+/console/sign-in/\S+", said)
    answer = pasted_curl(said)
    assert answer["accepted"] is True
    until(lambda: [event["state"] for event in hub.events()] == ["done"])
    assert hub.events()[0]["id"] == answer["event"]
    assert hub.command("ledger")["balanced"] is True

    second = start()
    second.process.wait(_PATIENCE_SECONDS)
    assert second.process.returncode == 1
    assert f"process {hub.process.pid}" in second.said()

    family = hub.family()
    assert len(family) >= len(_CHILDREN)
    assert hub.stop() <= _STOP_SECONDS
    assert hub.process.returncode == 0
    assert not [process for process in family if alive(process)]

    again = start()
    again.wait_until_ready()
    assert [event["id"] for event in again.events()] == [answer["event"]]
    assert again.stop() <= _STOP_SECONDS


def test_next_start_recovers_when_everything_was_killed(start: Callable[..., Hub]) -> None:
    hub = start()
    hub.wait_until_ready()
    accepted = [pasted_curl(hub.said())["event"] for _ in range(3)]
    for process in [psutil.Process(hub.process.pid), *hub.family()]:
        with suppress(psutil.NoSuchProcess):  # children end by themselves when the first is gone
            process.kill()
    hub.process.wait()
    again = start()
    again.wait_until_ready()
    until(lambda: [event["state"] for event in again.events()] == ["done"] * 3)
    assert {event["id"] for event in again.events()} == set(accepted)
    again.stop()


def test_children_end_and_next_start_recovers_when_only_the_supervisor_was_killed(start: Callable[..., Hub]) -> None:
    hub = start()
    hub.wait_until_ready()
    family = hub.family()
    hub.process.kill()
    hub.process.wait()
    again = start()  # at once: it has to wait for what is still ending
    again.wait_until_ready()
    assert not [process for process in family if alive(process)]
    again.stop()


@pytest.mark.serial  # how soon it ends is a promise in seconds
def test_child_is_started_again_when_it_was_killed(start: Callable[..., Hub]) -> None:
    hub = start()
    hub.wait_until_ready()
    for name in _CHILDREN:
        before = hub.child(name)
        assert before is not None, name
        before.kill()
        until(lambda before=before, name=name: (now := hub.child(name)) is not None and now.pid != before.pid)  # type: ignore[misc]

    def accepted() -> bool:
        try:
            return pasted_curl(hub.said())["accepted"] is True
        except AssertionError:
            return False  # the web server is just coming back

    until(accepted)
    until(lambda: all(event["state"] == "done" for event in hub.events()))
    assert hub.stop() <= _STOP_SECONDS


@pytest.mark.serial  # how soon it ends is a promise in seconds
def test_start_is_begun_again_when_somebody_took_the_port_after_the_look(start: Callable[..., Hub]) -> None:
    """Two hubs that start at the same moment see the same free ports."""
    with socket.socket() as rival:
        rival.bind(("127.0.0.1", 0))
        rival.listen()
        code = (
            "import sys; from leadhub.embedded import ports; from leadhub.cli import main\n"
            f"real, blind = ports.choose_port, [{rival.getsockname()[1]}]\n"
            "ports.choose_port = lambda host, wanted: blind.pop() if blind and wanted == 5432 else real(host, wanted)\n"
            "main(['up'])"
        )
        hub = start("-c", code)
        hub.wait_until_ready()
        assert f"Somebody took port {rival.getsockname()[1]} meanwhile." in hub.said()
        assert hub.stop() <= _STOP_SECONDS
