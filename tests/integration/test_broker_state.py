"""What is wrong with a real broker, in words, at every door: health, doctor, /readyz."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis
import servers
from factories.event import make_event
from factories.source import make_source
from sqlalchemy import Engine, text

from crm_core.base.config import HubConfig
from ingest.monitoring.broker_state import look_at_broker
from ingest.monitoring.health import HealthReport, health_report
from leadhub.doctor import examine
from webhooks.ops.health import check

State = tuple[str, Callable[[redis.Redis], object]]

STATES: list[State] = [
    ("full", lambda client: client.config_set("maxmemory", "100kb")),
    ("read_only", lambda client: client.replicaof("127.0.0.1", "1")),
    ("password", lambda client: client.config_set("requirepass", "another")),
    ("unwritable", lambda client: client.config_set("min-replicas-to-write", "1")),
]


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """URL and process of a broker that may be spoiled."""
    with servers.private_broker(tmp_path_factory.mktemp("spoiled")) as (url, process):
        yield url, process.pid


def report(engine: Engine, config: HubConfig) -> HealthReport:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO heartbeat (role, instance, at) VALUES ('worker', 'here:1', clock_timestamp())"
                " ON CONFLICT (role, instance) DO UPDATE SET at = excluded.at"
            )
        )
        return health_report(connection, config, datetime.now(UTC))


@pytest.mark.parametrize(("code", "spoil"), STATES, ids=[code for code, _ in STATES])
def test_every_door_says_what_is_wrong(
    engine: Engine, config: HubConfig, broker: tuple[str, int], code: str, spoil: Callable[[redis.Redis], object]
) -> None:
    url, _ = broker
    assert look_at_broker(url).code == "ok"
    with redis.Redis.from_url(url) as client:
        spoil(client)
    config = replace(config, broker_url=url)
    found = look_at_broker(url)
    assert (found.code, found.is_wrong) == (code, True)
    told = report(engine, config)
    # Sweeps and canaries come through the broker; that they are missing is not said again.
    assert [finding.code for finding in told.findings] == [f"broker_{code}"]
    assert found.words in told.problems[0]
    said = [finding for finding in examine(config) if finding.name == "broker"]
    assert said[0].state == "bad"
    assert found.words in said[0].message
    ready = check(config)
    assert ready.ready
    assert found.words in ready.checks["broker"]


def test_broker_that_hangs_or_is_gone_is_told_apart_and_costs_a_moment(broker: tuple[str, int]) -> None:
    url, pid = broker
    os.kill(pid, signal.SIGSTOP)
    assert look_at_broker(url, 0.2).code == "hangs"
    os.kill(pid, signal.SIGCONT)
    assert look_at_broker(url).code == "ok"
    os.kill(pid, signal.SIGKILL)
    assert look_at_broker("redis://127.0.0.1:1/0").code == "refused"
    assert look_at_broker("amqp://guest@127.0.0.1/").code == "unknown"


def test_probe_leaves_nothing(broker: tuple[str, int]) -> None:
    url, _ = broker
    look_at_broker(url)
    with redis.Redis.from_url(url) as client:
        assert int(client.pttl("leadhub:probe")) <= 1_000


def test_clock_that_was_set_back_is_told(engine: Engine, config: HubConfig) -> None:
    with engine.begin() as connection:
        ahead = connection.execute(text("SELECT clock_timestamp() + interval '59 min'")).scalar_one()
        make_event(connection, make_source(connection), b"", state="done", outcome="ignored", received_at=ahead)
        connection.execute(
            text("INSERT INTO heartbeat (role, instance, at) VALUES ('worker', 'gone:1', clock_timestamp() + interval '59 min')")
        )
    clock = [finding for finding in examine(config) if finding.name == "clock"]
    assert [finding.state for finding in clock] == ["ok", "bad"]
    assert "59 min ahead" in clock[1].message
    with engine.connect() as connection:
        told = health_report(connection, config, datetime.now(UTC))
        assert any("59 min ahead" in note for note in told.notes)
        # Signs of life of the other clock are no life.
        assert {"worker_unheard", "sweep_unheard"} <= {finding.code for finding in told.findings}
        ahead = health_report(connection, config, datetime.now(UTC) - timedelta(hours=1))
    assert any("60 min ahead of this machine's" in note for note in ahead.notes)
