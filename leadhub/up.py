"""`leadhub up`: everything on one machine, in the foreground, until it is told to stop.

Starts in the order that lets people in soonest, ends in the order that loses nothing, never leaves a process behind.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from crm_core.base.errors import Misconfigured
from ingest.journal.disk_space import look
from leadhub import leftovers, programs, running
from leadhub.embedded import ports, postgres, privilege, valkey
from leadhub.embedded.postgres import Cluster
from leadhub.embedded.valkey import Broker
from leadhub.home import create_privately, make_home
from leadhub.running import RunningHub
from leadhub.settings import Settings, masked, secret_key
from leadhub.supervisor import Child, Supervisor

POSTGRES_PORT, VALKEY_PORT = 5432, 6379
_SERVER_SECONDS = 60.0  # a big log to recover from takes its time
_WEB_SECONDS = 60.0
_HOPELESS_STARTS = 5  # a server that ends this often before it was ever ready will not become so

_ATTEMPTS = 4  # between choosing a port and listening on it, somebody else may be faster

Say = Callable[[str], None]


class PortLost(Misconfigured):
    """A server of ours does not start because its port was free when we looked and is not any more."""

    def __init__(self, why: Misconfigured, port: int) -> None:
        super().__init__(why.code, why.message, **why.data)
        self.port = port


def up(settings: Settings, say: Say, *, echo: bool = False, as_json: bool = False) -> None:
    """Returns when everything has ended. Misconfigured, with words, if it cannot start."""
    began = time.monotonic()
    say = _unfailing(say)
    home = settings.home
    make_home(home)
    create_privately()
    with running.lock(home):
        leftovers.end(home)
        secret_key(home)
        os.environ["LEADHUB_HOME"] = str(home)  # for the children, wherever they stand
        for attempt in range(_ATTEMPTS):
            supervisor = Supervisor(home / "log", _silent if as_json else say, echo=echo)
            supervisor.take_signals()
            try:
                _start_and_serve(settings, supervisor, say, began, as_json=as_json)
                return
            except PortLost as lost:
                if attempt == _ATTEMPTS - 1:
                    raise
                if not as_json:
                    say(f"Somebody took port {lost.port} meanwhile. Starting over with another.")
            finally:
                supervisor.stop(*programs.STOP_STAGES)
                running.forget(home)
                leftovers.forget(home)


def _start_and_serve(settings: Settings, supervisor: Supervisor, say: Say, began: float, *, as_json: bool) -> None:
    home = settings.home
    host, wanted = settings.values["host"], settings.values["port"]
    try:
        port = ports.choose_port(host, wanted)
    except OSError as error:
        raise Misconfigured(
            "host_not_ours", f"LEADHUB_HOST is {host}, which is no address of this machine: {error.strerror}."
        ) from error
    cluster = _embedded_postgres(settings)
    broker = _embedded_valkey(settings)
    hub = RunningHub(
        os.getpid(),
        host,
        port,
        postgres.database_url(cluster) if cluster else settings.values["database_url"],
        broker.url if broker else settings.values["broker_url"],
    )
    running.write(home, hub)
    if not as_json:
        say(f"Leadhub {version('leadhub')} starts in {home}")
        for line in _places(settings, hub, cluster, broker):
            say(line)

    own = {"web": (host, port)}
    if cluster:
        own["postgres"] = ("127.0.0.1", cluster.port)
    if broker:
        own["valkey"] = ("127.0.0.1", broker.port)
    try:
        first = _start(supervisor, hub, home, cluster, broker)
    except Misconfigured as error:
        where = own.get(str(error.data.get("child")))
        if where and not ports.is_free(*where):  # our own child is dead, so whoever listens there is a stranger
            raise PortLost(error, where[1]) from error
        raise
    if first is None:
        return
    seconds = time.monotonic() - began
    if as_json:
        say(json.dumps({"ready": True, "seconds": round(seconds, 2), "host": host, "port": port, **first}))
    else:
        for line in _welcome(first, home, seconds):
            say(line)
    floor_bytes = settings.values["disk_floor_mb"] * 1024 * 1024
    supervisor.run(
        on_change=lambda: leftovers.write(home, supervisor),
        on_turn=_disk_teller(home, floor_bytes, _silent if as_json else say),
    )
    if not as_json:
        say("Stopping.")


def _start(
    supervisor: Supervisor, hub: RunningHub, home: Path, cluster: Cluster | None, broker: Broker | None
) -> dict[str, str] | None:
    """Starts everything; what the preparation has to tell, None if a stop was asked for meanwhile."""
    if cluster:
        supervisor.add(programs.postgres_program(cluster))
    if broker:
        supervisor.add(programs.valkey_program(broker))
    leftovers.write(home, supervisor)
    # Each role imports for a second or two, and there may be two processors: who is waited for goes first.
    supervisor.add(programs.role_program("web"))
    leftovers.write(home, supervisor)
    first = _prepare(supervisor, cluster.port if cluster else 0)
    if first is None:
        return None
    running.write(home, replace(hub, prepared=True))
    supervisor.add(programs.role_program("worker"))
    if broker and not _wait(supervisor, lambda: valkey.is_ready(broker), "valkey", _SERVER_SECONDS):
        return None
    ready = _wait(supervisor, lambda: _answers(hub.host, hub.port), "web", _WEB_SECONDS)
    if ready:
        supervisor.add(programs.role_program("beat"))
        supervisor.add(programs.role_program("mail"))
        leftovers.write(home, supervisor)
    return first if ready else None


def _embedded_postgres(settings: Settings) -> Cluster | None:
    if not settings.embedded_database:
        return None
    directory = settings.home / "postgres"
    directory.mkdir(exist_ok=True)
    postgres.require_our_major(directory / "data")
    return postgres.plan(directory, ports.choose_port("127.0.0.1", POSTGRES_PORT))


def _embedded_valkey(settings: Settings) -> Broker | None:
    if not settings.embedded_broker:
        return None
    return valkey.plan(settings.home / "valkey", ports.choose_port("127.0.0.1", VALKEY_PORT))


def _places(settings: Settings, hub: RunningHub, cluster: Cluster | None, broker: Broker | None) -> list[str]:
    """What runs where, and what had to move."""
    wanted = settings.values["port"]
    workers = settings.values["workers"]
    return [
        _place("postgres", f"127.0.0.1:{cluster.port}", cluster.port, POSTGRES_PORT)
        if cluster
        else f"  {'postgres':<9} {masked(hub.database_url)}",
        _place("valkey", f"127.0.0.1:{broker.port}", broker.port, VALKEY_PORT)
        if broker
        else f"  {'valkey':<9} {masked(hub.broker_url)}",
        _place("web", f"{hub.host}:{hub.port}, {workers} processes", hub.port, wanted),
        f"  {'worker':<9} {workers} processes",
        f"  {'beat':<9} the schedule",
        f"  {'mail':<9} the mailboxes",
    ]


def _place(name: str, where: str, port: int, wanted: int) -> str:
    return f"  {name:<9} {where}" + (f"  (port {wanted} is taken by another program)" if port != wanted else "")


def _welcome(first: dict[str, str], home: Path, seconds: float) -> list[str]:
    lines = ["", f"Ready in {seconds:.1f} s. Logs are in {home / 'log'}. Ctrl-C stops everything.", ""]
    if first.get("sign_in_url"):
        lines += ["  Console (this link signs you in):", f"    {first['sign_in_url']}", ""]
    if first.get("form_url"):
        lines += ["  Address for a form of your website:", f"    {first['form_url']}", ""]
    if first.get("curl"):
        lines += ["  Try it:", *(f"    {line}" for line in first["curl"].splitlines()), ""]
    return lines


def _wait(supervisor: Supervisor, ready: Callable[[], bool], name: str, seconds: float) -> bool:
    """False if a stop was asked for meanwhile. Misconfigured, with the child's last words, if it does not come."""

    def settled() -> bool:
        _despair(supervisor)
        return ready()

    in_time = supervisor.run_until(settled, seconds)
    if not in_time and not supervisor.stopping:
        raise _does_not_start(supervisor.children[name])
    return in_time


def _despair(supervisor: Supervisor) -> None:
    """Misconfigured when a child dies again and again before the start is over."""
    for child in supervisor.children.values():
        if child.starts >= _HOPELESS_STARTS:
            raise _does_not_start(child)


def _does_not_start(child: Child) -> Misconfigured:
    words = "\n".join(f"  {line}" for line in child.last_lines) or "  (none)"
    name = child.program.name
    return Misconfigured("does_not_start", f"{name} does not start. Its last words:\n{words}", child=name)


def _prepare(supervisor: Supervisor, port: int) -> dict[str, str] | None:
    """Runs `leadhub.prepare` while the servers are looked after. None if a stop was asked for meanwhile."""
    argv = [sys.executable, "-m", "leadhub.prepare", str(port)]
    process = subprocess.Popen(
        privilege.wrapped(argv, privilege.same_identity(), signal.SIGKILL),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        while process.poll() is None and not supervisor.stopping:
            supervisor.turn(0.02)
            _despair(supervisor)
    finally:
        if process.poll() is None:
            process.kill()
        output, errors = process.communicate()
    if supervisor.stopping:
        return None
    if process.returncode != 0:
        raise Misconfigured("not_prepared", errors.strip() or "The database could not be prepared.")
    told: dict[str, str] = json.loads(output.strip().splitlines()[-1])
    return told


def _answers(host: str, port: int) -> bool:
    """True when the web server says that it is ready."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what to ask when it listens everywhere
    connection = http.client.HTTPConnection(own, port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def _disk_teller(home: Path, floor_bytes: int, say: Say) -> Callable[[], None]:
    """Tells whoever looks at the terminal when the disk gets low, and when it has room again."""
    was_low = False

    def tell() -> None:
        nonlocal was_low
        state = look(home, floor_bytes)
        if state.takes_events == was_low:
            was_low = not was_low
            later = "Nothing is taken in until there is room; what was acknowledged is kept."
            say(f"{state.words} {later}" if was_low else "The disk has room again: everything goes on.")

    return tell


def _unfailing(say: Say) -> Say:
    """Our own output may go to the disk that is full, or to a reader that has gone: no reason to end."""

    def tell(line: str) -> None:
        with contextlib.suppress(OSError):
            say(line)

    return tell


def _silent(_line: str) -> None:
    """Nothing but JSON goes out when JSON was asked for."""
