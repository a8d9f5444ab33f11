"""Engines and connections to PostgreSQL, with bounded waits, and the migration to the current schema."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import orjson
import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.rows import dict_row
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from crm_core.base.errors import Misconfigured
from crm_core.base.log import get_logger

#: Waits a role may cause, in milliseconds: (statement_timeout, lock_timeout). A web request must answer within a
#: provider's five seconds; a worker may take longer; a restore works as long as it needs. So may an upgrade of the schema, but
#: it waits for a lock so briefly because everybody who comes after it waits behind it: less than the entrance does
#: (ingest/journal/accept_writer.py). It tries again instead.
ROLE_TIMEOUTS_MS = {
    "web": (3_000, 1_000),
    "worker": (30_000, 5_000),
    "ui": (15_000, 2_000),
    "migrate": (0, 10_000),
    "upgrade": (0, 200),
}

_MIGRATION_LOCK = 0x1EAD_4B  # one migration at a time, whoever starts first
_ASK_AGAIN_SECONDS = 0.2  # whether another process has done with migrating
_LOCKS_TRIED_SECONDS = 300.0  # then somebody holds a lock for good, and an operator has to look who
_LOCK_PAUSE_SECONDS = 0.5  # for those who came to wait behind the attempt
_PATIENT_AFTER_SECONDS = 60.0  # then long transactions are waited for, and the entrance says "come back" meanwhile
_PATIENT_LOCK_MS = 3_000

_log = get_logger(__name__)


def libpq_url(url: str) -> str:
    """The URL without SQLAlchemy's driver suffix, as psycopg and libpq's tools take it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def connect_options(role: str) -> str:
    statement_ms, lock_ms = ROLE_TIMEOUTS_MS[role]
    return (
        f"-c statement_timeout={statement_ms} -c lock_timeout={lock_ms} -c timezone=UTC "
        f"-c idle_in_transaction_session_timeout=60000 -c application_name=leadhub-{role}"
    )


def make_engine(url: str, role: str, pool_size: int = 4) -> Engine:
    """An engine whose every wait is bounded (connect 2 s, pool 1 s, statements by role). Nothing connects until used."""
    return create_engine(
        libpq_url(url).replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=1 if role == "web" else 10,
        pool_recycle=1800,
        hide_parameters=True,  # an exception's text is logged, and parameters are people's phones
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"connect_timeout": 2, "keepalives_idle": 15, "options": connect_options(role)},
    )


def connect(url: str, role: str) -> psycopg.Connection[tuple[object, ...]]:
    """A raw autocommit connection for the hot paths."""
    return psycopg.connect(libpq_url(url), autocommit=True, connect_timeout=2, keepalives_idle=15, options=connect_options(role))


@contextmanager
def dict_cursor(connection: Connection) -> Iterator[psycopg.Cursor[Any]]:
    """The driver's own cursor within the transaction of `connection`, with rows as dictionaries: as the intake reads and writes."""
    driver = connection.connection.dbapi_connection  # also of a detached connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor(row_factory=dict_row) as cursor:
        yield cursor


def _alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.attributes["url"] = url
    return config


def migrate(url: str, to: str = "head") -> None:
    """Brings the schema to this version. Safe when several processes start at once, and while others take in and work off.

    Each migration is a transaction of its own (or a few that can be repeated) that waits briefly for its locks and is tried
    again. Misconfigured if a newer version was here, or if the locks are not to be had in minutes.
    """
    engine = make_engine(url, "upgrade", pool_size=1)
    try:
        with engine.connect() as connection:
            _lock_migrations(connection)
            if _state(connection, url) == "ahead":
                raise Misconfigured(
                    "schema_ahead",
                    "The database has the schema of a newer Leadhub. Start that version or a newer one; to go back, restore the"
                    " backup that was made before the update.",
                )
            _upgrade(connection, url, to)
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()
    finally:
        engine.dispose()


def _lock_migrations(connection: Connection) -> None:
    """Asked for and not waited for: a statement that waits has a snapshot, for whose end an index built concurrently waits."""
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _MIGRATION_LOCK}):
        connection.commit()
        time.sleep(_ASK_AGAIN_SECONDS)
    connection.commit()


def _upgrade(connection: Connection, url: str, to: str) -> None:
    config = _alembic_config(url)
    config.attributes["connection"] = connection
    began = time.monotonic()
    while True:
        try:
            if time.monotonic() - began > _PATIENT_AFTER_SECONDS:
                connection.execute(text(f"SET lock_timeout = {_PATIENT_LOCK_MS}"))
                connection.commit()
            command.upgrade(config, to)
            connection.commit()
        except OperationalError as error:
            connection.rollback()
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
                raise
            if time.monotonic() - began > _LOCKS_TRIED_SECONDS:
                raise Misconfigured(
                    "schema_locked",
                    "The schema cannot be changed: somebody holds a lock on one of its tables (`SELECT * FROM pg_locks`). Nothing"
                    " is half done; run `leadhub migrate` again when they are gone.",
                ) from error
            _log.warning("migration_waits_for_a_lock")
            time.sleep(_LOCK_PAUSE_SECONDS)
        else:
            return


SchemaState = Literal["current", "behind", "ahead"]


def schema_state(url: str) -> SchemaState:
    """Where the database stands, beside this version's newest migration. `ahead`: a newer version has migrated it."""
    engine = make_engine(url, "web", pool_size=1)
    try:
        with engine.connect() as connection:
            return _state(connection, url)
    finally:
        engine.dispose()


def schema_is_current(url: str) -> bool:
    """True when the database stands at this version's newest migration."""
    return schema_state(url) == "current"


def _state(connection: Connection, url: str) -> SchemaState:
    script = ScriptDirectory.from_config(_alembic_config(url))
    current = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    if current == script.get_current_head():
        return "current"
    known = {revision.revision for revision in script.walk_revisions()}
    return "behind" if current is None or current in known else "ahead"
