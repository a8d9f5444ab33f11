"""The hub's database for the time of one command, whether the hub runs or not: an embedded server is started if need be."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import psycopg

from crm_core.base.config import HubConfig
from crm_core.base.errors import Misconfigured
from leadhub import running, settings
from leadhub.embedded import ports, postgres
from leadhub.home import make_home
from leadhub.prepare import require_server
from leadhub.settings import Settings

_START_SECONDS = 60.0  # a big log to recover from takes its time
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Reached:
    """`admin_url` is for whoever may make and rename databases; it is the hub's own where the server is not ours."""

    config: HubConfig
    admin_url: str
    is_running: bool  # a hub of this home is at it just now


@contextmanager
def reached(read: Settings) -> Iterator[Reached]:
    """Misconfigured, with words, if the database cannot be had."""
    hub = running.read_prepared(read.home)
    if not read.embedded_database:
        config = settings.build(read, broker_url=read.values["broker_url"] or "redis://127.0.0.1:1/0")
        require_server(config.database_url)
        yield Reached(config, config.database_url, hub is not None)
    elif hub is not None:
        port = urlsplit(hub.database_url).port or 0
        config = settings.build(read, database_url=hub.database_url, broker_url=hub.broker_url)
        yield Reached(config, postgres.admin_url(read.home / "postgres", port), is_running=True)
    else:
        make_home(read.home)
        with running.lock(read.home), _started(read) as found:
            yield found


@contextmanager
def _started(read: Settings) -> Iterator[Reached]:
    directory = read.home / "postgres"
    directory.mkdir(exist_ok=True)
    cluster = postgres.plan(directory, ports.any_free_port())
    postgres.prepare(cluster)
    with (read.home / "log" / "postgres.log").open("ab") as log:
        server = subprocess.Popen(
            postgres.command(cluster), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        admin = postgres.admin_url(directory, cluster.port)
        _await(admin, server)
        postgres.ensure_database(directory, admin)
        url = postgres.database_url(cluster)
        yield Reached(settings.build(read, database_url=url, broker_url="redis://127.0.0.1:1/0"), admin, is_running=False)
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait()


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise Misconfigured(
                    "does_not_start", "The embedded PostgreSQL does not start; log/postgres.log in the home says why."
                ) from error
        time.sleep(0.05)


def of_database(config: HubConfig, name: str) -> HubConfig:
    """The same hub on another database of the same server."""
    return replace(config, database_url=url_of_database(config.database_url, name))


def url_of_database(url: str, name: str) -> str:
    from urllib.parse import urlunsplit

    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))
