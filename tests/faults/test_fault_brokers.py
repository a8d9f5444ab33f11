"""The broker's faults on both of its makes: the wheel's Valkey and Debian's Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from faulthub import FaultHub
from faulttraffic import OperationLog, Post, Senders, form, ordinary

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(params=["valkey", "redis"])
def hub_on_each_broker(request: pytest.FixtureRequest, fault_directory: Path) -> Iterator[FaultHub]:
    with FaultHub(fault_directory, request.param) as hub:
        hub.start("web", "worker", "beat")
        hub.until(hub.working)
        yield hub


def _forms(count: int, first: int) -> list[Post]:
    return [form(first + n, p, [p.phone()], None) for n, p in enumerate(ordinary(count, first))]


def test_work_goes_on_by_itself_when_the_broker_is_killed_and_forgets(hub_on_each_broker: FaultHub) -> None:
    hub = hub_on_each_broker
    log = OperationLog()
    senders = Senders(hub, log)
    senders.send(_forms(100, 0), 500.0)
    hub.hold("broker")
    senders.send(_forms(200, 10_000), 100.0)
    time.sleep(1)
    hub.forget_broker()
    hub.release("broker")
    seconds = hub.until(lambda: hub.unfinished() == 0, 120)
    senders.send(_forms(100, 20_000), 500.0)
    hub.until(lambda: hub.unfinished() == 0, 120)
    print(f"resumed after {seconds:.1f} s")
    assert set(log.answers) == {"200", "acknowledged"}
    assert hub.one("SELECT count(*) FROM inbound_event WHERE outcome = 'created'") == 400
    assert hub.one("SELECT count(*) FROM lead") == 400


def test_redis_of_the_distribution_is_what_was_tested() -> None:
    assert servers.redis_server().name == "redis-server"
