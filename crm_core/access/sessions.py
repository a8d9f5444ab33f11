"""Sessions of the console on the server: a row each, found by digest, ended by deleting it.

A cookie that was copied is worth nothing from the moment on that its session was ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from crm_core.access.models import User, UserSession
from crm_core.access.principal import Principal
from crm_core.access.secret import digest
from crm_core.base import history

SESSION_BEGUN = history.Action("session.begin", of="user")
SESSION_ENDED = history.Action("session.end", of="user")

#: A working day with a long lunch; a forgotten browser is closed to others the next morning.
IDLE: Final = timedelta(hours=12)
#: However busy, once a fortnight one shows again that it is oneself.
ABSOLUTE: Final = timedelta(days=14)
_NOTE_USE: Final = timedelta(minutes=1)  # last_seen_at is written this often at most
_MOST_OF_A_USER: Final = 20  # more browsers than anybody has; the one unseen for longest makes room

Method = Literal["password", "link"]


@dataclass(frozen=True, slots=True)
class SessionView:
    """A browser in which somebody is signed in."""

    id: int
    method: str
    agent: str
    created_at: datetime
    last_seen_at: datetime
    current: bool  # the one that asks


def begin_session(connection: Connection, principal: Principal, secret: str, method: Method, agent: str, now: datetime) -> int:
    """Lets the one who has just proven who they are in. The id of a new session that the holder of `secret` (256 random bits)
    has."""
    session_id = renew_session(connection, principal.id, secret, method, agent, now)
    history.record(connection, principal, SESSION_BEGUN, principal.id, {"by": method})
    return session_id


def renew_session(connection: Connection, user_id: int, secret: str, method: Method, agent: str, now: datetime) -> int:
    """A session in the place of one that this very browser had: nobody comes in by it. Clears away what has run out."""
    connection.execute(delete(UserSession).where(_over(now)))
    kept = (
        select(UserSession.id)
        .where(UserSession.user_id == user_id)
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        .limit(_MOST_OF_A_USER - 1)
    )
    connection.execute(delete(UserSession).where(UserSession.user_id == user_id, UserSession.id.not_in(kept)))
    connection.execute(update(User).where(User.id == user_id).values(signed_in_at=now))
    return connection.execute(
        insert(UserSession)
        .values(
            digest=digest(secret), user_id=user_id, method=method, agent=agent, created_at=now, last_seen_at=now,
            expires_at=now + ABSOLUTE,
        )
        .returning(UserSession.id)
    ).scalar_one()  # fmt: skip


def find_session(connection: Connection, secret: str, now: datetime) -> Principal | None:
    """The user of a session as they are now; None if it was ended or has run out. One indexed read."""
    row = connection.execute(
        select(
            UserSession.id, UserSession.last_seen_at, User.id.label("user_id"), User.name, User.role, User.owner_id,
            User.locale,
        )
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.digest == digest(secret), ~_over(now), User.active)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    if now - row.last_seen_at >= _NOTE_USE:
        connection.execute(update(UserSession).where(UserSession.id == row.id).values(last_seen_at=now))
    return Principal("user", row.user_id, row.name, row.role, row.owner_id, row.locale)


def end_session(connection: Connection, principal: Principal, secret: str) -> bool:
    """Ends one's own session, the one of this cookie; False if there is none any more."""
    return _end_own(connection, principal, UserSession.digest == digest(secret), {})


def end_session_of(connection: Connection, principal: Principal, session_id: int) -> bool:
    """Ends one of one's own sessions, by its number in the list; False if there is none of this number."""
    return _end_own(connection, principal, UserSession.id == session_id, {"session": str(session_id)})


def drop_session(connection: Connection, secret: str) -> None:
    """Makes room for whoever signs in at this browser: its cookie is replaced, so its session, anybody's, is worth nothing."""
    connection.execute(delete(UserSession).where(UserSession.digest == digest(secret)))


def end_sessions(connection: Connection, user_id: int, but: str = "") -> int:
    """Ends all sessions of a user, but for the one with the secret `but`; returns how many."""
    clause = UserSession.user_id == user_id
    if but:
        clause &= UserSession.digest != digest(but)
    return connection.execute(delete(UserSession).where(clause)).rowcount


def list_sessions(connection: Connection, user_id: int, now: datetime, current: str = "") -> list[SessionView]:
    """Open sessions, the last used first; `current` is the secret of the one that asks."""
    rows = connection.execute(
        select(UserSession)
        .with_only_columns(
            UserSession.id, UserSession.digest, UserSession.method, UserSession.agent, UserSession.created_at,
            UserSession.last_seen_at,
        )
        .where(UserSession.user_id == user_id, ~_over(now))
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )  # fmt: skip
    mine = digest(current) if current else b""
    return [
        SessionView(row.id, row.method, row.agent, row.created_at, row.last_seen_at, bytes(row.digest) == mine) for row in rows
    ]


def _end_own(connection: Connection, principal: Principal, clause: ColumnElement[bool], data: Mapping[str, str]) -> bool:
    own = delete(UserSession).where(clause, UserSession.user_id == principal.id)
    ended = principal.kind == "user" and connection.execute(own).rowcount > 0
    if ended:
        history.record(connection, principal, SESSION_ENDED, principal.id, data)
    return ended


def _over(now: datetime) -> Any:
    return or_(UserSession.expires_at <= now, UserSession.last_seen_at <= now - IDLE)
