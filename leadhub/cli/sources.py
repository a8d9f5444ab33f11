"""`leadhub source …`: entrances of the hub."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.cli.setting_values import read_settings
from leadhub.cli.source_aliases import alias
from leadhub.operator import operator

if TYPE_CHECKING:
    from ingest.mailbox.source_check import CheckResult


@click.group()
def source() -> None:
    """Entrances: a form address, an exchange line, a mailbox."""


source.add_command(alias)


@source.command()
@click.argument("connector")
@click.option("--name", required=True, help="What people call it.")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the connector; repeat as needed. Of a secret, - reads a line of standard input, @FILE a file.",
)
@click.option("--host", "hosts", multiple=True, help="A website that a form may send people back to; repeat as needed.")
@answers
def add(connector: str, name: str, pairs: tuple[str, ...], hosts: tuple[str, ...], as_json: bool) -> None:
    """Add a source of CONNECTOR and show its address.

    CONNECTOR is the name of a connector's folder: generic_form, generic_call, imap, zadarma, …

    A secret on the command line is seen by others on the machine and kept in the shell's history: rather give
    --set password=- or --set password=@FILE.
    """
    from connectors.kit import registry
    from ingest.mailbox.source_check import check_source, note_check
    from ingest.sources.settings import check_settings, marked_fields
    from ingest.sources.sources import add_source
    from webhooks.api.shape import plain_json
    from webhooks.api.sources import SourceCheck

    found = registry.get(connector)
    settings = read_settings(pairs, marked_fields(found.config_model, "secret"), quiet=as_json)
    tried = check_settings(found, settings) if found.pulls else None
    with hub() as (config, engine):
        result = check_source(tried, config) if tried else None
        with engine.begin() as connection:
            new = add_source(connection, operator(), config, connector, name, settings, hosts)
            if tried is not None:
                note_check(connection, new.id, tried, result, datetime.now(UTC))
    answer = {key: value for key, value in asdict(new).items() if value != "" or key not in ("secret", "token")}
    answer["id"] = str(new.id)
    if result is not None:
        answer["check"] = plain_json(SourceCheck, result)
    said = [f"Source {new.id} ({new.channel}): {new.name}"]
    said += [f"  address  {new.url}"] if new.url else ["  The hub fetches; there is no address."]
    said += [f"  secret   {new.secret}  (shown this once)"] if new.secret else []
    said += _checked(result)
    tell(answer, as_json=as_json, words="\n".join(said))


@source.command(name="list")
@answers
def list_(as_json: bool) -> None:
    """Show all sources with their addresses."""
    from ingest.sources.sources import list_sources
    from ingest.sources.states import source_states
    from webhooks.api.shape import plain_json
    from webhooks.api.sources import SourceStatus

    with hub() as (config, engine), engine.connect() as connection:
        listed = list_sources(connection, config)
        states = {one.source_id: one for one in source_states(connection, config, datetime.now(UTC))}
    rows = [
        asdict(row) | {"id": str(row.id), "status": plain_json(SourceStatus, states[row.id])}
        for row in listed
        if row.id in states
    ]
    columns = {
        "id": "ID", "name": "NAME", "connector": "CONNECTOR", "last_event_at": "LAST EVENT", "url": "ADDRESS",
        "words": "STATE",
    }  # fmt: skip
    shown = [row | {"words": row["status"]["words"]} for row in rows]
    tell({"items": rows}, as_json=as_json, words=table(shown, columns, "There are no sources yet: leadhub source add --help"))


@source.command()
@click.argument("source_id", metavar="ID", type=int)
@answers
def test(source_id: int, as_json: bool) -> None:
    """Try a source: sign in to its mailbox, or post to its own address without making a lead."""
    from leadhub.trial import trial

    with hub() as (config, engine):
        findings = trial(engine, operator(), config, source_id)
    words = "\n".join(f"{'ok ' if row['ok'] else 'BAD'} {row['name']:<10} {row['message']}" for row in findings)
    worked = all(row["ok"] for row in findings)
    tell({"ok": worked, "findings": findings}, as_json=as_json, words=words)
    sys.exit(0 if worked else 1)


@source.command()
@click.argument("source_id", metavar="ID", type=int)
@answers
def pause(source_id: int, as_json: bool) -> None:
    """Stop working on a source's events. What arrives is still kept; a mailbox is no longer read."""
    _set(source_id, "paused", as_json=as_json)


@source.command()
@click.argument("source_id", metavar="ID", type=int)
@answers
def resume(source_id: int, as_json: bool) -> None:
    """Work on a source's events again."""
    _set(source_id, "active", as_json=as_json)


@source.command()
@click.argument("source_id", metavar="ID", type=int)
@answers
def rotate(source_id: int, as_json: bool) -> None:
    """Give a source another address. What still arrives at the old one is kept as unclaimed."""
    from ingest.sources.sources import rotate_token

    with hub() as (config, engine), engine.begin() as connection:
        url = rotate_token(connection, operator(), config, source_id)
    tell({"id": str(source_id), "url": url}, as_json=as_json, words=f"The new address is {url}")


def _checked(result: CheckResult | None) -> list[str]:
    """What trying a mailbox brought; it is saved all the same, and its state says so until it works."""
    if result is None:
        return []
    failure = result.failure
    if failure is None:
        return [f"  checked  {result.findings[0].message}"]
    helps = [f"             - {line}" for line in result.advice]
    return [f"  BAD      {failure.message}", *(["           What usually helps:", *helps] if helps else []),
            "           It is saved and tried again by itself; `leadhub source list` says how it does."]  # fmt: skip


def _set(source_id: int, state: str, *, as_json: bool) -> None:
    from ingest.sources.sources import set_state

    with hub() as (_, engine), engine.begin() as connection:
        set_state(connection, operator(), source_id, state)
    tell({"id": str(source_id), "state": state}, as_json=as_json, words=f"Source {source_id} is {state}.")
