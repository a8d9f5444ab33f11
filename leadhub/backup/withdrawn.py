"""Access that was withdrawn after the backup stays withdrawn, as far as the hub that is replaced remembers it.

Everybody signs in once more: a session that was ended since would else be open again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from crm_core.base.config import HubConfig
from crm_core.base.database import libpq_url

#: The present state of those who are in both: an account that was disabled, a lower or another role, a new password.
_USERS = """
UPDATE app_user u SET active = u.active AND p.active, role = p.role, password_hash = p.password_hash
  FROM unnest(%s::text[], %s::bool[], %s::text[], %s::text[]) AS p(login, active, role, password_hash)
 WHERE u.login = p.login
   AND (u.active AND NOT p.active OR u.role <> p.role OR u.password_hash IS DISTINCT FROM p.password_hash)
"""
_TOKENS = "UPDATE api_token SET revoked_at = now() WHERE digest = ANY(%s) AND revoked_at IS NULL"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    users: int = 0  # whose account, role or password was changed since
    tokens: int = 0  # revoked since


def withdraw(fresh: HubConfig, present: HubConfig | None) -> Withdrawn:
    """`present` is the hub that is about to be replaced; None where there was none."""
    with psycopg.connect(libpq_url(fresh.database_url), connect_timeout=5) as connection:
        connection.execute("DELETE FROM user_session")
        connection.execute("DELETE FROM sign_in_link")
        if present is None:
            return Withdrawn()
        users, revoked = _remembered(present)
        columns = [list(column) for column in zip(*users, strict=True)] or [[], [], [], []]
        changed = connection.execute(_USERS, columns).rowcount
        return Withdrawn(changed, connection.execute(_TOKENS, (revoked,)).rowcount)


def _remembered(present: HubConfig) -> tuple[list[tuple[Any, ...]], list[bytes]]:
    with psycopg.connect(libpq_url(present.database_url), connect_timeout=5) as connection:
        users = connection.execute("SELECT login, active, role, password_hash FROM app_user").fetchall()
        revoked = connection.execute("SELECT digest FROM api_token WHERE revoked_at IS NOT NULL").fetchall()
    return users, [row[0] for row in revoked]
