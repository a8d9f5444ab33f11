"""A database of another name on the same server, and the moment at which it takes the place of the hub's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from crm_core.base.database import libpq_url
from crm_core.base.errors import Conflict, Invalid, Misconfigured
from leadhub.backup.server import Reached, url_of_database

_TRIES = 5  # processes that run connect again at once; closing the door to them takes effect at their next attempt


@contextmanager
def fresh_database(found: Reached) -> Iterator[str]:
    """An empty database of the hub's role; dropped at the end unless it has taken the other's place."""
    own = name_of(found.config.database_url)
    name = f"{own}_restore"
    role = unquote(urlsplit(libpq_url(found.config.database_url)).username or "") or None
    with _admin(found) as admin:
        _drop(admin, name)  # an earlier restore was killed
        try:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(role) if role else sql.SQL("CURRENT_USER")
                )
            )
        except psycopg.errors.InsufficientPrivilege as error:
            raise Misconfigured(
                "may_not_create_database",
                f"The role {role} may not make databases, and a restore needs one beside the present one. As the server's "
                f"administrator: ALTER ROLE {role} CREATEDB; (NOCREATEDB takes it back afterwards.)",
            ) from error
    try:
        yield name
    finally:
        with _admin(found) as admin:
            _drop(admin, name)


def take_the_place(found: Reached, name: str, *, keeps: bool) -> str | None:
    """Renames both in one transaction; returns the name under which the old one is kept, None if it was dropped."""
    own = name_of(found.config.database_url)
    kept = f"{own}_before_{datetime.now(UTC):%Y%m%d%H%M%S%f}"
    with _admin(found) as admin:
        _allow(admin, own, allowed=False)
        try:
            _rename(admin, {own: kept, name: own})
        except psycopg.Error:
            _allow(admin, own, allowed=True)
            raise
        if not keeps:
            _drop(admin, kept)
            return None
        return kept


def drop_kept(found: Reached, kept: str) -> None:
    """Drops a database that an earlier restore has kept. Invalid for any other name."""
    own = name_of(found.config.database_url)
    with _admin(found) as admin:
        names = [str(row[0]) for row in admin.execute("SELECT datname FROM pg_database").fetchall()]
        ours = sorted(name for name in names if re.fullmatch(rf"{re.escape(own)}_before_\d{{14,20}}", name))
        if kept not in ours:
            there = f"There are: {', '.join(ours)}." if ours else "There is none."
            raise Invalid("not_kept", f"{kept} is no database that a restore has kept. {there}", fields=["drop"])
        _drop(admin, kept)


def name_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/")) or "leadhub"


@contextmanager
def _admin(found: Reached) -> Iterator[psycopg.Connection[Any]]:
    url = libpq_url(url_of_database(found.admin_url, "postgres"))
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as admin:
            yield admin
    except psycopg.Error as error:
        words = str(error).strip().splitlines()[0]
        raise Misconfigured("database_refused", f"The database server refused: {words}. Nothing was changed.") from error


def _rename(admin: psycopg.Connection[Any], names: dict[str, str]) -> None:
    for attempt in range(_TRIES):
        admin.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = ANY(%s) AND pid <> pg_backend_pid()",
            (list(names),),
        )
        try:
            with admin.transaction():
                for before, after in names.items():
                    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(before), sql.Identifier(after)))
            return
        except psycopg.errors.ObjectInUse as error:
            if attempt == _TRIES - 1:
                raise Conflict("database_in_use", "Somebody holds on to the database. Stop them and repeat.") from error


def _allow(admin: psycopg.Connection[Any], name: str, *, allowed: bool) -> None:
    admin.execute(
        sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.SQL("true" if allowed else "false"))
    )


def _drop(admin: psycopg.Connection[Any], name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
