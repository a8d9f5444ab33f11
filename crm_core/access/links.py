"""Links that sign one person in, once. Stored as SHA-256, like tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from crm_core.access.models import SignInLink, User
from crm_core.access.principal import Principal
from crm_core.access.secret import digest, new_secret

_KEPT = timedelta(days=1)  # a used or old one is of no use; a day shows who asks why it does not open


def sign_in_link(connection: Connection, user_id: int, now: datetime, minutes: float = 15) -> str:
    """The secret part of a link for this user, good once within so many minutes. Clears away old ones."""
    connection.execute(delete(SignInLink).where(SignInLink.expires_at < now - _KEPT))
    token = new_secret("")
    connection.execute(
        insert(SignInLink).values(digest=digest(token), user_id=user_id, expires_at=now + timedelta(minutes=minutes))
    )
    return token


def use_sign_in_link(connection: Connection, token: str, now: datetime) -> Principal | None:
    """Who is signed in by it; None if it is unknown, used, too old, or its user is no longer active.

    One UPDATE decides, so that of two clicks at once only one gets in.
    """
    user_id = connection.execute(
        update(SignInLink)
        .where(SignInLink.digest == digest(token), SignInLink.used_at.is_(None), SignInLink.expires_at > now)
        .values(used_at=now)
        .returning(SignInLink.user_id)
    ).scalar_one_or_none()
    row = connection.execute(
        select(User.id, User.name, User.role, User.owner_id, User.locale).where(User.id == user_id, User.active)
    ).one_or_none()
    return None if row is None else Principal("user", row.id, row.name, row.role, row.owner_id, row.locale)


def drop_links(connection: Connection, user_id: int) -> None:
    """No link that was made for this user opens any more."""
    connection.execute(delete(SignInLink).where(SignInLink.user_id == user_id))
