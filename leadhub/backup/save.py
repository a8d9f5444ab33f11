"""`leadhub backup DIR`: one moment of the database, the contents that it names, the key, beside the running hub.

The dump comes first: contents are only ever added, so each one that the dump names is there to be copied afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from crm_core.base.config import HubConfig
from crm_core.base.database import libpq_url
from crm_core.base.errors import Conflict, Invalid
from ingest.erasure.erasure_log import fingerprint
from ingest.files.store import path_of
from leadhub.backup import manifest, tools
from leadhub.backup.manifest import Manifest

#: Compared after a restore. Cheap to count, and nothing of a hub's work leaves all of them alone.
COUNTED = ("inbound_event", "contact", "lead", "touch", "source", "app_user", "audit_entry")
_DUMP_SHARE = 2  # a compressed dump takes less than half of what the database takes on disk
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Saved:
    backup: str
    taken_at: str
    events: int
    contacts: int
    files: int
    bytes: int
    has_key: bool
    missing_files: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def save(config: HubConfig, directory: Path, *, with_key: bool = True) -> Saved:
    """Makes the directory, readable by its owner only. Invalid if something is in it already; leaves nothing half made."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Invalid(
            "directory_not_empty", f"{directory} is not empty. Name a new directory for each backup.", fields=["directory"]
        )
    with _half(directory) as half, _moment(config) as (connection, snapshot, taken_at):
        names = [
            str(row[0]) for row in connection.execute("SELECT DISTINCT sha256 FROM attachment WHERE sha256 <> '' ORDER BY 1")
        ]
        rows = {name: _one(connection, f'SELECT count(*) FROM "{name}"') for name in COUNTED}
        revision = str(_one(connection, "SELECT version_num FROM alembic_version"))
        _require_room(config, half, names, _one(connection, "SELECT pg_database_size(current_database())"))
        server = connection.info.server_version
        program = tools.find("pg_dump", server // 10_000)
        tools.run(
            program,
            ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={half / manifest.DUMP}"],
            libpq_url(config.database_url),
        )
        connection.rollback()
        missing = [name for name in names if not _copied(config.home, half, name)]
        _small_files(config, half, with_key=with_key)
        sums = {path.name: manifest.sum_of(path) for path in sorted(half.iterdir()) if path.is_file()}
        manifest.write(
            half,
            Manifest(
                manifest.FORMAT, version("leadhub"), revision, taken_at, server, fingerprint(config.secret_key), with_key, rows,
                sums, [name for name in names if name not in set(missing)], missing,
            ),
        )  # fmt: skip
        _sync(half)
        size = sum(path.stat().st_size for path in half.rglob("*") if path.is_file())
    return Saved(
        str(directory), taken_at, rows["inbound_event"], rows["contact"], len(names) - len(missing), size, with_key, len(missing)
    )


@contextmanager
def _half(directory: Path) -> Iterator[Path]:
    """A directory beside the wanted one, put in its place when everything is in it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    half = directory.parent / f".{directory.name}.partial"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    try:
        yield half
        half.rename(directory)
    finally:
        shutil.rmtree(half, ignore_errors=True)


@contextmanager
def _moment(config: HubConfig) -> Iterator[tuple[psycopg.Connection[Any], str, str]]:
    """A transaction that sees one moment, and the name under which pg_dump sees the same."""
    with psycopg.connect(libpq_url(config.database_url), connect_timeout=5) as connection:
        connection.execute("SET idle_in_transaction_session_timeout = 0")  # it waits here for as long as the dump takes
        connection.commit()
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row: Any = connection.execute("SELECT pg_export_snapshot(), now()").fetchone()
        taken_at = row[1].astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        yield connection, str(row[0]), taken_at


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row: Any = connection.execute(query).fetchone()
    return row[0]


def _require_room(config: HubConfig, half: Path, names: list[str], database_bytes: int) -> None:
    """A backup must not fill the disk that the hub lives on."""
    files = sum(place.stat().st_size for name in names if (place := path_of(config.home, name)).exists())
    needed = files + database_bytes // _DUMP_SHARE
    if config.home.exists() and half.stat().st_dev == config.home.stat().st_dev:
        needed += config.disk_floor_bytes
    free = shutil.disk_usage(half).free
    if free < needed:
        raise Conflict(
            "no_room",
            f"{half.parent} has {free // _MEBIBYTE} MB free, and {needed // _MEBIBYTE} MB may be needed (what must stay free for "
            "the hub included). Name a directory on another disk.",
        )


def _copied(home: Path, half: Path, sha256: str) -> bool:
    """False if the content is not there, or is not what it was."""
    target = manifest.place_of(half, sha256)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        shutil.copyfile(path_of(home, sha256), target)
    except FileNotFoundError:
        return False
    if manifest.sum_of(target) == sha256:
        return True
    target.unlink()
    return False


def _small_files(config: HubConfig, half: Path, *, with_key: bool) -> None:
    if with_key:
        (half / manifest.KEY).write_text(config.secret_key, encoding="utf-8")
    # The settings are for whoever has to set the next machine up; a restore never puts them into force.
    for name in (manifest.ERASURES, manifest.AUDIT_HEADS, manifest.SETTINGS):
        if (config.home / name).exists():
            shutil.copyfile(config.home / name, half / name)


def _sync(half: Path) -> None:
    """On the disk before it is called a backup."""
    for path in (*half.rglob("*"), half):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
