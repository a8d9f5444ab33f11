"""People who sign in: passwords in argon2id, growing delays instead of lock-outs, sessions that can be ended.

Answers never tell an unknown login from a wrong password, neither by words nor by time.
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from crm_core.access.principal import Principal
from crm_core.errors import Conflict, Invalid
from crm_core.models import ROLES, User

#: Wrong passwords that cost no wait: people mistype twice, rarely four times.
_FREE_FAILURES = 3
#: The longest wait. Long enough to stop guessing (about 1,400 a day), short enough that it is no weapon against the user.
_MAX_DELAY_SECONDS = 60
_MAX_PASSWORD_CHARS = 1024  # hashing megabytes would be work for free
_MIN_PASSWORD_CHARS = 10

_FOUND = (User.id, User.name, User.role, User.owner_id, User.locale, User.password_hash)


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # argon2id with the library's parameters, RFC 9106 low-memory profile


@functools.cache
def _nobodys_hash() -> str:
    """What the password of an unknown login is compared with, so that it takes as long as a known one's."""
    return _hasher().hash("nobody has this password")


def _hash(password: str) -> str:
    if not _MIN_PASSWORD_CHARS <= len(password) <= _MAX_PASSWORD_CHARS:
        raise Invalid(
            "password_length",
            f"A password has {_MIN_PASSWORD_CHARS} to {_MAX_PASSWORD_CHARS} characters.",
            fields=["password"],
        )
    return _hasher().hash(password)


def _fits(stored: str | None, password: str) -> bool:
    try:
        _hasher().verify(stored or _nobodys_hash(), password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _storable(login: str) -> bool:
    """PostgreSQL's text holds neither NUL nor half a surrogate pair, so no user has such a login."""
    return not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in login)


def add_user(
    connection: Connection,
    login: str,
    name: str,
    role: str,
    password: str | None = None,
    owner_id: int | None = None,
) -> int:
    """The new user's id. Without a password he signs in by link only. Raises Invalid or, for a taken login, Conflict."""
    login = login.strip().lower()
    if not login or not _storable(login) or len(login) > 254:  # RFC 5321 limits an address to 254
        raise Invalid("login", "A login is an e-mail address or a short name.", fields=["login"])
    if role not in ROLES:
        raise Invalid(
            "unknown_role", f"There is no role {role!r}; choose one of {', '.join(ROLES)}.", fields=["role"]
        )
    hashed = None if password is None else _hash(password)
    try:
        with connection.begin_nested():
            return connection.execute(
                insert(User)
                .values(login=login, name=name or login, role=role, password_hash=hashed, owner_id=owner_id)
                .returning(User.id)
            ).scalar_one()
    except IntegrityError as error:
        if "uq_app_user_login" not in str(error.orig):
            raise Invalid("unknown_owner", "There is no such owner.", fields=["owner_id"]) from error
        raise Conflict("login_taken", "There is already a user with this login.", fields=["login"]) from error


def find_user_id(connection: Connection, login: str) -> int | None:
    """The id of an active user, for instance to make him a sign-in link."""
    if not _storable(login):
        return None
    return connection.execute(
        select(User.id).where(User.login == login.strip().lower(), User.active)
    ).scalar_one_or_none()


def _delay(failures: int) -> timedelta:
    return timedelta(seconds=min(2.0 ** min(failures - _FREE_FAILURES, 16), _MAX_DELAY_SECONDS))


def check_password(connection: Connection, login: str, password: str, now: datetime) -> Principal | None:
    """Who it is, or None. The caller must commit in both cases: the failure is counted in his transaction.

    The row stays locked while the password is hashed, so that parallel guesses are counted one by one. During a delay
    even the right password is refused, after the same work; tries made meanwhile do not prolong it.
    """
    login = login.strip().lower()
    row = None
    if _storable(login):
        row = connection.execute(
            select(*_FOUND, User.failed_logins)
            .where(
                User.login == login, User.active, or_(User.locked_until.is_(None), User.locked_until <= now)
            )
            .with_for_update()
        ).one_or_none()
    fits = _fits(row.password_hash if row else None, password[:_MAX_PASSWORD_CHARS])
    if row is None:
        return None
    if not fits:
        failures = row.failed_logins + 1
        until = now + _delay(failures) if failures >= _FREE_FAILURES else None
        connection.execute(
            update(User).where(User.id == row.id).values(failed_logins=failures, locked_until=until)
        )
        return None
    changes: dict[str, object] = {"failed_logins": 0, "locked_until": None}
    if _hasher().check_needs_rehash(row.password_hash):
        changes["password_hash"] = _hasher().hash(password)
    if row.failed_logins or "password_hash" in changes:
        connection.execute(update(User).where(User.id == row.id).values(**changes))
    return Principal("user", row.id, row.name, row.role, row.owner_id, row.locale)


def set_password(connection: Connection, user_id: int, password: str) -> None:
    """Replaces the password and ends all his sessions."""
    connection.execute(
        update(User)
        .where(User.id == user_id)
        .values(password_hash=_hash(password), session_epoch=User.session_epoch + 1)
    )


def session_epoch(connection: Connection, user_id: int) -> int:
    """Goes into the session at sign-in; a session with an older one is over."""
    return connection.execute(select(User.session_epoch).where(User.id == user_id)).scalar_one()


def find_session(connection: Connection, user_id: int, epoch: int) -> Principal | None:
    """The user of a session as he is now; None if he was deactivated or his sessions were ended."""
    row = connection.execute(
        select(*_FOUND).where(User.id == user_id, User.session_epoch == epoch, User.active)
    ).one_or_none()
    return None if row is None else Principal("user", row.id, row.name, row.role, row.owner_id, row.locale)


def end_sessions(connection: Connection, user_id: int) -> None:
    connection.execute(update(User).where(User.id == user_id).values(session_epoch=User.session_epoch + 1))


def set_locale(connection: Connection, user_id: int, locale: str) -> None:
    if locale not in {"ru", "en"}:
        raise Invalid("locale", "Choose ru or en.", fields=["locale"])
    connection.execute(update(User).where(User.id == user_id).values(locale=locale))
