"""`leadhub restore DIR`: a backup becomes the hub again, in a database of its own that takes the old one's place at the end.

Whatever fails before that leaves everything as it was. Erasures made after the backup are repeated before anybody can look.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from alembic.script import ScriptDirectory

from crm_core.base import database
from crm_core.base.config import HubConfig
from crm_core.base.database import libpq_url, make_engine, migrate
from crm_core.base.errors import Conflict, Misconfigured
from ingest.erasure import erase_again, erasure_log
from ingest.files.store import forget_unnamed, path_of, store
from ingest.monitoring.audit_sealing import set_back
from leadhub import private_file
from leadhub.backup import manifest, swap, tools
from leadhub.backup.manifest import Manifest
from leadhub.backup.server import Reached, of_database
from leadhub.backup.withdrawn import withdraw
from leadhub.operator import operator
from leadhub.settings import Settings

_FIRST_RUN_ROWS = {"source": 1, "app_user": 1}  # what a hub makes by itself when it starts for the first time


@dataclass(frozen=True, slots=True)
class Restored:
    backup: str
    taken_at: str
    events: int
    contacts: int
    files: int
    missing_files: int
    erasures_repeated: int
    users_as_now: int  # whose account, role or password was changed since; they stay as changed
    tokens_revoked: int  # since
    kept_as: str | None  # the database that was there before

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def restore(read: Settings, found: Reached, directory: Path, *, replaces: bool, erasures: Sequence[Path] = ()) -> Restored:
    """Invalid, Conflict or Misconfigured, with words, and everything as it was, if it cannot be done."""
    saved = manifest.read(directory)
    _require_known(saved)
    manifest.require_sound(directory, saved)
    key = _key(read, found, directory, saved)
    is_empty = _is_empty(found.config)
    if not is_empty and not replaces:
        raise Conflict(
            "not_empty",
            "This hub has data of its own. With --replace the backup takes its place; what is there now is kept as a database "
            "of another name.",
        )
    home = found.config.home
    lines = erasure_log.merged(
        *(erasure_log.read(path) for path in (home / erasure_log.FILE, directory / manifest.ERASURES, *erasures))
    )
    with swap.fresh_database(found) as name:
        fresh = replace(of_database(found.config, name), secret_key=key)
        program = tools.find("pg_restore", _server_major(fresh))
        tools.run(
            program, ["--exit-on-error", "--no-owner", "--no-privileges", str(directory / manifest.DUMP)],
            libpq_url(fresh.database_url),
        )  # fmt: skip
        _require_whole(fresh, saved)
        migrate(fresh.database_url)
        withdrawn = withdraw(fresh, None if is_empty else found.config)
        repeated = _repeat(fresh, lines)
        head = _head_of_audit(fresh)
        files, missing = _files(fresh, directory, saved)
        _write_lists(home, lines)
        half_key = _prepare_key(read, key, keeps=not is_empty)
        kept = swap.take_the_place(found, name, keeps=not is_empty)
        if half_key is not None:
            half_key.rename(home / manifest.KEY)
        if not (home / manifest.AUDIT_HEADS).exists() and (directory / manifest.AUDIT_HEADS).exists():
            private_file.write(home / manifest.AUDIT_HEADS, (directory / manifest.AUDIT_HEADS).read_text(encoding="ascii"))
        set_back(home, head)
    forget_unnamed(replace(found.config, secret_key=key), repeated.files)
    return Restored(
        str(directory),
        saved.taken_at,
        saved.rows["inbound_event"],
        saved.rows["contact"],
        files,
        missing,
        repeated.erasures,
        withdrawn.users,
        withdrawn.tokens,
        kept,
    )


def _require_known(saved: Manifest) -> None:
    script = ScriptDirectory(str(Path(database.__file__).parents[1] / "migrations"))
    if saved.revision not in {revision.revision for revision in script.walk_revisions()}:
        raise Misconfigured(
            "backup_too_new",
            f"The backup was made by Leadhub {saved.leadhub}, whose schema ({saved.revision}) this version does not know. "
            "Install that version or a newer one.",
        )


def _key(read: Settings, found: Reached, directory: Path, saved: Manifest) -> str:
    """The key that the backup's secrets were sealed with."""
    own = found.config.secret_key
    if erasure_log.fingerprint(own) == saved.key:
        return own
    key = (directory / manifest.KEY).read_text(encoding="utf-8") if saved.has_key else ""
    if not key:
        raise Misconfigured(
            "key_missing",
            "The backup holds no key, and this hub has another one, with which the secrets in it do not open. Put the key of the "
            f"hub that was saved into {found.config.home / 'secret_key'} (or LEADHUB_SECRET_KEY) and repeat.",
        )
    if read.values["secret_key"]:
        raise Misconfigured(
            "key_differs",
            "LEADHUB_SECRET_KEY is another key than the backup's, with which the secrets in it do not open. Set it to the text "
            f"in {directory / manifest.KEY} (for every process of the hub) and repeat.",
        )
    if found.is_running:
        raise Conflict(
            "key_in_use",
            "The backup brings another key, and the hub that runs here would go on with its own. Stop it and repeat.",
        )
    return key


def _is_empty(config: HubConfig) -> bool:
    """True for a hub that was only ever started."""
    with psycopg.connect(libpq_url(config.database_url), connect_timeout=5) as connection:
        for name in ("inbound_event", "contact", "lead", *_FIRST_RUN_ROWS):
            row: Any = connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()
            if row[0] is None:
                continue
            count: Any = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT 2) AS few").fetchone()
            if count[0] > _FIRST_RUN_ROWS.get(name, 0):
                return False
    return True


def _server_major(config: HubConfig) -> int:
    with psycopg.connect(libpq_url(config.database_url), connect_timeout=5) as connection:
        return connection.info.server_version // 10_000


def _require_whole(config: HubConfig, saved: Manifest) -> None:
    with psycopg.connect(libpq_url(config.database_url), connect_timeout=5) as connection:
        for name, wanted in saved.rows.items():
            row: Any = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            if row[0] != wanted:
                raise Conflict(
                    "restore_not_whole",
                    f"{name} has {row[0]} rows after reading it back, the backup had {wanted}. Nothing was changed.",
                )


def _repeat(config: HubConfig, lines: Sequence[erasure_log.ErasureLine]) -> erase_again.Repeated:
    now = datetime.now(UTC)
    engine = make_engine(config.database_url, "migrate", pool_size=1)
    try:
        repeated = erase_again.repeat(engine, config, lines, operator(), now)
        with engine.begin() as connection:
            erase_again.note_restore(connection, operator(), repeated)
    finally:
        engine.dispose()
    return repeated


def _head_of_audit(config: HubConfig) -> int:
    """The last position of the restored chain; what was noted beyond belongs to the history that is being replaced."""
    with psycopg.connect(libpq_url(config.database_url), connect_timeout=5) as connection:
        row: Any = connection.execute("SELECT coalesce(max(position), 0) FROM audit_seal").fetchone()
    return int(row[0])


def _files(config: HubConfig, directory: Path, saved: Manifest) -> tuple[int, int]:
    """Contents that the restored database names, stored; (how many there are, how many are nowhere)."""
    with psycopg.connect(libpq_url(config.database_url), connect_timeout=5) as connection:
        named = [str(row[0]) for row in connection.execute("SELECT DISTINCT sha256 FROM attachment WHERE sha256 <> ''")]
    held = set(saved.files)
    for sha256 in named:
        if sha256 in held:
            store(config.home, manifest.place_of(directory, sha256).read_bytes())
    missing = sum(not path_of(config.home, sha256).exists() for sha256 in named)
    return len(named) - missing, missing


def _write_lists(home: Path, lines: Sequence[erasure_log.ErasureLine]) -> None:
    """What this home did not know of erasures it knows from now on."""
    known = set(erasure_log.read(home / erasure_log.FILE))
    erasure_log.append(home / erasure_log.FILE, [line for line in lines if line not in known])


def _prepare_key(read: Settings, key: str, *, keeps: bool) -> Path | None:
    """The key beside the place that it takes when the database does; None if it is there, or comes by the environment."""
    place = read.home / manifest.KEY
    if read.values["secret_key"] or (place.exists() and place.read_text(encoding="utf-8").strip() == key):
        return None
    half = read.home / f".{manifest.KEY}.restored"
    private_file.write(half, key)
    if keeps and place.exists():  # the database that is kept opens with it
        shutil.copyfile(place, read.home / f".{manifest.KEY}.before-restore")
    return half
