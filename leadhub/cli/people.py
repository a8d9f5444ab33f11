"""`leadhub owner …`: who works leads, who is away, who has left."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from crm_core.base.errors import Invalid
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
    from crm_core.people.staff_queries import list_people

    with hub() as (config, engine), engine.connect() as connection:
        found = list_people(connection, datetime.now(UTC), config.timezone)
    rows = [asdict(one) | {"id": str(one.id), "team": one.team.name if one.team else None} for one in found]
    columns = {
        "id": "ID", "name": "NAME", "extension": "EXT", "team": "TEAM", "active": "ACTIVE", "duty": "DUTY",
        "absent_until": "ABSENT UNTIL", "paused": "PAUSED", "on_shift": "ON SHIFT", "open_leads": "OPEN LEADS",
        "given_today": "TODAY",
    }  # fmt: skip
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "There are no owners yet: leadhub owner add NAME"))


_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@click.option(
    "--until", required=True, type=_MOMENT, help="When they are back, in their time zone, or the hub's if they have none."
)
@click.option("--from", "starts", type=_MOMENT, help="From when; now by default.")
@click.option("--deputy", type=int, help="The owner who covers for them.")
@click.option("--reason", default="", help="Shown to colleagues.")
@answers
def absent(owner_id: int, until: datetime, starts: datetime | None, deputy: int | None, reason: str, as_json: bool) -> None:
    """From now or a later day on give an owner no new leads, until a day or moment."""
    from crm_core.people import absences

    now = datetime.now(UTC)
    with hub() as (config, engine), engine.begin() as connection:
        zone = _zone_of(connection, owner_id, config.timezone)
        back = until.replace(tzinfo=zone)
        if starts is None:
            absences.set_absent(connection, operator(), owner_id, back, now, reason, deputy)
        else:
            absences.plan_absence(connection, operator(), owner_id, starts.replace(tzinfo=zone), back, now, reason, deputy)
    since = "" if starts is None else f" from {starts:%Y-%m-%d %H:%M}"
    said = f"Owner {owner_id} gets no new leads{since} until {back:%Y-%m-%d %H:%M %Z}."
    tell({"id": str(owner_id), "absent_until": back}, as_json=as_json, words=said)


@owner.command(name="absences")
@click.argument("owner_id", metavar="ID", type=int)
@answers
def list_absences(owner_id: int, as_json: bool) -> None:
    """Show an owner's running and planned absences."""
    from crm_core.people.staff_queries import list_absences as read_absences

    with hub() as (_, engine), engine.connect() as connection:
        found = read_absences(connection, owner_id, datetime.now(UTC))
    rows = [asdict(one) | {"id": str(one.id), "deputy": one.deputy.name if one.deputy else None} for one in found]
    columns = {"id": "ID", "from_at": "FROM", "until_at": "UNTIL", "running": "NOW", "deputy": "DEPUTY", "reason": "REASON"}
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "No absence runs, none is planned."))


@owner.command(name="cancel-absence")
@click.argument("owner_id", metavar="ID", type=int)
@click.argument("absence_id", metavar="ABSENCE", type=int)
@answers
def cancel_absence(owner_id: int, absence_id: int, as_json: bool) -> None:
    """Cancel a planned absence, or end the running one."""
    from crm_core.people import absences

    with hub() as (_, engine), engine.begin() as connection:
        absences.cancel_absence(connection, operator(), owner_id, absence_id, datetime.now(UTC))
    tell({"id": str(absence_id)}, as_json=as_json, words=f"Absence {absence_id} is cancelled.")


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@answers
def present(owner_id: int, as_json: bool) -> None:
    """End an owner's absence before its time."""
    from crm_core.people import absences

    with hub() as (_, engine), engine.begin() as connection:
        absences.set_present(connection, operator(), owner_id, datetime.now(UTC))
    tell({"id": str(owner_id), "absent_until": None}, as_json=as_json, words=f"Owner {owner_id} gets new leads again.")


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@click.option("--until", type=_MOMENT, help="When the pause ends, in their time zone; without it, when somebody ends it.")
@answers
def pause(owner_id: int, until: datetime | None, as_json: bool) -> None:
    """Let pools leave an owner out for a while. Their own clients still reach them."""
    from crm_core.people import absences

    with hub() as (config, engine), engine.begin() as connection:
        end = None if until is None else until.replace(tzinfo=_zone_of(connection, owner_id, config.timezone))
        absences.pause_owner(connection, operator(), owner_id, datetime.now(UTC), end)
    words = f"Pools leave owner {owner_id} out{'' if end is None else f' until {end:%Y-%m-%d %H:%M %Z}'}."
    tell({"id": str(owner_id), "paused_until": end}, as_json=as_json, words=words)


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@answers
def resume(owner_id: int, as_json: bool) -> None:
    """End an owner's pause."""
    from crm_core.people import absences

    with hub() as (_, engine), engine.begin() as connection:
        absences.resume_owner(connection, operator(), owner_id, datetime.now(UTC))
    tell({"id": str(owner_id)}, as_json=as_json, words=f"Pools give owner {owner_id} leads again.")


@owner.command(name="change")
@click.argument("owner_id", metavar="ID", type=int)
@click.option("--name", help="Another name.")
@click.option("--extension", help="Another telephone extension; empty: none.")
@click.option("--email", help="Another mail address; empty: none.")
@click.option("--calendar", type=int, help="The calendar by which they work; 0: none.")
@click.option("--hours", help='Hours of their own: "mon-fri 10:00-19:00"; empty: the calendar\'s.')
@click.option("--zone", help="Their time zone; empty: the calendar's.")
@click.option("--languages", help="Such as ru,en.")
@click.option("--skills", help="Separated by commas.")
@click.option("--regions", help="Separated by commas.")
@click.option("--max-open", help='Most open leads; "" for no limit.')
@click.option("--max-per-day", help='Most leads a day; "" for no limit.')
@answers
def change_owner(owner_id: int, as_json: bool, **wanted: Any) -> None:
    """Change an owner: name, hours, zone, what they know, how much they take."""
    from crm_core.calendars.weeks import read_week_text, week_json
    from crm_core.people import commands

    changes: dict[str, Any] = {}
    for name, value in wanted.items():
        if value is None:
            continue
        if name == "calendar":
            changes["calendar_id"] = value or None
        elif name == "hours":
            changes["week"] = week_json(read_week_text(value)) if value.strip() else None
        elif name in {"max_open", "max_per_day"}:
            changes[name] = _limit(name, value)
        else:
            changes[name] = value.split(",") if name in {"languages", "skills", "regions"} else value
    with hub() as (config, engine), engine.begin() as connection:
        commands.change_owner(connection, operator(), owner_id, changes, config.timezone)
    tell({"id": str(owner_id)}, as_json=as_json, words=f"Owner {owner_id} is changed.")


def _limit(name: str, text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise Invalid("limit_out_of_range", "A limit is a whole number, or nothing.", fields=[name])
    return int(text)


def _zone_of(connection: Connection, owner_id: int, hub_zone: str) -> ZoneInfo:
    """Where the owner is; whoever does not exist is told so by the command."""
    from crm_core.people.staff_queries import zone_of

    return zone_of(connection, owner_id, hub_zone)


@owner.command(name="hand-over")
@click.argument("owner_id", metavar="ID", type=int)
@click.option("--to", "successor_id", type=int, required=True, help="The owner who takes everything.")
@click.option("--why", required=True, help="Stands in the history of each lead.")
@answers
def hand_over(owner_id: int, successor_id: int, why: str, as_json: bool) -> None:
    """Hand over an owner's clients, open leads and tasks to a colleague."""
    from crm_core.handovers import commands

    with hub() as (_, engine), engine.begin() as connection:
        moved = commands.hand_over(connection, operator(), owner_id, successor_id, why, datetime.now(UTC))
    words = f"Owner {successor_id} takes {moved.clients} clients, {moved.leads} leads, {moved.tasks} tasks, {moved.messages} messages."
    tell(asdict(moved), as_json=as_json, words=words)


@owner.command()
@answers
def pools(as_json: bool) -> None:
    """Show how fairly pools share, who gets the next lead and who is left out."""
    from crm_core.people.pool_ledger import pool_ledgers

    with hub() as (_, engine), engine.connect() as connection:
        found = pool_ledgers(connection, datetime.now(UTC))
    columns = {
        "owner": "OWNER",
        "weight": "WEIGHT",
        "entitled": "OWED",
        "assigned": "GIVEN",
        "deficit": "DEFICIT",
        "left_out": "LEFT OUT",
    }
    said = []
    for one in found:
        fair = "–" if one.fairness is None else f"{one.fairness:.3f}"
        said.append(
            f"{one.name}: {one.picks} leads, fairness {fair}, longest run {one.longest_run},"
            f" next {one.next.name if one.next else 'nobody'}"
        )
        said.append(
            table([asdict(member) | {"owner": member.owner.name} for member in one.members], columns, "It has no members.")
        )
    tell({"items": [asdict(one) for one in found]}, as_json=as_json, words="\n".join(said))


@owner.command()
@click.argument("owner_id", metavar="ID", type=int)
@answers
def retire(owner_id: int, as_json: bool) -> None:
    """End an owner's work here: no new leads, and nobody signs in or calls the API as them any more.

    Refused while they have work in hand: leadhub owner hand-over.
    """
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
        if active:
            commands.activate_owner(connection, operator(), owner_id)
        else:
            commands.retire_owner(connection, operator(), owner_id, datetime.now(UTC))
    said = f"Owner {owner_id} gets leads again." if active else f"Owner {owner_id} is retired; nobody acts as them any more."
    tell({"id": str(owner_id), "active": active}, as_json=as_json, words=said)
