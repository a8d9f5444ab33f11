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
from crm_core.people.queries import OwnerView, list_owners
from webhooks.api.parameters import read_id
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered


def index(context: RequestContext) -> PageAnswer:
    return _list(context)


def card(context: RequestContext, user_id: int) -> PageAnswer:
    return _card(context, user_id)


def add(context: RequestContext) -> PageAnswer:
    typed = {name: entered(name, 254) for name in ("login", "name", "role", "owner")}
    try:
        with context.engine.begin() as connection:
            user_id = access.add_user(
                connection, context.principal, typed["login"], typed["name"], typed["role"] or "manager", None,
                chosen_owner(typed["owner"]),
            )  # fmt: skip
            made = access.make_link(connection, context.principal, user_id, context.now)
    except (Invalid, Conflict) as error:
        return _list(context, typed, errors.problem_of(context, error)), 422
    return _card(context, user_id, link=made)


def link(context: RequestContext, user_id: int) -> PageAnswer:
    """Shown on the answer itself, this once: an address with it would stand in the browser's history."""
    with context.engine.begin() as connection:
        made = access.make_link(connection, context.principal, user_id, context.now)
    return _card(context, user_id, link=made)


def change(context: RequestContext, user_id: int) -> PageAnswer:
    changes: dict[str, Any] = {"role": entered("role", 20), "owner_id": chosen_owner(entered("owner", 20))}
    if name := entered("name", 200):
        changes["name"] = name
    return _do(context, user_id, "user_changed", lambda c: access.change_user(c, context.principal, user_id, changes))


def password(context: RequestContext, user_id: int) -> PageAnswer:
    try:
        hashed = access.hash_password(request.form.get("password", ""))
    except Invalid as error:
        return _card(context, user_id, problem=errors.problem_of(context, error)), 422
    return _do(context, user_id, "user_password", lambda c: access.set_password(c, context.principal, user_id, hashed))


def active(context: RequestContext, user_id: int) -> PageAnswer:
    wanted = entered("active", 3)
    if wanted == "yes":
        return _do(context, user_id, "user_enabled", lambda c: access.enable_user(c, context.principal, user_id))
    if wanted == "no":
        return _do(context, user_id, "user_disabled", lambda c: access.disable_user(c, context.principal, user_id))
    raise Invalid("state_unknown", "Choose yes or no.", fields=["active"])


def sign_out(context: RequestContext, user_id: int) -> PageAnswer:
    return _do(context, user_id, "user_signed_out", lambda c: access.sign_out_everywhere(c, context.principal, user_id))


def _do(context: RequestContext, user_id: int, done: str, deed: Callable[[Connection], object]) -> PageAnswer:
    """The deed, then the user again; what is in its way stands above."""
    try:
        with context.engine.begin() as connection:
            deed(connection)
    except (Invalid, Conflict) as error:
        status = 422 if isinstance(error, Invalid) else 409
        return _card(context, user_id, problem=errors.problem_of(context, error)), status
    return context.go("user", done, user_id=user_id)


def _list(context: RequestContext, typed: dict[str, str] | None = None, problem: errors.Problem | None = None) -> str:
    with context.engine.begin() as connection:
        items = list_users(connection)
        owners = active_owners(connection)
    return context.page("access/users.html", items=items, owners=owners, roles=ROLES, entered=typed or {}, problem=problem)


def _card(context: RequestContext, user_id: int, *, problem: errors.Problem | None = None, link: str = "") -> str:
    with context.engine.begin() as connection:
        user = get_user(connection, user_id)
        owners = active_owners(connection)
    address = f"{context.config.base_url}/console/sign-in/{link}" if link else ""
    return context.page("access/user.html", user=user, owners=owners, roles=ROLES, problem=problem, address=address)


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
