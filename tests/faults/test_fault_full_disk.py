"""The disk of the home is full for a while: the hub stays, says so, refuses in words, and goes on by itself."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from smalldisk import SmallDisk, small_disk
from uphub import Up

from leadhub.home import open_to_others

pytestmark = [pytest.mark.serial, pytest.mark.timeout(200)]

_PATIENCE_SECONDS = 60.0
_BROWSER = {"Accept": "text/html", "Accept-Language": "ru", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture
def disk(fault_directory: Path) -> Iterator[SmallDisk]:
    with small_disk(fault_directory) as made:
        yield made


@pytest.fixture
def up(disk: SmallDisk) -> Iterator[Up]:
    hub = Up(disk.place, LEADHUB_DISK_FLOOR_MB=str(disk.floor_mb))
    yield hub
    hub.end()


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
        assert "MB are free" in up.command("health")["error"]["message"]
    end = time.monotonic() + 4  # several restarts, each of which fails or cannot be written down
    up.until(lambda: time.monotonic() > end, "some seconds on a full disk")
    assert up.post(100)[0] == 503

    disk.free()
    up.until(lambda: up.ready()[0] == 200, "everything to go on")
    up.until(lambda: up.post(101)[0] == 200, "the entrance to take in again")
    up.until(lambda: up.rows("SELECT 1 FROM inbound_event WHERE state <> 'done'") == [], "what waited to be worked on")
    (row,) = up.command("ledger")["items"]
    assert (row["received"], row["balanced"], row["needs_attention"]) == (len(up.acknowledged), True, 0)
    assert {key for (key,) in up.rows("SELECT provider_key FROM inbound_event")} == up.acknowledged

    disk.fill()
    assert up.process is not None
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert up.stop() == 0
    end = time.monotonic() + 10  # whoever was killed with its parent takes a moment
    while left := [child for child in children if not _has_ended(child)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def _has_ended(process: psutil.Process) -> bool:
    """A zombie has ended; only whoever inherited it has not looked yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True
