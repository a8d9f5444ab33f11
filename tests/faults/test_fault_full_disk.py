"""The disk of the home is full for a while: the hub stays, says so, refuses in words, and goes on by itself."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil
import psycopg
import pytest
from free_ports import own_port
from smalldisk import SmallDisk, small_disk

from leadhub.home import open_to_others

pytestmark = [pytest.mark.serial, pytest.mark.timeout(200)]

_PATIENCE_SECONDS = 60.0
_BROWSER = {"Accept": "text/html", "Accept-Language": "ru", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Up:
    """`leadhub up` on that disk, its output on the same disk too: it must not end by what it cannot say."""

    def __init__(self, disk: SmallDisk) -> None:
        self.home = disk.place / "home"
        self.port = own_port()
        self.acknowledged: set[str] = set()  # keys
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEADHUB_")}
        self.environment = {
            **clean, "LEADHUB_HOME": str(self.home), "LEADHUB_PORT": str(self.port), "LEADHUB_DISK_FLOOR_MB": str(disk.floor_mb),
            "LEADHUB_WORKERS": "1", "LEADHUB_LEASE_SECONDS": "5", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        self.output = disk.place / "up.log"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "leadhub", "up"],
                env=self.environment, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not true():
            assert self.process.poll() is None, f"it ended while it was waited for: {what}\n{self.said()}"
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{self.said()}"
            time.sleep(0.1)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
        except OSError:
            return 0, {}, b""
        finally:
            connection.close()

    def ready(self) -> tuple[int, Any]:
        status, _, body = self.ask("GET", "/readyz")
        return status, json.loads(body) if body else None

    def post(self, number: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
        body = urlencode({"name": f"Person {number}", "email": f"person{number}@example.com", "message": "x" * 4000})
        heard = self.ask(
            "POST", self.form, body.encode(),
            {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": f"k{number}", **headers},
        )  # fmt: skip
        if heard[0] == 200:
            self.acknowledged.add(f"k{number}")
        return heard

    @property
    def form(self) -> str:
        return urlsplit(next(line.strip() for line in self.said().splitlines() if "/in/" in line)).path

    def command(self, *arguments: str) -> dict[str, Any]:
        result = subprocess.run(
            [sys.executable, "-m", "leadhub", *arguments, "--json"],
            env=self.environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def kill(self, words: str) -> None:
        """One of its children, at once."""
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if words in " ".join(process.cmdline()):
                    process.kill()


@pytest.fixture
def disk(fault_directory: Path) -> Iterator[SmallDisk]:
    with small_disk(fault_directory) as made:
        yield made


@pytest.fixture
def up(disk: SmallDisk) -> Iterator[Up]:
    hub = Up(disk)
    yield hub
    if hub.process.poll() is None:
        hub.process.kill()
        hub.process.wait(20)


def test_hub_stays_refuses_in_words_and_goes_on_when_its_disk_was_full(disk: SmallDisk, up: Up) -> None:
    up.until(lambda: "Ready in" in up.said(), "the start")
    assert [up.post(number)[0] for number in range(40)] == [200] * 40
    assert open_to_others(up.home) == []

    disk.fill()
    up.until(lambda: up.ready()[0] == 503, "readiness to say no")
    assert up.ready()[1]["checks"]["disk"] != "ok"
    up.until(lambda: up.post(100)[0] == 503, "the entrance to refuse")
    status, headers, body = up.post(100, Origin="https://www.example.com")
    assert (status, json.loads(body)["error"]["code"]) == (503, "disk_full")
    assert int(headers["retry-after"]) > 0
    assert headers["access-control-allow-origin"] == "https://www.example.com"
    status, headers, body = up.post(100, **_BROWSER)
    assert (status, "Попробуйте ещё раз" in body.decode()) == (503, True)
    assert int(headers["retry-after"]) > 0
    report = up.command("health")
    assert "disk_low" in [finding["code"] for finding in report["findings"]]
    assert "disk" in [row["name"] for row in up.command("doctor")["findings"] if row["state"] == "bad"]

    up.kill("-m leadhub beat")  # its restart writes into the home
    if disk.ends:
        up.kill("/bin/postgres")  # as it does itself when its log finds no room; it cannot come back before there is some
        up.until(lambda: up.ready()[1]["checks"]["database"] != "ok", "PostgreSQL to be away")
    end = time.monotonic() + 4  # several restarts, each of which fails or cannot be written down
    up.until(lambda: time.monotonic() > end, "some seconds on a full disk")
    assert up.post(100)[0] == 503

    disk.free()
    up.until(lambda: up.ready()[0] == 200, "everything to go on")
    up.until(lambda: up.post(101)[0] == 200, "the entrance to take in again")
    up.until(lambda: up.command("ledger")["items"][0]["waiting"] == 0, "what waited to be worked on")
    (row,) = up.command("ledger")["items"]
    assert (row["received"], row["balanced"], row["needs_attention"]) == (len(up.acknowledged), True, 0)
    url = json.loads((up.home / "running.json").read_text())["database_url"]
    with psycopg.connect(url) as connection:
        keys = {key for (key,) in connection.execute("SELECT provider_key FROM inbound_event")}
    assert keys == up.acknowledged

    disk.fill()
    children = psutil.Process(up.process.pid).children(recursive=True)
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(30) == 0
    end = time.monotonic() + 10  # whoever was killed with its parent takes a moment
    while left := [child for child in children if not _has_ended(child)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def _has_ended(process: psutil.Process) -> bool:
    """A zombie has ended; only whoever inherited it has not looked yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True
