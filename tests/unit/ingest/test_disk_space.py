"""The floor of free space: what it refuses, how often it asks, and that a burst of large bodies cannot run under it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.journal.disk_space import DiskGuard, look

MB = 1024 * 1024


class Disk:
    """Stands for the kernel's answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free, self.flags, self.asked = 1000 * MB, 0, 0
        monkeypatch.setattr("ingest.journal.disk_space.os.statvfs", self._answer)

    def _answer(self, _place: Path) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(f_bavail=self.free, f_frsize=1, f_flag=self.flags)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_kernel_is_asked_once_a_second(disk: Disk) -> None:
    now = 0.0
    guard = DiskGuard(Path("/home"), 200 * MB, lambda: now)
    assert all(guard.takes(1000) for _ in range(100))
    assert disk.asked == 1
    disk.free = 100 * MB
    assert guard.takes(1000)
    now = 1.0
    assert not guard.takes(1000)
    disk.free = 201 * MB
    now = 2.0
    assert guard.takes(1000)


def test_large_bodies_are_counted_between_two_looks(disk: Disk) -> None:
    guard = DiskGuard(Path("/home"), 200 * MB, lambda: 0.0)
    disk.free = 330 * MB
    taken = 0
    while guard.takes(32 * MB):
        taken += 1
        disk.free -= 64 * MB  # the body in the log of PostgreSQL and in its table
    assert (taken, disk.free >= 200 * MB) == (2, True)
    assert guard.takes(1000)


def test_work_goes_on_for_half_the_floor_longer_than_arrivals(disk: Disk) -> None:
    for free, parsed_items, work in ((200, True, True), (199, False, True), (100, False, True), (99, False, False)):
        disk.free = free * MB
        state = look(Path("/home"), 200 * MB)
        assert (state.takes_events, state.takes_work) == (parsed_items, work)


def test_disk_that_is_read_only_takes_nothing(disk: Disk) -> None:
    disk.flags = os.ST_RDONLY
    state = look(Path("/home"), 200 * MB)
    assert (state.takes_events, state.takes_work) == (False, False)
    assert "read-only" in state.words
    assert not DiskGuard(Path("/home"), 200 * MB).takes(1)


def test_nothing_is_refused_without_a_floor_or_without_a_disk_to_ask(disk: Disk, tmp_path: Path) -> None:
    disk.free = 0
    assert DiskGuard(Path("/home"), 0).takes(MB)
    assert look(Path("/home"), 0).takes_work


def test_home_of_another_machine_refuses_nothing(tmp_path: Path) -> None:
    state = look(tmp_path / "not here", 200 * MB)
    assert (state.free_bytes, state.takes_events, state.takes_work) == (None, True, True)
