"""Faults are drawn from a seed that is printed. LEADHUB_FAULT_SEED repeats another run; `random` draws one of its own."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("faultverdict", "faulttraffic")

from faulthub import FaultHub  # noqa: E402 - the rewriting must be asked for before the import


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults: kills, floods and broken peers on real servers; seeded")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.fixture
def seed() -> int:
    wanted = os.environ.get("LEADHUB_FAULT_SEED", "20261122")
    chosen = random.SystemRandom().randrange(1, 2**31) if wanted == "random" else int(wanted)
    print(f"LEADHUB_FAULT_SEED={chosen}")
    return chosen


@pytest.fixture
def dice(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def fault_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that another user may enter: PostgreSQL may have to run as one."""
    return _open_directory(tmp_path_factory)


@pytest.fixture
def fault_hub(fault_directory: Path) -> Iterator[FaultHub]:
    with FaultHub(fault_directory) as hub:
        yield hub


@pytest.fixture(scope="session")
def _fault_hub_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultHub]:
    with FaultHub(_open_directory(tmp_path_factory)) as hub:
        hub.start("web", "worker", "beat")
        yield hub


@pytest.fixture(scope="module")
def shared_fault_hub(_fault_hub_of_the_run: FaultHub) -> FaultHub:
    """One hub for the tests that leave it healthy; a module finds it empty."""
    hub = _fault_hub_of_the_run
    hub.until(lambda: hub.unfinished() == 0)
    with hub.connected() as connection:
        connection.execute("TRUNCATE inbound_event, contact, identifier, lead, call CASCADE")
    hub.until(hub.working)
    return hub


def _open_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")
