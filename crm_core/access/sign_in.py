"""Signing in by password: who it is, nobody, or how long to wait.

Three short transactions with the hash between them, so that no connection is held while it is computed. Answers never
tell an unknown login from a wrong password, neither by words nor by time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine, select, update

from crm_core.access import passwords, throttle
from crm_core.access.models import User
from crm_core.access.principal import VISITOR, Principal
from crm_core.base import history
from crm_core.base.errors import Invalid, TooMany, Transient

SIGN_IN_REFUSED = history.Action("session.refuse", of="user")

_NOTED_EACH = 4  # then the 8th, 16th, 32nd …


@dataclass(frozen=True, slots=True)
class Attempt:
    login: str
    password: str
    network: str = ""  # where it comes from: an IPv4 address or an IPv6 /64
    visitor: str = ""  # the browser's session before it signs in
    devices: Mapping[int, str] = field(default_factory=dict)  # user id → name of this browser, if it signed in before


def check_password(engine: Engine, attempt: Attempt, now: datetime) -> Principal | None:
    """Who it is, or None. Raises TooMany (after wrong passwords) or Transient (too many hashes wait).

    A browser that has signed this user in before is never delayed by what others try elsewhere.
    """
    login = attempt.login.strip().lower()
    with engine.begin() as connection:
        row = None
        if storable(login):
            row = connection.execute(
                select(User.id, User.name, User.role, User.owner_id, User.locale, User.password_hash).where(
                    User.login == login, User.active
                )
            ).one_or_none()
        device = attempt.devices.get(row.id) if row else None
        admitted = throttle.admit(connection, login, attempt.network, attempt.visitor, device, now)
    if isinstance(admitted, timedelta):
        raise too_many(admitted)
    try:
        lane: passwords.Lane = "stranger" if device is None else "known"
        fits = passwords.fits(row.password_hash if row else None, attempt.password, lane)
    except Transient:
        with engine.begin() as connection:
            throttle.never_happened(connection, admitted)
        raise
    if row is None or not fits:
        _note_refusal(engine, None if row is None else row.id, admitted.failures, known=device is not None)
        return None
    renewed = _renewed(row.password_hash, attempt.password)
    with engine.begin() as connection:
        # A hash takes its time, and longer in a queue: meanwhile the password may have been changed, or the user cut off.
        still = select(User.id).where(User.id == row.id, User.active, User.password_hash == row.password_hash)
        if connection.execute(still).first() is None:
            return None
        throttle.succeeded(connection, admitted)
        if renewed is not None:
            connection.execute(
                update(User).where(User.id == row.id, User.password_hash == row.password_hash).values(password_hash=renewed)
            )
    return Principal("user", row.id, row.name, row.role, row.owner_id, row.locale)


def _note_refusal(engine: Engine, user_id: int | None, failures: int, *, known: bool) -> None:
    """The first few of a row and then ever fewer, with their number: whoever guesses must not fill what cannot be deleted.

    Not what was typed: people type their password into the wrong field.
    """
    if failures > _NOTED_EACH and failures & (failures - 1):
        return
    with engine.begin() as connection:
        data = {"failures": failures, "known_browser": known}
        history.record(connection, VISITOR, SIGN_IN_REFUSED, "unknown" if user_id is None else user_id, data)


def _renewed(stored: str, password: str) -> passwords.PasswordHash | None:
    """The password hashed with today's parameters where that is due and there is room just now."""
    if not passwords.outdated(stored):
        return None
    try:
        return passwords.hash_password(password)
    except (Invalid, Transient):
        return None


def confirm_password(engine: Engine, user_id: int, password: str, browser: str, now: datetime) -> bool:
    """Whether it is this signed-in user's password, asked again before something that matters. Raises like the sign-in.

    Counted by browser, so that whoever finds a screen unlocked cannot try them all.
    """
    with engine.begin() as connection:
        stored = connection.execute(select(User.password_hash).where(User.id == user_id)).scalar_one()
        admitted = throttle.admit(connection, "", "", "", f"confirm:{browser}", now)
    if isinstance(admitted, timedelta):
        raise too_many(admitted)
    fits = passwords.fits(stored, password, "known")
    if fits:
        with engine.begin() as connection:
            throttle.succeeded(connection, admitted)
    return fits


def too_many(wait: timedelta) -> TooMany:
    seconds = max(1, -int(-wait.total_seconds() // 1))  # rounded up: a second too early would be refused again
    return TooMany("sign_in_wait", f"Too many wrong passwords. Try again in {seconds} seconds.", seconds=seconds)


def storable(login: str) -> bool:
    """PostgreSQL's text holds neither NUL nor half a surrogate pair, so no user has such a login."""
    return not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in login)
