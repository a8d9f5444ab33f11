"""Those who sign in, and the tokens of programs: who gets in, since when, and when last. Never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, select

from crm_core.access.actors import names_of
from crm_core.access.models import ApiToken, SignInLink, User, UserSession
from crm_core.access.sessions import IDLE
from crm_core.base.errors import NotFound
from crm_core.base.values import Named, named
from crm_core.people.models import Owner


@dataclass(frozen=True, slots=True)
class UserView:
    id: int
    login: str
    name: str
    role: str
    owner: Named | None
    active: bool
    has_password: bool  # False: signs in by link only
    locale: str
    sessions: int  # browsers in which they are signed in
    last_seen_at: datetime | None
    link_until: datetime | None  # until when an unused sign-in link opens
    created_at: datetime

    @property
    def state(self) -> Literal["disabled", "active", "invited", "new"]:
        if not self.active:
            return "disabled"
        if self.last_seen_at:
            return "active"
        return "invited" if self.link_until else "new"


@dataclass(frozen=True, slots=True)
class Maker:
    actor: str  # user:7, token:3, cli; "" for tokens from before this was kept
    name: str | None


@dataclass(frozen=True, slots=True)
class TokenView:
    id: int
    name: str
    role: str
    owner: Named | None  # as whom a manager's token acts
    prefix: str  # its first characters
    state: Literal["active", "expired", "revoked"]
    created_by: Maker
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


def list_users(connection: Connection, user_id: int | None = None) -> list[UserView]:
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
        .where(SignInLink.user_id == User.id, SignInLink.used_at.is_(None), SignInLink.expires_at > func.now())
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
        UserView(
            row.id, row.login, row.name, row.role, named(row.owner_id, row.owner_name), row.active, row.has_password, row.locale,
            row.sessions, row.last_seen_at, row.link_until, row.created_at,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def get_user(connection: Connection, user_id: int) -> UserView:
    found = list_users(connection, user_id)
    if not found:
        raise NotFound("user_unknown", f"There is no user {user_id}.")
    return found[0]


def list_tokens(connection: Connection, token_id: int | None = None) -> list[TokenView]:
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
        TokenView(
            row.id, row.name, row.role, named(row.owner_id, row.owner_name), row.prefix,
            "revoked" if row.revoked_at else "expired" if row.expired else "active",
            Maker(row.created_by, makers.get(row.created_by)), row.created_at, row.last_used_at, row.expires_at, row.revoked_at,
        )
        for row in rows
    ]  # fmt: skip


def get_token(connection: Connection, token_id: int) -> TokenView:
    found = list_tokens(connection, token_id)
    if not found:
        raise NotFound("token_unknown", f"There is no token {token_id}.")
    return found[0]


def logins_of(connection: Connection) -> dict[int, list[tuple[str, str]]]:
    """By owner: login and role of each active user who is that owner."""
    found: dict[int, list[tuple[str, str]]] = {}
    rows = connection.execute(
        select(User.owner_id, User.login, User.role).where(User.owner_id.is_not(None), User.active).order_by(User.id)
    )
    for row in rows:
        found.setdefault(row.owner_id, []).append((row.login, row.role))
    return found
