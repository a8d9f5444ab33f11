"""API tokens: shown once, stored as SHA-256, found by digest."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, text, update

from crm_core.access.principal import Principal
from crm_core.access.secret import digest, new_secret
from crm_core.errors import Invalid
from crm_core.models import ROLES, ApiToken


def create_token(connection: Connection, role: str, name: str, owner_id: int | None = None) -> str:
    """The new token, which nobody can read again. A manager's token without an owner sees no leads."""
    if role not in ROLES:
        raise Invalid(
            "unknown_role", f"There is no role {role!r}; choose one of {', '.join(ROLES)}.", fields=["role"]
        )
    token = new_secret("lh_")
    connection.execute(insert(ApiToken).values(digest=digest(token), name=name, role=role, owner_id=owner_id))
    return token


def find_token(connection: Connection, token: str) -> Principal | None:
    """Whose token it is; None if it is unknown or revoked. Notes its use at most once a minute."""
    wanted = digest(token)
    row = connection.execute(
        select(ApiToken).with_only_columns(
            ApiToken.id, ApiToken.digest, ApiToken.name, ApiToken.role, ApiToken.owner_id,
            or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < func.now() - text("interval '1 minute'"))
            .label("note_use"),
        ).where(ApiToken.digest == wanted, ApiToken.revoked_at.is_(None))
    ).one_or_none()  # fmt: skip
    # The index compared digests, which tell an attacker nothing about a token; the last word is constant time anyway.
    if row is None or not hmac.compare_digest(bytes(row.digest), wanted):
        return None
    if row.note_use:
        connection.execute(update(ApiToken).where(ApiToken.id == row.id).values(last_used_at=func.now()))
    return Principal("token", row.id, row.name, row.role, row.owner_id)


def list_tokens(connection: Connection) -> list[dict[str, Any]]:
    """All tokens without their secrets, newest first: {"id","name","role","owner_id","created_at","last_used_at","revoked_at"}."""
    rows = connection.execute(
        select(
            ApiToken.id, ApiToken.name, ApiToken.role, ApiToken.owner_id, ApiToken.created_at,
            ApiToken.last_used_at, ApiToken.revoked_at,
        ).order_by(ApiToken.id.desc())
    )  # fmt: skip
    return [dict(row) for row in rows.mappings()]


def revoke_token(connection: Connection, token_id: int, now: datetime) -> bool:
    """True if it was valid until now."""
    done = connection.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiToken.id)
    )
    return done.one_or_none() is not None
