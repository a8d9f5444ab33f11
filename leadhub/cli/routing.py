"""`leadhub routing …`: the rules by which leads are given, in versions."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from crm_core.base.errors import Invalid
from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator


@click.group()
def routing() -> None:
    """The rules by which leads are given, in versions."""


@routing.command(name="show")
@click.argument("version", type=int, required=False)
@answers
def show_rules(version: int | None, as_json: bool) -> None:
    """Show the rules that are in force, or those of a version, as JSON that `save` takes."""
    from crm_core.routing.versions import active_version, get_version

    with hub() as (_, engine), engine.connect() as connection:
        found = active_version(connection) if version is None else get_version(connection, version)
    tell(_plain(found), as_json=as_json, words=orjson.dumps(found.body, option=orjson.OPT_INDENT_2).decode())


@routing.command(name="list")
@answers
def list_rules(as_json: bool) -> None:
    """Show all versions, the newest first."""
    from crm_core.routing.versions import list_versions

    with hub() as (_, engine), engine.connect() as connection:
        found = [_plain(one) for one in list_versions(connection)]
    columns = {"version": "VERSION", "state": "STATE", "author": "AUTHOR", "created_at": "SAVED", "note": "NOTE"}
    tell({"items": found}, as_json=as_json, words=table(found, columns, "No rules were set: leadhub routing save FILE"))


@routing.command(name="save")
@click.argument("file", metavar="FILE")
@click.option("--note", default="", help="What was changed, and why.")
@answers
def save_rules(file: str, note: str, as_json: bool) -> None:
    """Save rules as a draft; FILE is JSON, - reads it from standard input. Nothing changes before `activate`."""
    from crm_core.routing.commands import save_version

    body = _read(file)
    with hub() as (config, engine), engine.begin() as connection:
        version = save_version(connection, operator(), body, config.zone, note)
    tell({"version": version}, as_json=as_json, words=f"Draft {version}. Try it: leadhub routing simulate {version}")


@routing.command(name="simulate")
@click.argument("version", type=int)
@click.option("--days", default=30, show_default=True, help="How many of the last days.")
@answers
def simulate_rules(version: int, days: int, as_json: bool) -> None:
    """What a version would have made of the last days. Nothing is written."""
    from crm_core.routing.commands import checked
    from crm_core.routing.simulation import simulate
    from crm_core.routing.versions import get_version

    with hub() as (config, engine), engine.begin() as connection:
        rules = checked(connection, get_version(connection, version).body, config.zone)
        found = simulate(connection, operator(), rules, days, datetime.now(UTC))
    rows: list[dict[str, Any]] = [asdict(one) for one in found.loads]
    words = [
        f"{found.leads} leads of {found.days} days: {found.moved} would have gone to somebody else, {found.nobody} would wait.",
        table(rows, {"name": "OWNER", "before": "WAS", "after": "WOULD BE"}, "There are no leads."),
        *(f"Rule {rule} applied to nothing." for rule in found.dead),
        *(f"Rule {rule} never comes first." for rule in found.shadowed),
    ]
    tell(asdict(found), as_json=as_json, words="\n".join(words))


@routing.command(name="activate")
@click.argument("version", type=int)
@answers
def activate_rules(version: int, as_json: bool) -> None:
    """Put a version into force from the next lead on; also one that was before."""
    from crm_core.routing.commands import activate_version

    with hub() as (config, engine), engine.begin() as connection:
        activate_version(connection, operator(), version, config.zone, datetime.now(UTC))
    tell({"version": version, "state": "active"}, as_json=as_json, words=f"Version {version} is in force.")


def _plain(view: Any) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(view).items()}


def _read(file: str) -> Any:
    try:
        return orjson.loads(sys.stdin.read() if file == "-" else Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise Invalid("file_unreadable", f"{file} cannot be read as JSON: {error}", fields=["file"]) from error
