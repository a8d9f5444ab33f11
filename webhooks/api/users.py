"""Those who sign in to the console: add, change, cut off. The rules are `crm_core.access.users`'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from crm_core import access
from crm_core.access.queries import get_user, list_users
from webhooks.api.parameters import RowId, Text
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Page, Shape, beside

Role = Literal["admin", "head", "manager", "ops", "readonly"]


class User(Shape):
    id: Id
    login: str
    name: str
    role: Role
    owner: Named | None
    active: bool
    has_password: bool = Field(description="false: signs in by link only")
    locale: str
    sessions: int = Field(description="browsers in which they are signed in")
    last_seen_at: AwareDatetime | None
    link_until: AwareDatetime | None = Field(description="until when an unused sign-in link opens")
    created_at: AwareDatetime


class UserWithLink(User):
    sign_in_url: str = Field(description="signs them in once; shown only here")


class UserPage(Page[User]):
    pass


class UserBody(Body):
    login: Text = Field(min_length=1, max_length=254, description="an e-mail address or a short name")
    name: Text = Field("", max_length=200, description="empty: the login")
    role: Role = "manager"
    owner: RowId | None = Field(None, description="which owner they are; a manager sees this owner's leads")
    password: str | None = Field(None, description="null: they sign in by the link of the answer")


class UserPatch(Body):
    name: Text | None = Field(None, min_length=1, max_length=200)
    role: Role | None = None
    owner: RowId | None = Field(None, description="null: no owner")
    active: bool | None = Field(None, description="false ends sessions, password, links and tokens at once")


class PasswordBody(Body):
    password: str


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_users(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_user(connection, ask.id("user"))


def _add(ask: Ask) -> object:
    body = cast(UserBody, ask.body)
    hashed = None if body.password is None else access.hash_password(body.password)
    with ask.engine.begin() as connection:
        user_id = access.add_user(connection, ask.principal, body.login, body.name, body.role, hashed, body.owner)
        link = access.make_link(connection, ask.principal, user_id, ask.now)
        return beside(get_user(connection, user_id), sign_in_url=_address(ask, link))


def _change(ask: Ask) -> object:
    user_id, body = ask.id("user"), cast(UserPatch, ask.body)
    changes: dict[str, Any] = body.model_dump(include={"name", "role"}, exclude_none=True)
    if "owner" in body.model_fields_set:
        changes["owner_id"] = body.owner
    with ask.engine.begin() as connection:
        access.change_user(connection, ask.principal, user_id, changes)
        if body.active is not None:
            deed = access.enable_user if body.active else access.disable_user
            deed(connection, ask.principal, user_id)
        return get_user(connection, user_id)


def _password(ask: Ask) -> object:
    hashed = access.hash_password(cast(PasswordBody, ask.body).password)
    return _do(ask, lambda connection, user_id: access.set_password(connection, ask.principal, user_id, hashed))


def _disable(ask: Ask) -> object:
    return _do(ask, lambda connection, user_id: access.disable_user(connection, ask.principal, user_id))


def _enable(ask: Ask) -> object:
    return _do(ask, lambda connection, user_id: access.enable_user(connection, ask.principal, user_id))


def _sign_out(ask: Ask) -> object:
    return _do(ask, lambda connection, user_id: access.sign_out_everywhere(connection, ask.principal, user_id))


def _delete(ask: Ask) -> None:
    _disable(ask)


def _link(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        user_id = ask.id("user")
        link = access.make_link(connection, ask.principal, user_id, ask.now)
        return beside(get_user(connection, user_id), sign_in_url=_address(ask, link))


def _do(ask: Ask, deed: Callable[[Connection, int], object]) -> object:
    """The deed, and then the user as they are now."""
    user_id = ask.id("user")
    with ask.engine.begin() as connection:
        deed(connection, user_id)
        return get_user(connection, user_id)


def _address(ask: Ask, link: str) -> str:
    return f"{ask.config.base_url}/console/sign-in/{link}"


ROUTES = (
    Route("GET", "/users", "users.read", _list, "Those who sign in, administrators first", UserPage),
    Route("POST", "/users", "users.write", _add, "Add a user; the link signs them in once, within a day",
          UserWithLink, body=UserBody, status=201),
    Route("GET", "/users/<id>", "users.read", _get, "One user", User),
    Route("PATCH", "/users/<id>", "users.write", _change, "Change a user; a new role or owner ends their sessions",
          User, body=UserPatch),
    Route("DELETE", "/users/<id>", "users.write", _delete, "Disable a user: history names them, so they stay", None,
          status=204),
    Route("POST", "/users/<id>/disable", "users.write", _disable,
          "End a user's sessions, password, links and tokens at once", User),
    Route("POST", "/users/<id>/enable", "users.write", _enable, "Let a disabled user sign in again", User),
    Route("POST", "/users/<id>/password", "users.write", _password, "Set a password; it ends their sessions",
          User, body=PasswordBody),
    Route("POST", "/users/<id>/sign-out", "users.write", _sign_out, "End all sessions of a user", User),
    Route("POST", "/users/<id>/link", "users.write", _link, "A link that signs them in once, within a day",
          UserWithLink),
)  # fmt: skip
