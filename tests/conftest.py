"""Fixtures that every test may use: a migrated database, a clean broker, and a configuration of both."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
import servers
from argon2 import PasswordHasher
from free_ports import own_port
from sqlalchemy import Engine

from crm_core.access import passwords
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine

_RUN = "LEADHUB_TEST_RUN"  # directory of this run, set by the controller, inherited by the xdist workers
_CONTROLLER = "LEADHUB_TEST_CONTROLLER"

# The same examples in every run, however busy the machine: what fails must fail again. HYPOTHESIS_PROFILE=explore draws new
# ones, which is how to look for what nobody thought of.
_EXPLORE = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True)
hypothesis.settings.register_profile("explore", _EXPLORE)
hypothesis.settings.register_profile("suite", _EXPLORE, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[_RUN] = str(servers.run_directory())
        os.environ[_CONTROLLER] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    run = os.environ.get(_RUN)
    if run and not hasattr(config, "workerinput") and not Path(run, "postgres.lock").exists():
        shutil.rmtree(run, ignore_errors=True)  # else the keeper does it when it has stopped the server


@pytest.fixture(scope="session")
def postgres_server() -> servers.RunPostgres:
    """The run's PostgreSQL. Start a `servers.private_postgres` instead of stopping this one."""
    return servers.shared_postgres(Path(os.environ[_RUN]), int(os.environ[_CONTROLLER]))


@pytest.fixture
def database_url(postgres_server: servers.RunPostgres) -> Iterator[str]:
    """A fresh migrated database of this test's own."""
    with postgres_server.fresh_database() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    built = make_engine(database_url, "worker")
    yield built
    built.dispose()


@pytest.fixture(scope="session")
def _brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URLs of the brokers of this process by kind, started when first asked for."""
    with contextlib.ExitStack() as stack:

        class Started(dict[str, str]):
            def __missing__(self, kind: servers.BrokerKind) -> str:
                url, _ = stack.enter_context(servers.private_broker(tmp_path_factory.mktemp(kind), kind))
                self[kind] = url
                return url

        yield Started()


def _emptied(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
def broker_url(_brokers: dict[str, str]) -> str:
    """A clean real Valkey, or Debian's Redis with LEADHUB_TEST_BROKER=redis."""
    return _emptied(_brokers[os.environ.get("LEADHUB_TEST_BROKER", "valkey")])


@pytest.fixture(params=["valkey", "redis"])
def each_broker_url(request: pytest.FixtureRequest, _brokers: dict[str, str]) -> str:
    """Runs the test twice: on Valkey and on Debian's Redis. A missing redis-server is a failure, never a skip."""
    return _emptied(_brokers[request.param])


@pytest.fixture
def config(tmp_path: Path, database_url: str, broker_url: str) -> HubConfig:
    """A hub of this test's own: home, database, broker and a port nobody listens on."""
    home = tmp_path / "home"
    home.mkdir()
    return HubConfig(
        home=home,
        database_url=database_url,
        broker_url=broker_url,
        secret_key="only-for-tests-" + "0" * 32,
        port=own_port(),
    )


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real algorithm with the least work."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: quick)
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()
