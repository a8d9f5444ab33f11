"""The drill of the runbook: saved while inquiries come in, restored while the hub runs and on a machine that never ran one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from uphub import Up

pytestmark = pytest.mark.timeout(280)


@pytest.fixture
def up(fault_directory: Path) -> Iterator[Up]:
    (fault_directory / "first").mkdir()
    hub = Up(fault_directory / "first")
    yield hub
    hub.end()


@pytest.fixture
def other(fault_directory: Path) -> Iterator[Up]:
    (fault_directory / "other").mkdir()
    hub = Up(fault_directory / "other", starts=False)
    yield hub
    hub.end()


def _keys(hub: Up) -> set[str]:
    return {key for (key,) in hub.rows("SELECT provider_key FROM inbound_event WHERE provider_key IS NOT NULL")}


def _is_erased(hub: Up) -> bool:
    """Nobody is left who posted under the first key."""
    found = hub.rows(
        "SELECT 1 FROM identifier WHERE value = 'person1@example.com' UNION ALL SELECT 1 FROM contact WHERE name = 'Person 1'"
        r" UNION ALL SELECT 1 FROM inbound_event WHERE encode(body, 'escape') LIKE '%person1\%%40example%'"
    )
    return found == []


def _settled(hub: Up) -> bool:
    return hub.rows("SELECT 1 FROM inbound_event WHERE state <> 'done' LIMIT 1") == []


def test_hub_is_saved_with_its_door_open_and_comes_back_whole(up: Up, other: Up, tmp_path: Path) -> None:
    up.until(lambda: "Ready in" in up.said(), "the start")
    mailbox = ["host=imap.example.com", "user=sales@example.com", "password=opens only with the key"]
    source = up.command("source", "add", "imap", "--name", "Sales", *(word for pair in mailbox for word in ("--set", pair)))["id"]
    up.command("source", "pause", source)
    assert up.post_file(0)[0] == 200
    stop = threading.Event()
    numbers = iter(range(1, 1_000_000))

    def traffic() -> None:
        while not stop.is_set():
            up.post(next(numbers))
            time.sleep(0.02)

    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        up.until(lambda: len(up.acknowledged) > 20, "the first inquiries")
        before = set(up.acknowledged)
        saved = up.command("backup", str(tmp_path / "backup"))
        up.until(lambda: len(up.acknowledged) > len(before) + 20, "more inquiries")
    finally:
        stop.set()
        thread.join()
    assert saved["events"] >= len(before)
    up.until(lambda: _settled(up), "what waited to be worked on")
    (person,) = up.rows("SELECT contact_id FROM inbound_event WHERE provider_key = 'k1'")
    erased = up.command("contact", "erase", str(person[0]), "--why", "letter", "--yes")
    assert erased["events"] == 1
    assert "error" in up.command("restore", str(tmp_path / "backup"))  # it has data of its own

    done = up.command("restore", str(tmp_path / "backup"), "--replace")
    assert (done["erasures_repeated"], done["events"], done["missing_files"]) == (1, saved["events"], 0)
    up.until(lambda: up.post(999_999)[0] == 200, "the door on the restored database")
    up.until(lambda: _settled(up), "what waited at the moment of the backup")
    kept = _keys(up)
    assert (before | {"k999999"}) - {"k1"} <= kept
    assert _is_erased(up)
    assert up.command("ledger")["balanced"] is True
    assert up.ready()[0] == 200
    assert up.stop() == 0

    again = up.command("backup", str(tmp_path / "stopped"))
    assert again["files"] == 1
    assert not (up.home / "running.json").exists()

    done = other.command("restore", str(tmp_path / "stopped"))
    assert (done["events"], done["files"], done["kept_as"]) == (again["events"], 1, None)
    other.start()
    other.until(lambda: "Ready in" in other.said(), "the start on what was restored")
    assert _keys(other) == kept
    assert other.command("ledger")["balanced"] is True
    assert _is_erased(other)
    assert other.command("source", "test", source)["findings"][0]["ok"] is True  # its settings open: the key came along
    assert len([place for place in (other.home / "files").rglob("*") if place.is_file()]) == 1
