"""`leadhub numbering …`: the ranges of the Russian numbering plan, by which a number has its region."""

from __future__ import annotations

from pathlib import Path

import click

from crm_core.base.errors import Invalid
from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator


@click.group()
def numbering() -> None:
    """Ranges of the Russian numbering plan: the region of a number."""


@numbering.command(name="import")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@answers
def import_(files: tuple[Path, ...], as_json: bool) -> None:
    """Read the files that the regulator publishes (ABC-3xx, ABC-4xx, ABC-8xx, DEF-9xx as CSV) and replace what there was of their codes.

    Workers notice it within a minute.
    """
    from crm_core.numbering.commands import import_ranges

    data = {}
    for file in files:
        try:
            data[str(file)] = file.read_bytes()
        except FileNotFoundError:
            raise Invalid("file_unknown", f"There is no file {file}.", fields=["files"]) from None
    with hub() as (_, engine), engine.begin() as connection:
        done = import_ranges(connection, operator(), data)
    wrong = f" {len(done.skipped)} lines were none: {'; '.join(done.skipped[:3])}." if done.skipped else ""
    tell(
        done,
        as_json=as_json,
        words=f"{done.ranges} ranges of the codes {', '.join(f'{block}xx' for block in done.blocks)}.{wrong}",
    )


@numbering.command()
@answers
def status(as_json: bool) -> None:
    """Show what was imported, and when."""
    from crm_core.numbering.queries import numbering_state

    with hub() as (_, engine), engine.connect() as connection:
        found = numbering_state(connection)
    rows = [{"codes": f"{one.block}xx", "ranges": one.ranges, "regions": one.regions} for one in found.blocks]
    columns = {"codes": "CODES", "ranges": "RANGES", "regions": "REGIONS"}
    tell({"imported_at": found.imported_at, "items": rows}, as_json=as_json,
         words=table(rows, columns, "No ranges: leadhub numbering import --help"))  # fmt: skip


@numbering.command(name="look-up")
@click.argument("number")
@answers
def look_up(number: str, as_json: bool) -> None:
    """Show the region of a number's range."""
    from crm_core.identity.phones import e164
    from crm_core.numbering.queries import region_of_number

    with hub() as (config, engine), engine.connect() as connection:
        written = e164(number, config.region) or ""
        region = region_of_number(connection, written)
    tell({"number": written, "region": region}, as_json=as_json, words=region or "No range that was imported has this number.")
