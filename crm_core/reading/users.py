"""Those who sign in, and the tokens of programs: who gets in, since when, and when last. Never a secret."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from crm_core.access.sessions import IDLE
from crm_core.errors import NotFound
from crm_core.models import ApiToken, Owner, SignInLink, User, UserSession
from crm_core.reading.actors import names_of
from crm_core.reading.values import named, rfc3339


def list_users(connection: Connection, user_id: int | None = None) -> list[dict[str, Any]]:
    """Everybody, administrators first, the disabled last; or only one."""
    open_sessions = (
        select(func.count())
        .where(
            UserSession.user_id == User.id,
            UserSession.expires_at > func.now(),
            UserSession.last_seen_at > func.now() - IDLE,
        )
        .scalar_subquery()
    )
    last_seen = select(func.max(UserSession.last_seen_at)).where(UserSession.user_id == User.id).scalar_subquery()
    open_link = (
        select(func.max(SignInLink.expires_at))
        .where(
            SignInLink.user_id == User.id, SignInLink.used_at.is_(None), SignInLink.expires_at > func.now()
        )
        .scalar_subquery()
    )
    statement = (
        select(
            User.id, User.login, User.name, User.role, User.owner_id, Owner.name.label("owner_name"), User.active,
            User.password_hash.is_not(None).label("has_password"), User.locale, User.created_at,
            func.greatest(User.signed_in_at, last_seen).label("last_seen_at"),
            open_sessions.label("sessions"), open_link.label("link_until"),
        )
        .outerjoin(Owner, Owner.id == User.owner_id)
        .order_by(User.active.desc(), User.role != "admin", User.name, User.id)
    )  # fmt: skip
    if user_id is not None:
        statement = statement.where(User.id == user_id)
    return [
        {
            "id": str(row.id),
            "login": row.login,
            "name": row.name,
            "role": row.role,
            "owner": named(row.owner_id, row.owner_name),
            "active": row.active,
            "has_password": row.has_password,
            "locale": row.locale,
            "sessions": row.sessions,
            "last_seen_at": rfc3339(row.last_seen_at),
            "link_until": rfc3339(row.link_until),
            "created_at": rfc3339(row.created_at),
        }
        for row in connection.execute(statement)
    ]


def get_user(connection: Connection, user_id: int) -> dict[str, Any]:
    found = list_users(connection, user_id)
    if not found:
        raise NotFound("user_unknown", f"There is no user {user_id}.")
    return found[0]


def list_tokens(connection: Connection, token_id: int | None = None) -> list[dict[str, Any]]:
    """All tokens, those that open something first, then the newest; or only one."""
    statement = (
        select(
            ApiToken.id, ApiToken.name, ApiToken.role, ApiToken.owner_id, Owner.name.label("owner_name"),
            ApiToken.prefix, ApiToken.created_by, ApiToken.created_at, ApiToken.last_used_at, ApiToken.expires_at,
            ApiToken.revoked_at, (ApiToken.expires_at <= func.now()).label("expired"),
        )
        .outerjoin(Owner, Owner.id == ApiToken.owner_id)
        .order_by(ApiToken.revoked_at.is_not(None), ApiToken.id.desc())
    )  # fmt: skip
    if token_id is not None:
        statement = statement.where(ApiToken.id == token_id)
    rows = connection.execute(statement).all()
    makers = names_of(connection, {row.created_by for row in rows})
    return [
        {
            "id": str(row.id),
            "name": row.name,
            "role": row.role,
            "owner": named(row.owner_id, row.owner_name),
            "prefix": row.prefix,
            "state": "revoked" if row.revoked_at else "expired" if row.expired else "active",
            "created_by": {"actor": row.created_by, "name": makers.get(row.created_by)},
            "created_at": rfc3339(row.created_at),
            "last_used_at": rfc3339(row.last_used_at),
            "expires_at": rfc3339(row.expires_at),
            "revoked_at": rfc3339(row.revoked_at),
        }
        for row in rows
    ]


def get_token(connection: Connection, token_id: int) -> dict[str, Any]:
    found = list_tokens(connection, token_id)
    if not found:
        raise NotFound("token_unknown", f"There is no token {token_id}.")
    return found[0]
