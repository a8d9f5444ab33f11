"""`leadhub user …`: who signs in, as what, and cutting somebody off. Passwords come from standard input or a prompt."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_ROLES = click.Choice(["admin", "head", "manager", "ops", "readonly"])
_FORGOTTEN_MINUTES = 60.0  # for a link that somebody at the telephone waits for


def _from_stdin(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A password on the command line would stand in the shell's history and in the list of processes."""
    if value is None or value == "-":
        return value
    raise click.BadParameter("give - and write the password to standard input; it must not stand on the command line.")


password_option = click.option(
    "--password", callback=_from_stdin, metavar="-", help="- reads it from standard input; nothing else is taken here."
)


@click.group()
def user() -> None:
    """Those who sign in to the console. USER is a login or an id."""


@user.command()
@click.argument("login")
@click.option("--name", default="", help="What the console calls them; default: the login.")
@click.option("--role", type=_ROLES, default="manager", show_default=True)
@click.option("--owner", "owner_id", type=int, help="The owner they are, for a manager who sees their own leads.")
@password_option
@click.option("--password-stdin", is_flag=True, help="The same as --password -.")
@answers
def add(
    login: str, name: str, role: str, owner_id: int | None, password: str | None, password_stdin: bool, as_json: bool
) -> None:
    """Add a user and show a link that signs them in, once, within a day."""
    from crm_core import access
    from crm_core.access.queries import get_user
    from webhooks.api.shape import beside, plain_json
    from webhooks.api.users import UserWithLink

    hashed = access.hash_password(_read_line()) if password or password_stdin else None
    with hub() as (config, engine), engine.begin() as connection:
        user_id = access.add_user(connection, operator(), login, name or login, role, hashed, owner_id)
        link = access.make_link(connection, operator(), user_id, datetime.now(UTC))
        made = get_user(connection, user_id)
    url = f"{config.base_url}/console/sign-in/{link}"
    said = f"User {user_id}: {made.login} ({role})\n  signs in within a day by {url}"
    tell(plain_json(UserWithLink, beside(made, sign_in_url=url)), as_json=as_json, words=said)


@user.command(name="list")
@answers
def list_(as_json: bool) -> None:
    """Show all users with their role, state and sessions."""
    from crm_core.access.queries import list_users
    from webhooks.api.shape import plain_json
    from webhooks.api.users import User

    with hub() as (_, engine), engine.connect() as connection:
        rows = [plain_json(User, one) for one in list_users(connection)]
    columns = {
        "id": "ID", "login": "LOGIN", "name": "NAME", "role": "ROLE", "owner": "OWNER", "active": "ACTIVE",
        "has_password": "PASSWORD", "sessions": "SESSIONS", "last_seen_at": "LAST SEEN",
    }  # fmt: skip
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "There are no users yet: leadhub user add LOGIN"))


@user.command()
@click.argument("who", metavar="USER")
@click.argument("role", type=_ROLES)
@answers
def role(who: str, role: str, as_json: bool) -> None:
    """Give a user another role; it ends their sessions."""
    _change(who, {"role": role}, as_json)


@user.command()
@click.argument("who", metavar="USER")
@click.argument("owner_id", metavar="OWNER")
@answers
def owner(who: str, owner_id: str, as_json: bool) -> None:
    """Say which owner a user is: an owner's id, or none. It ends their sessions."""
    if owner_id != "none" and not owner_id.isdecimal():
        raise click.BadParameter("give an owner's id, or none.", param_hint="OWNER")
    _change(who, {"owner_id": None if owner_id == "none" else int(owner_id)}, as_json)


@user.command()
@click.argument("who", metavar="USER")
@answers
def disable(who: str, as_json: bool) -> None:
    """Cut a user off: sessions, password, links and tokens end at once."""
    from crm_core import access

    _do(who, lambda connection, user_id: access.disable_user(connection, operator(), user_id), "is disabled.", as_json)


@user.command()
@click.argument("who", metavar="USER")
@answers
def enable(who: str, as_json: bool) -> None:
    """Let a disabled user sign in again. Revoked tokens stay revoked."""
    from crm_core import access

    _do(who, lambda connection, user_id: access.enable_user(connection, operator(), user_id), "may sign in again.", as_json)


@user.command()
@click.argument("who", metavar="USER")
@password_option
@answers
def password(who: str, password: str | None, as_json: bool) -> None:
    """Set a user's password: asked for here, or read from standard input. It ends their sessions."""
    from crm_core import access

    if password is None and not sys.stdin.isatty():
        raise click.UsageError("Write the password to standard input and give --password -, or make a link: leadhub user link.")
    written = _read_line() if password else click.prompt("New password", hide_input=True, confirmation_prompt=True)
    hashed = access.hash_password(written)
    _do(who, lambda connection, user_id: access.set_password(connection, operator(), user_id, hashed),
        "has a new password; their sessions have ended.", as_json)  # fmt: skip


@user.command(name="sign-out")
@click.argument("who", metavar="USER")
@answers
def sign_out(who: str, as_json: bool) -> None:
    """End all sessions of a user."""
    from crm_core import access

    _do(who, lambda connection, user_id: access.sign_out_everywhere(connection, operator(), user_id),
        "is signed out everywhere.", as_json)  # fmt: skip


@user.command()
@click.argument("who", metavar="USER")
@answers
def link(who: str, as_json: bool) -> None:
    """Show a link that signs a user in, once, within an hour: for a forgotten password."""
    from crm_core import access

    with hub() as (config, engine), engine.begin() as connection:
        user_id = _id_of(connection, who)
        made = access.make_link(connection, operator(), user_id, datetime.now(UTC), _FORGOTTEN_MINUTES)
    url = f"{config.base_url}/console/sign-in/{made}"
    tell({"id": str(user_id), "sign_in_url": url}, as_json=as_json, words=url)


def _change(who: str, changes: dict[str, Any], as_json: bool) -> None:
    from crm_core import access

    _do(who, lambda connection, user_id: access.change_user(connection, operator(), user_id, changes), "is changed.", as_json)


def _do(who: str, deed: Any, said: str, as_json: bool) -> None:
    """The deed, and then the user as they are now."""
    from crm_core.access.queries import get_user
    from webhooks.api.shape import plain_json
    from webhooks.api.users import User

    with hub() as (_, engine), engine.begin() as connection:
        user_id = _id_of(connection, who)
        deed(connection, user_id)
        shown = get_user(connection, user_id)
    tell(plain_json(User, shown), as_json=as_json, words=f"User {shown.login} {said}")


def _id_of(connection: Any, who: str) -> int:
    """A login counts before an id of the same digits."""
    from crm_core import access
    from crm_core.base.errors import NotFound

    user_id = access.find_user_id(connection, who)
    if user_id is None and who.isascii() and who.isdigit() and len(who) < 19:
        user_id = int(who)
    if user_id is None:
        raise NotFound("user_unknown", f"There is no user {who!r}: leadhub user list.")
    return user_id


def _read_line() -> str:
    return sys.stdin.readline().rstrip("\r\n")
