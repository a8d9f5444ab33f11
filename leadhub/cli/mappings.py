"""`leadhub mapping …`: how a source's forms are read, tried on what arrived before it is published."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm_core.base.errors import Invalid, NotFound
from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

if TYPE_CHECKING:
    from ingest.mapping.preview import DryRun
    from ingest.mapping.versions import MappingVersion

_FILE = click.option(
    "--file", "file", type=click.Path(dir_okay=False, allow_dash=True), help="The mapping's text; - reads standard input."
)
_SOURCE = click.argument("source_id", metavar="SOURCE", type=int)


@click.group()
def mapping() -> None:
    """How a source's forms are read."""


@mapping.command()
@_SOURCE
@click.option("--version", type=click.IntRange(min=1), help="That version; else the published one, else the draft.")
@answers
def show(source_id: int, version: int | None, as_json: bool) -> None:
    """Show a mapping's text."""
    from ingest.mapping.versions import get_version, in_state, list_versions

    found: MappingVersion | None
    with hub() as (_, engine), engine.connect() as connection:
        list_versions(connection, source_id)  # NotFound for a source that there is not
        if version is not None:
            found = get_version(connection, source_id, version)
        else:
            found = in_state(connection, source_id, "published") or in_state(connection, source_id, "draft")
    words = (
        f"# version {found.version}, {found.state}\n{found.text}".rstrip()
        if found
        else "No mapping of its own: its connector's rules hold."
    )
    tell(_shown(found) if found else None, as_json=as_json, words=words)


@mapping.command(name="try")
@_SOURCE
@_FILE
@click.option("--limit", type=click.IntRange(1, 100), default=100, show_default=True, help="So many of the last events.")
@answers
def try_(source_id: int, file: str | None, limit: int, as_json: bool) -> None:
    """Show what would become of the last events under a mapping: that of --file, else the draft. Changes nothing."""
    from ingest.mapping.preview import dry_run
    from webhooks.api import mappings
    from webhooks.api.shape import plain_json

    with hub() as (config, engine):
        report = dry_run(engine, operator(), config, source_id, _text(engine, source_id, file), limit)
    tell(plain_json(mappings.DryRun, report), as_json=as_json, words=lambda: _words(report))


@mapping.command()
@_SOURCE
@_FILE
@click.option("--version", type=click.IntRange(min=1), help="That version, as it stands; without it the draft.")
@click.option("--note", default="", help="What changed and why, for the history; only with --file.")
@answers
def publish(source_id: int, file: str | None, version: int | None, note: str, as_json: bool) -> None:
    """Read what arrives from now on by a mapping: that of --file, else the draft."""
    from ingest.mapping import versions

    if (file is not None and version is not None) or (note and file is None):
        raise click.UsageError("Give either --file, with a --note if you like, or --version.")
    with hub() as (_, engine):
        text = None if file is None else _text(engine, source_id, file)
        with engine.begin() as connection:
            if text is not None:
                version = versions.save_draft(connection, operator(), source_id, text, note)
            elif version is None:
                version = _draft(connection, source_id).version
            versions.publish(connection, operator(), source_id, version)
            found = versions.get_version(connection, source_id, version)
    said = f"Version {version} is published. What it would have read otherwise: leadhub events replay --source {source_id} --affected --dry-run"
    tell(_shown(found), as_json=as_json, words=said)


@mapping.command()
@_SOURCE
@click.option(
    "--version", type=click.IntRange(min=1), help="Publish that version again; without it the connector's own rules hold."
)
@answers
def rollback(source_id: int, version: int | None, as_json: bool) -> None:
    """Go back to an earlier version, or to no mapping at all."""
    from ingest.mapping import versions

    with hub() as (_, engine), engine.begin() as connection:
        new = versions.roll_back(connection, operator(), source_id, version)
    said = (
        f"The text of version {version} is published again, as version {new}." if new else "The connector's own rules hold again."
    )
    tell({"published": new}, as_json=as_json, words=said)


@mapping.command()
@_SOURCE
@answers
def history(source_id: int, as_json: bool) -> None:
    """Show all versions, newest first."""
    from ingest.mapping.versions import list_versions

    with hub() as (_, engine), engine.connect() as connection:
        rows = [_shown(one) for one in list_versions(connection, source_id)]
    columns = {
        "version": "VERSION",
        "state": "STATE",
        "created_at": "WRITTEN",
        "published_at": "PUBLISHED",
        "author": "BY",
        "note": "NOTE",
    }
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "No mapping of its own: its connector's rules hold."))


def _text(engine: Any, source_id: int, file: str | None) -> str:
    if file is not None:
        try:
            return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid("file_unreadable", f"{file} cannot be read: {error}", fields=["file"]) from error
    with engine.connect() as connection:
        return str(_draft(connection, source_id).text)


def _draft(connection: Any, source_id: int) -> Any:
    from ingest.mapping.versions import in_state, list_versions

    list_versions(connection, source_id)  # NotFound for a source that there is not
    draft = in_state(connection, source_id, "draft")
    if draft is None:
        raise NotFound("no_draft", "There is no draft. Name a file: --file mapping.yaml")
    return draft


def _shown(version: MappingVersion) -> Any:
    from webhooks.api import mappings
    from webhooks.api.shape import plain_json

    return plain_json(mappings.MappingVersion, version)


def _words(report: DryRun) -> str:
    before, after = (
        ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "none" for counts in (report.before, report.after)
    )
    said = f"{report.events} events. Now: {before}. They would become: {after}. New leads: {report.leads}."
    rows = [
        {"event": one.event, "before": one.before.outcome, "after": one.after.outcome, "differs": ", ".join(one.differs)}
        for one in report.items
    ]
    columns = {"event": "EVENT", "before": "NOW", "after": "WOULD BE", "differs": "DIFFERS IN"}
    return said + "\n" + table(rows, columns, "Nothing would be different.")
