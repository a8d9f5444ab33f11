"""Users: who signs in, as what, and cutting somebody off. For administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from sqlalchemy import Connection

from crm_core import access
from crm_core.access.models import ROLES
from crm_core.access.queries import get_user, list_users
from crm_core.base.errors import Conflict, Invalid
from crm_core.base.values import read_id
from crm_core.people.queries import OwnerView, list_owners
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import Answer, Desk, entered


def index(desk: Desk) -> Answer:
    return _list(desk)


def card(desk: Desk, user_id: int) -> Answer:
    return _card(desk, user_id)


def add(desk: Desk) -> Answer:
    typed = {name: entered(name, 254) for name in ("login", "name", "role", "owner")}
    try:
        with desk.engine.begin() as connection:
            user_id = access.add_user(
                connection, typed["login"], typed["name"], typed["role"] or "manager", None, chosen_owner(typed["owner"]),
                desk.principal,
            )  # fmt: skip
            made = access.make_link(connection, desk.principal, user_id, desk.now)
    except (Invalid, Conflict) as error:
        return _list(desk, typed, errors.detail_of(desk, error)), 422
    return _card(desk, user_id, link=made)


def link(desk: Desk, user_id: int) -> Answer:
    """Shown on the answer itself, this once: an address with it would stand in the browser's history."""
    with desk.engine.begin() as connection:
        made = access.make_link(connection, desk.principal, user_id, desk.now)
    return _card(desk, user_id, link=made)


def change(desk: Desk, user_id: int) -> Answer:
    changes: dict[str, Any] = {"role": entered("role", 20), "owner_id": chosen_owner(entered("owner", 20))}
    if name := entered("name", 200):
        changes["name"] = name
    return _do(desk, user_id, "user_changed", lambda c: access.change_user(c, desk.principal, user_id, changes))


def password(desk: Desk, user_id: int) -> Answer:
    try:
        hashed = access.hash_password(request.form.get("password", ""))
    except Invalid as error:
        return _card(desk, user_id, problem=errors.detail_of(desk, error)), 422
    return _do(desk, user_id, "user_password", lambda c: access.set_password(c, desk.principal, user_id, hashed))


def active(desk: Desk, user_id: int) -> Answer:
    wanted = entered("active", 3)
    if wanted == "yes":
        return _do(desk, user_id, "user_enabled", lambda c: access.enable_user(c, desk.principal, user_id))
    if wanted == "no":
        return _do(desk, user_id, "user_disabled", lambda c: access.disable_user(c, desk.principal, user_id))
    raise Invalid("state_unknown", "Choose yes or no.", fields=["active"])


def sign_out(desk: Desk, user_id: int) -> Answer:
    return _do(desk, user_id, "user_signed_out", lambda c: access.sign_out_everywhere(c, desk.principal, user_id))


def _do(desk: Desk, user_id: int, done: str, deed: Callable[[Connection], object]) -> Answer:
    """The deed, then the user again; what is in its way stands above."""
    try:
        with desk.engine.begin() as connection:
            deed(connection)
    except (Invalid, Conflict) as error:
        status = 422 if isinstance(error, Invalid) else 409
        return _card(desk, user_id, problem=errors.detail_of(desk, error)), status
    return desk.go("user", done, user_id=user_id)


def _list(desk: Desk, typed: dict[str, str] | None = None, problem: str = "") -> str:
    with desk.engine.begin() as connection:
        items = list_users(connection)
        owners = active_owners(connection)
    return desk.page("access/users.html", items=items, owners=owners, roles=ROLES, entered=typed or {}, problem=problem)


def _card(desk: Desk, user_id: int, *, problem: str = "", link: str = "") -> str:
    with desk.engine.begin() as connection:
        user = get_user(connection, user_id)
        owners = active_owners(connection)
    address = f"{desk.config.base_url}/console/sign-in/{link}" if link else ""
    return desk.page(
        "access/user.html", user=user, owners=owners, roles=ROLES, problem=problem, address=address
    )


def active_owners(connection: Connection) -> list[OwnerView]:
    """Whom a user or a token may be."""
    return [owner for owner in list_owners(connection) if owner.active]


def chosen_owner(written: str) -> int | None:
    """The owner that was chosen; none for "nobody"."""
    if not written:
        return None
    try:
        return int(read_id(written))  # type: ignore[call-overload, no-any-return]
    except ValueError as error:
        raise Invalid("unknown_owner", "There is no such owner.", fields=["owner"]) from error
