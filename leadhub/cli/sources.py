"""`leadhub source …`: entrances of the hub."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from leadhub.cli.answers import answers, fail, hub, table, tell
from leadhub.cli.source_aliases import alias

_ACTOR = "command line"


@click.group()
def source() -> None:
    """Entrances: a form address, an exchange line, a mailbox."""


source.add_command(alias)


@source.command()
@click.argument("connector")
@click.option("--name", required=True, help="What people call it.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the connector; repeat as needed.")
@click.option("--host", "hosts", multiple=True, help="A website that a form may send people back to; repeat as needed.")
@answers
def add(connector: str, name: str, pairs: tuple[str, ...], hosts: tuple[str, ...], as_json: bool) -> None:
    """Add a source of CONNECTOR and show its address.

    CONNECTOR is the name of a connector's folder: generic_form, generic_call, imap, zadarma, …
    """
    from ingest.sources import add_source

    settings = dict(_pair(pair) for pair in pairs)
    with hub() as (config, engine), engine.begin() as connection:
        new = add_source(connection, config, connector, name, settings, hosts, actor=_ACTOR)
    answer = {key: value for key, value in asdict(new).items() if value != "" or key not in ("secret", "token")}
    answer["id"] = str(new.id)
    said = [f"Source {new.id} ({new.channel}): {new.name}"]
    said += [f"  address  {new.url}"] if new.url else ["  The hub fetches; there is no address."]
    said += [f"  secret   {new.secret}  (shown this once)"] if new.secret else []
    tell(answer, as_json=as_json, words="\n".join(said))


@source.command(name="list")
@answers
def list_(as_json: bool) -> None:
    """Show all sources with their addresses."""
    from ingest.sources import list_sources

    with hub() as (config, engine), engine.connect() as connection:
        rows = [asdict(row) | {"id": str(row.id)} for row in list_sources(connection, config)]
    columns = {
        "id": "ID", "name": "NAME", "connector": "CONNECTOR", "state": "STATE", "last_event_at": "LAST EVENT",
        "url": "ADDRESS",
    }  # fmt: skip
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "There are no sources yet: leadhub source add --help"))


@source.command()
@click.argument("source_id", metavar="ID", type=int)
@answers
def test(source_id: int, as_json: bool) -> None:
    """Try a source: sign in to its mailbox, or post to its own address without making a lead."""
    from leadhub.trial import trial

    with hub() as (config, engine):
        findings = trial(engine, config, source_id)
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
    from ingest.sources import rotate_token

    with hub() as (config, engine), engine.begin() as connection:
        url = rotate_token(connection, config, source_id, actor=_ACTOR)
    tell({"id": str(source_id), "url": url}, as_json=as_json, words=f"The new address is {url}")


def _set(source_id: int, state: str, *, as_json: bool) -> None:
    from ingest.sources import set_state

    with hub() as (_, engine), engine.begin() as connection:
        set_state(connection, source_id, state, actor=_ACTOR)
    tell({"id": str(source_id), "state": state}, as_json=as_json, words=f"Source {source_id} is {state}.")


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        fail("pair_invalid", f"--set takes KEY=VALUE, not {text!r}.", as_json=False, status=2)
    return key, value
