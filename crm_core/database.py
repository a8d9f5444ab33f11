"""Engines and connections to PostgreSQL, with bounded waits, and the migration to the current schema."""

from __future__ import annotations

from pathlib import Path

import orjson
import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

#: Waits a role may cause, in milliseconds: (statement_timeout, lock_timeout). A web request must answer within a
#: provider's five seconds; a worker may take longer; a migration as long as it needs.
ROLE_TIMEOUTS_MS = {"web": (3_000, 1_000), "worker": (30_000, 5_000), "ui": (15_000, 2_000), "migrate": (0, 10_000)}

_MIGRATION_LOCK = 0x1EAD_4B  # one migration at a time, whoever starts first


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
    return psycopg.connect(
        libpq_url(url), autocommit=True, connect_timeout=2, keepalives_idle=15, options=connect_options(role)
    )


def _alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    """Brings the schema to this version. Safe when several processes start at once: the others wait, then find it done."""
    engine = make_engine(url, "migrate", pool_size=1)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()
            config = _alembic_config(url)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()
    finally:
        engine.dispose()


def schema_is_current(url: str) -> bool:
    """True when the database stands at this version's newest migration."""
    engine = make_engine(url, "web", pool_size=1)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        return current == ScriptDirectory.from_config(_alembic_config(url)).get_current_head()
    finally:
        engine.dispose()
