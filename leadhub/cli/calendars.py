"""`leadhub calendar …`: when is worked, and on which days not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_HOURS = 'Hours of a week: "mon-fri 09:00-18:00 sat 10:00-15:00".'


@click.group()
def calendar() -> None:
    """When is worked, and on which days not."""


@calendar.command(name="add")
@click.argument("name")
@click.option("--hours", required=True, help=_HOURS)
@click.option("--zone", help="Time zone, such as Europe/Moscow; the hub's by default.")
@click.option("--country", default="", help="Whose holidays are free: RU, KZ, DE-BY. None by default.")
@answers
def add_calendar(name: str, hours: str, zone: str | None, country: str, as_json: bool) -> None:
    """Add a calendar; the first one becomes the default."""
    from crm_core.calendars import commands
    from crm_core.calendars.weeks import read_week_text, week_json

    week = week_json(read_week_text(hours))
    with hub() as (config, engine), engine.begin() as connection:
        calendar_id = commands.add_calendar(connection, operator(), name, zone or config.timezone, week, country)
    tell({"id": str(calendar_id), "name": name}, as_json=as_json, words=f"Calendar {calendar_id}: {name}")


@calendar.command(name="list")
@answers
def list_calendars(as_json: bool) -> None:
    """Show all calendars."""
    from crm_core.calendars.queries import list_calendars as read_calendars
    from crm_core.calendars.weeks import read_week, week_text

    with hub() as (_, engine), engine.connect() as connection:
        found = read_calendars(connection)
    rows: list[dict[str, Any]] = [
        asdict(one) | {"id": str(one.id), "hours": week_text(read_week(one.week)), "special": len(one.days)} for one in found
    ]
    columns = {
        "id": "ID", "name": "NAME", "default": "DEFAULT", "zone": "ZONE", "country": "HOLIDAYS", "hours": "HOURS",
        "special": "SPECIAL DAYS", "people": "PEOPLE",
    }  # fmt: skip
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "There are no calendars yet: leadhub calendar add NAME"))


@calendar.command(name="change")
@click.argument("calendar_id", metavar="ID", type=int)
@click.option("--name", help="Another name.")
@click.option("--hours", help=_HOURS)
@click.option("--zone", help="Another time zone.")
@click.option("--country", help="Whose holidays are free; empty: nobody's.")
@click.option("--default", "make_default", is_flag=True, help="Make it the default one.")
@answers
def change_calendar(
    calendar_id: int,
    name: str | None,
    hours: str | None,
    zone: str | None,
    country: str | None,
    make_default: bool,
    as_json: bool,
) -> None:
    """Change a calendar. What is late already stays late."""
    from crm_core.calendars import commands
    from crm_core.calendars.weeks import read_week_text, week_json

    changes: dict[str, Any] = {"name": name, "zone": zone, "country": country}
    changes["week"] = None if hours is None else week_json(read_week_text(hours))
    changes["default"] = True if make_default else None
    with hub() as (_, engine), engine.begin() as connection:
        commands.change_calendar(
            connection, operator(), calendar_id, {name: value for name, value in changes.items() if value is not None}
        )
    tell({"id": str(calendar_id)}, as_json=as_json, words=f"Calendar {calendar_id} is changed.")


@calendar.command(name="remove")
@click.argument("calendar_id", metavar="ID", type=int)
@answers
def remove_calendar(calendar_id: int, as_json: bool) -> None:
    """Remove a calendar by which nobody works."""
    from crm_core.calendars import commands

    with hub() as (_, engine), engine.begin() as connection:
        commands.remove_calendar(connection, operator(), calendar_id)
    tell({"id": str(calendar_id)}, as_json=as_json, words=f"Calendar {calendar_id} is removed.")


@calendar.command(name="days")
@click.argument("lines", metavar="DAY…", nargs=-1)
@click.option("--calendar", "calendar_id", type=int, help="Of which calendar; of all by default.")
@click.option(
    "--file", "path", type=click.File(encoding="utf-8"), help="Read the days from a file, one a line; - is standard input."
)
@answers
def put_days(lines: tuple[str, ...], calendar_id: int | None, path: Any, as_json: bool) -> None:
    """Put special days: "2026-04-30 short", "2026-03-20 off Nowruz", "2026-11-28 work 10:00-14:00"."""
    from crm_core.calendars import commands
    from crm_core.calendars.rules import read_days_text

    days = read_days_text("\n".join([*lines, path.read() if path else ""]))
    with hub() as (_, engine), engine.begin() as connection:
        changed = commands.put_days(connection, operator(), calendar_id, days)
    tell({"changed": changed}, as_json=as_json, words=f"{changed} days are different now.")


@calendar.command(name="usual")
@click.argument("days", metavar="DATE…", nargs=-1, required=True)
@click.option("--calendar", "calendar_id", type=int, help="Of which calendar; of all by default.")
@answers
def remove_days(days: tuple[str, ...], calendar_id: int | None, as_json: bool) -> None:
    """Take special days back: they are as the week and the country say."""
    from crm_core.calendars import commands
    from crm_core.calendars.rules import dates_of

    with hub() as (_, engine), engine.begin() as connection:
        removed = commands.remove_days(connection, operator(), calendar_id, dates_of(days))
    tell({"removed": removed}, as_json=as_json, words=f"{removed} days are as usual again.")


@calendar.command(name="year")
@click.argument("calendar_id", metavar="ID", type=int)
@click.argument("year", type=click.IntRange(2000, 2199))
@answers
def show_year(calendar_id: int, year: int, as_json: bool) -> None:
    """Show the days of a year that are not as the week says."""
    from crm_core.calendars.queries import year_of

    with hub() as (_, engine), engine.connect() as connection:
        rows = [asdict(one) for one in year_of(connection, calendar_id, year)]
    shown = [row | {"hours": " ".join("-".join(shift) for shift in row["hours"])} for row in rows]
    columns = {"day": "DAY", "kind": "KIND", "hours": "HOURS", "origin": "ORIGIN", "note": "NOTE"}
    tell({"items": rows}, as_json=as_json, words=table(shown, columns, "Every day is as the week says."))
