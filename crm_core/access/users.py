"""People who sign in: added, changed, cut off. Each command writes its row of the audit in the caller's transaction.

Whoever is disabled, or whose owner is retired, is out at once: sessions, password, links and tokens. The last
administrator stays.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from crm_core.access.links import drop_links, sign_in_link
from crm_core.access.models import ROLES, User
from crm_core.access.passwords import PasswordHash
from crm_core.access.principal import Principal
from crm_core.access.rights import demand
from crm_core.access.sessions import end_sessions
from crm_core.access.sign_in import storable
from crm_core.access.tokens import revoke_tokens_of
from crm_core.base import history
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.people.models import Owner

USER_ADDED = history.Action("user.add")
USER_CHANGED = history.Action("user.change")
USER_DISABLED = history.Action("user.disable")
USER_ENABLED = history.Action("user.enable")
PASSWORD_SET = history.Action("user.password")
SIGNED_OUT = history.Action("user.sign_out")
LINK_MADE = history.Action("user.link")
LOCALE_SET = history.Action("user.locale")

_RIGHT: Final = "users.write"
#: A link that somebody hands on: the colleague may be out of the house today.
LINK_MINUTES = 24 * 60.0


def add_user(
    connection: Connection,
    principal: Principal,
    login: str,
    name: str,
    role: str,
    password: PasswordHash | None = None,
    owner_id: int | None = None,
) -> int:
    """The new user's id. Without a password they sign in by link only. Raises Invalid or, for a taken login, Conflict."""
    demand(principal, _RIGHT)
    login = login.strip().lower()
    if not login or not storable(login) or len(login) > 254:  # RFC 5321 limits an address to 254
        raise Invalid("login", "A login is an e-mail address or a short name.", fields=["login"])
    _check_role(role)
    active_owner(connection, owner_id)
    try:
        with connection.begin_nested():
            user_id = connection.execute(
                insert(User)
                .values(login=login, name=name or login, role=role, password_hash=_hashed(password), owner_id=owner_id)
                .returning(User.id)
            ).scalar_one()
    except IntegrityError as error:
        raise Conflict("login_taken", "There is already a user with this login.", fields=["login"]) from error
    history.record(connection, principal, USER_ADDED, user_id, {"role": role, "owner": _text(owner_id)})
    return user_id


def change_user(connection: Connection, principal: Principal, user_id: int, changes: dict[str, Any]) -> None:
    """`changes` by column: name, role, owner_id. A new role or owner ends their sessions, and whoever is no longer an
    administrator loses the tokens that they made. Raises NotFound, Invalid, Conflict (last_administrator).
    """
    demand(principal, _RIGHT)
    _hold_owner(connection, changes.get("owner_id"))
    user = _locked(connection, user_id)
    changed = {name: value for name, value in changes.items() if value != getattr(user, name)}
    if "role" in changed:
        _check_role(changed["role"])
        if user.role == "admin":
            _keep_an_administrator(connection, {user_id})
    if changed.get("owner_id") is not None:
        active_owner(connection, changed["owner_id"])
    if not changed:
        return
    connection.execute(update(User).where(User.id == user_id).values(**changed))
    data: dict[str, Any] = {"fields": sorted(changed)}
    if "role" in changed:
        data |= {"role": changed["role"], "role_before": user.role}
    history.record(connection, principal, USER_CHANGED, user_id, data)
    if changed.keys() & {"role", "owner_id"}:
        end_sessions(connection, user_id)
    if user.role == "admin" and "role" in changed:
        revoke_tokens_of(connection, principal, user_id, None, f"user:{user_id}")


def disable_user(connection: Connection, principal: Principal, user_id: int) -> None:
    """Ends everything that lets them in: sessions, password, links, and the tokens of theirs. Raises NotFound, Conflict."""
    demand(principal, _RIGHT)
    if _locked(connection, user_id).active:
        _keep_an_administrator(connection, {user_id})
    _cut_off(connection, principal, user_id, {})


def enable_user(connection: Connection, principal: Principal, user_id: int) -> None:
    """Lets them sign in again, by the password that they had or a new link. Tokens stay revoked. Raises NotFound, Conflict."""
    demand(principal, _RIGHT)
    _hold_owner(connection, connection.scalar(select(User.owner_id).where(User.id == user_id)))
    user = _locked(connection, user_id)
    if user.active:
        return
    if user.owner_id is not None and not connection.scalar(select(Owner.active).where(Owner.id == user.owner_id)):
        raise Conflict("owner_retired", "The owner that this user is was retired; activate the owner first.")
    connection.execute(update(User).where(User.id == user_id).values(active=True))
    history.record(connection, principal, USER_ENABLED, user_id)


def cut_off_owner(connection: Connection, principal: Principal, owner_id: int) -> None:
    """A part of retiring an owner, who is locked: their users are disabled, their tokens revoked. Raises Conflict
    (last_administrator)."""
    users = connection.execute(
        select(User.id).where(User.owner_id == owner_id, User.active).order_by(User.id).with_for_update()
    ).scalars()
    user_ids = list(users)
    _keep_an_administrator(connection, set(user_ids))
    for user_id in user_ids:
        _cut_off(connection, principal, user_id, {"owner": str(owner_id)})
    revoke_tokens_of(connection, principal, None, owner_id, f"owner:{owner_id}")


def set_password(connection: Connection, principal: Principal, user_id: int, password: PasswordHash, but: str = "") -> None:
    """Replaces the password, one's own or with the right another's; ends their sessions (but the one with the secret `but`) and
    their open links. Raises NotFound."""
    _demand_of(principal, user_id)
    _locked(connection, user_id)
    connection.execute(update(User).where(User.id == user_id).values(password_hash=_hashed(password)))
    end_sessions(connection, user_id, but)
    drop_links(connection, user_id)
    history.record(connection, principal, PASSWORD_SET, user_id)


def sign_out_everywhere(connection: Connection, principal: Principal, user_id: int) -> int:
    """Ends all sessions, one's own or with the right another's; returns how many there were. Raises NotFound."""
    _demand_of(principal, user_id)
    _locked(connection, user_id)
    ended = end_sessions(connection, user_id)
    history.record(connection, principal, SIGNED_OUT, user_id, {"sessions": ended})
    return ended


def make_link(connection: Connection, principal: Principal, user_id: int, now: datetime, minutes: float = LINK_MINUTES) -> str:
    """The secret part of a link that signs them in, once. Raises NotFound, Conflict (user_disabled)."""
    demand(principal, _RIGHT)
    if not _locked(connection, user_id).active:
        raise Conflict("user_disabled", "This user is disabled; enable them first.")
    history.record(connection, principal, LINK_MADE, user_id)
    return sign_in_link(connection, user_id, now, minutes)


def find_user_id(connection: Connection, login: str) -> int | None:
    """The id of a user, active or not."""
    if not storable(login):
        return None
    return connection.execute(select(User.id).where(User.login == login.strip().lower())).scalar_one_or_none()


def has_password(connection: Connection, user_id: int) -> bool:
    return bool(connection.scalar(select(User.password_hash.is_not(None)).where(User.id == user_id)))


def set_locale(connection: Connection, principal: Principal, user_id: int, locale: str) -> None:
    """The language of the console, one's own or with the right another's. Raises Invalid."""
    _demand_of(principal, user_id)
    if locale not in {"ru", "en"}:
        raise Invalid("locale", "Choose ru or en.", fields=["locale"])
    other = update(User).where(User.id == user_id, User.locale != locale).values(locale=locale)
    if connection.execute(other).rowcount:
        history.record(connection, principal, LOCALE_SET, user_id, {"locale": locale})


def active_owner(connection: Connection, owner_id: int | None) -> None:
    """Raises Invalid unless there is this owner and they work here, also at the moment of the commit."""
    if owner_id is None:
        return
    active = connection.scalar(select(Owner.active).where(Owner.id == owner_id).with_for_update(read=True))
    if active is None:
        raise Invalid("unknown_owner", "There is no such owner.", fields=["owner"])
    if not active:
        raise Invalid("owner_retired", "This owner was retired; activate the owner first.", fields=["owner"])


def _cut_off(connection: Connection, principal: Principal, user_id: int, data: dict[str, Any]) -> None:
    user = connection.execute(select(User.active, User.owner_id).where(User.id == user_id)).one()
    connection.execute(update(User).where(User.id == user_id).values(active=False))
    ended = end_sessions(connection, user_id)
    drop_links(connection, user_id)
    if user.active:
        history.record(connection, principal, USER_DISABLED, user_id, data | {"sessions": ended})
    revoke_tokens_of(connection, principal, user_id, user.owner_id, f"user:{user_id}")


def _demand_of(principal: Principal, user_id: int) -> None:
    """Everybody may what is about themselves alone."""
    if principal.kind != "user" or principal.id != user_id:
        demand(principal, _RIGHT)


def _hold_owner(connection: Connection, owner_id: int | None) -> None:
    """An owner is locked before their users, as whoever retires one does it, so that neither waits for the other."""
    if owner_id is not None:
        connection.execute(select(Owner.id).where(Owner.id == owner_id).with_for_update(read=True))


def _keep_an_administrator(connection: Connection, leaving: set[int]) -> None:
    """Raises Conflict if nobody would be left who may let others in. Locks all of them: of two at once one remains."""
    administrators = set(
        connection.execute(select(User.id).where(User.role == "admin", User.active).order_by(User.id).with_for_update()).scalars()
    )
    if administrators & leaving and not administrators - leaving:
        raise Conflict("last_administrator", "This is the last administrator who can sign in. Make another user one first.")


def _locked(connection: Connection, user_id: int) -> Any:
    row = connection.execute(
        select(User.id, User.name, User.role, User.owner_id, User.active).where(User.id == user_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("user_unknown", f"There is no user {user_id}.")
    return row


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid("unknown_role", f"There is no role {role!r}; choose one of {', '.join(ROLES)}.", fields=["role"])


def _hashed(password: PasswordHash | None) -> PasswordHash | None:
    """Stops a password in clear from ever being stored, whatever a caller believes it has."""
    if password is not None and not password.startswith("$argon2id$"):
        raise ValueError("a password is stored as the hash that hash_password makes")
    return password


def _text(row_id: int | None) -> str | None:
    return None if row_id is None else str(row_id)
