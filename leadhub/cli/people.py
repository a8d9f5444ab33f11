"""`leadhub owner …`: who works leads, who is away, who has left."""

from __future__ import annotations

from datetime import datetime

import click

from leadhub.cli.answers import ACTOR, answers, hub, table, tell


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
    from crm_core import access
    from crm_core.people import owners

    with hub() as (_, engine), engine.begin() as connection:
        owner_id = owners.add_owner(connection, name, extension, email, team, weight)
        access.audit(connection, ACTOR, "owner.add", f"owner:{owner_id}")
    tell({"id": str(owner_id), "name": name}, as_json=as_json, words=f"Owner {owner_id}: {name}")


@owner.command(name="list")
@answers
def list_owners(as_json: bool) -> None:
    """Show all owners with their absence and open leads."""
    from crm_core.people import owners

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
    from crm_core import access
    from crm_core.people import owners

    with hub() as (config, engine), engine.begin() as connection:
        back = until.replace(tzinfo=config.zone)
        owners.set_absent(connection, owner_id, back, reason)
        access.audit(connection, ACTOR, "owner.absent", f"owner:{owner_id}")
    said = f"Owner {owner_id} gets no new leads until {back:%Y-%m-%d %H:%M %Z}."
    tell({"id": str(owner_id), "absent_until": back}, as_json=as_json, words=said)


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
    from crm_core.access import audit
    from crm_core.people import owners

    with hub() as (_, engine), engine.begin() as connection:
        owners.set_active(connection, owner_id, active, ACTOR)
        audit(connection, ACTOR, "owner.activate" if active else "owner.retire", f"owner:{owner_id}")
    said = f"Owner {owner_id} gets leads again." if active else f"Owner {owner_id} is retired; nobody acts as them any more."
    tell({"id": str(owner_id), "active": active}, as_json=as_json, words=said)
