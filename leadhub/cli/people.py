"""`leadhub owner …`: who works leads, who is away, who has left."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator


@click.group()
def owner() -> None:
    """Those who work leads."""


@owner.command(name="add")
@click.argument("name")
@click.option("--extension", default="", help="Their telephone extension, such as 101.")
@click.option("--email", default="", help="Their mail address.")
@click.option("--team", default="", help="Their team; made if there is none of that name.")
@click.option("--weight", default=1.0, show_default=True, help="Their share of new leads against the others'.")
@answers
def add_owner(name: str, extension: str, email: str, team: str, weight: float, as_json: bool) -> None:
    """Add an owner to the default pool."""
    from crm_core.people import commands

    with hub() as (_, engine), engine.begin() as connection:
        owner_id = commands.add_owner(connection, operator(), name, extension=extension, email=email, team=team, weight=weight)
    tell({"id": str(owner_id), "name": name}, as_json=as_json, words=f"Owner {owner_id}: {name}")


@owner.command(name="list")
@answers
def list_owners(as_json: bool) -> None:
    """Show all owners with their absence and open leads."""
    from crm_core.people.queries import list_owners as read_owners

    with hub() as (_, engine), engine.connect() as connection:
        found = read_owners(connection)
    rows = [asdict(one) | {"id": str(one.id), "team": one.team.name if one.team else None} for one in found]
    columns = {
        "id": "ID", "name": "NAME", "extension": "EXT", "team": "TEAM", "active": "ACTIVE", "duty": "DUTY",
        "absent_until": "ABSENT UNTIL", "open_leads": "OPEN LEADS",
    }  # fmt: skip
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "There are no owners yet: leadhub owner add NAME"))


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
              help="When they are back, in the hub's time zone.")  # fmt: skip
@click.option("--reason", default="", help="Shown to colleagues.")
@answers
def absent(owner_id: int, until: datetime, reason: str, as_json: bool) -> None:
    """From now on give an owner no new leads, until a day or moment."""
    from crm_core.people import commands

    with hub() as (config, engine), engine.begin() as connection:
        back = until.replace(tzinfo=config.zone)
        commands.set_absent(connection, operator(), owner_id, back, datetime.now(UTC), reason)
    said = f"Owner {owner_id} gets no new leads until {back:%Y-%m-%d %H:%M %Z}."
    tell({"id": str(owner_id), "absent_until": back}, as_json=as_json, words=said)


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@answers
def present(owner_id: int, as_json: bool) -> None:
    """End an owner's absence before its time."""
    from crm_core.people import commands

    with hub() as (_, engine), engine.begin() as connection:
        commands.set_present(connection, operator(), owner_id, datetime.now(UTC))
    tell({"id": str(owner_id), "absent_until": None}, as_json=as_json, words=f"Owner {owner_id} gets new leads again.")


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@answers
def retire(owner_id: int, as_json: bool) -> None:
    """End an owner's work here: no new leads, and nobody signs in or calls the API as them any more."""
    _set_active(owner_id, active=False, as_json=as_json)


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@answers
def activate(owner_id: int, as_json: bool) -> None:
    """Let a retired owner get leads again. Their users and tokens stay as they are: leadhub user enable."""
    _set_active(owner_id, active=True, as_json=as_json)


def _set_active(owner_id: int, *, active: bool, as_json: bool) -> None:
    from crm_core.people import commands

    with hub() as (_, engine), engine.begin() as connection:
        (commands.activate_owner if active else commands.retire_owner)(connection, operator(), owner_id)
    said = f"Owner {owner_id} gets leads again." if active else f"Owner {owner_id} is retired; nobody acts as them any more."
    tell({"id": str(owner_id), "active": active}, as_json=as_json, words=said)
