"""`leadhub owner …`, `leadhub user …`, `leadhub token …`: who works, who signs in, which programs may ask."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from leadhub.cli.answers import ACTOR, answers, hub, table, tell

_ROLES = click.Choice(["admin", "head", "manager", "ops", "readonly"])


@click.group()
def owner() -> None:
    """Those who work leads."""


@owner.command(name="add")
@click.argument("name")
@click.option("--extension", default="", help="His telephone extension, such as 101.")
@click.option("--email", default="", help="His mail address.")
@click.option("--team", default="", help="His team; made if there is none of that name.")
@click.option("--weight", default=1.0, show_default=True, help="His share of new leads against the others'.")
@answers
def add_owner(name: str, extension: str, email: str, team: str, weight: float, as_json: bool) -> None:
    """Add an owner; he joins the default pool."""
    from crm_core import access, owners

    with hub() as (_, engine), engine.begin() as connection:
        owner_id = owners.add_owner(connection, name, extension, email, team, weight)
        access.audit(connection, ACTOR, "owner.add", f"owner:{owner_id}")
    tell({"id": str(owner_id), "name": name}, as_json=as_json, words=f"Owner {owner_id}: {name}")


@owner.command(name="list")
@answers
def list_owners(as_json: bool) -> None:
    """Show all owners with their absence and open leads."""
    from crm_core import owners

    with hub() as (_, engine), engine.connect() as connection:
        rows = owners.list_owners(connection)
    columns = {
        "id": "ID", "name": "NAME", "extension": "EXT", "team": "TEAM", "active": "ACTIVE", "duty": "DUTY",
        "absent_until": "ABSENT UNTIL", "open_leads": "OPEN LEADS",
    }  # fmt: skip
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "There are no owners yet: leadhub owner add NAME"))


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
              help="When he is back, in the hub's time zone.")  # fmt: skip
@click.option("--reason", default="", help="Shown to colleagues.")
@answers
def absent(owner_id: int, until: datetime, reason: str, as_json: bool) -> None:
    """From now on give an owner no new leads, until a day or moment."""
    from crm_core import access, owners

    with hub() as (config, engine), engine.begin() as connection:
        back = until.replace(tzinfo=config.zone)
        owners.set_absent(connection, owner_id, back, reason)
        access.audit(connection, ACTOR, "owner.absent", f"owner:{owner_id}")
    said = f"Owner {owner_id} gets no new leads until {back:%Y-%m-%d %H:%M %Z}."
    tell({"id": str(owner_id), "absent_until": back}, as_json=as_json, words=said)


@click.group()
def user() -> None:
    """Those who sign in to the console."""


@user.command(name="add")
@click.argument("login")
@click.option("--name", default="", help="What the console calls him; default: the login.")
@click.option("--role", type=_ROLES, default="manager", show_default=True)
@click.option("--owner", "owner_id", type=int, help="The owner he is, for a manager who sees his own leads.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input; without one he uses links.")
@answers
def add_user(login: str, name: str, role: str, owner_id: int | None, password_stdin: bool, as_json: bool) -> None:
    """Add a user and show a link that signs him in, once."""
    from crm_core import access

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with hub() as (config, engine), engine.begin() as connection:
        user_id = access.add_user(connection, login, name or login, role, password, owner_id)
        access.audit(connection, ACTOR, "user.add", f"user:{user_id}", {"role": role})
        link = access.sign_in_link(connection, user_id, datetime.now(UTC), minutes=24 * 60)
    url = f"{config.base_url}/console/sign-in/{link}"
    said = f"User {user_id}: {login} ({role})\n  signs in within a day by {url}"
    tell({"id": str(user_id), "login": login, "role": role, "sign_in_url": url}, as_json=as_json, words=said)


@user.command()
@click.argument("login")
@answers
def link(login: str, as_json: bool) -> None:
    """Show a link that signs a user in, once, within an hour: for a forgotten password."""
    from crm_core import access
    from crm_core.errors import NotFound

    with hub() as (config, engine), engine.begin() as connection:
        user_id = access.find_user_id(connection, login)
        if user_id is None:
            raise NotFound("user_unknown", f"There is no active user {login!r}.")
        access.audit(connection, ACTOR, "user.link", f"user:{user_id}")
        token_ = access.sign_in_link(connection, user_id, datetime.now(UTC), minutes=60)
    url = f"{config.base_url}/console/sign-in/{token_}"
    tell({"id": str(user_id), "sign_in_url": url}, as_json=as_json, words=url)


@click.group()
def token() -> None:
    """Keys of the API."""


@token.command()
@click.option("--role", type=_ROLES, required=True, help="What the key may do.")
@click.option("--name", required=True, help="Which program it is for.")
@answers
def create(role: str, name: str, as_json: bool) -> None:
    """Make a key and show it, this once."""
    from crm_core import access

    with hub() as (_, engine), engine.begin() as connection:
        key = access.create_token(connection, role, name)
        access.audit(connection, ACTOR, "token.create", f"token:{name}", {"role": role})
    tell({"token": key, "role": role, "name": name}, as_json=as_json, words=key)
