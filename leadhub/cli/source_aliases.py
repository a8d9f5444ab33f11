"""`leadhub source alias …`: the ids by which a form was known to the service that it posted to before."""

from __future__ import annotations

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator


@click.group()
def alias() -> None:
    """Ids of other services that lead to a source: a site moves here by changing the host name."""


@alias.command()
@click.argument("source_id", metavar="ID", type=int)
@click.argument("name", metavar="ALIAS")
@answers
def add(source_id: int, name: str, as_json: bool) -> None:
    """Let ALIAS lead to the source.

    ALIAS is service:id, for example formspree:xyzabcde, hubspot:1234567/FORM-GUID, web3forms:KEY, formsubmit:info@example.com,
    basin:ID, getform:ID, roistat:KEY, calltouch:SITE, or the old service's address as it stood on the page.
    """
    from ingest.sources.aliases import add_alias

    with hub() as (config, engine), engine.begin() as connection:
        made = add_alias(connection, operator(), config, source_id, name)
    tell({"id": str(source_id), "alias": made}, as_json=as_json, words=f"{made} leads to source {source_id}.")


@alias.command()
@click.argument("source_id", metavar="ID", type=int)
@click.argument("name", metavar="ALIAS")
@answers
def remove(source_id: int, name: str, as_json: bool) -> None:
    """Take ALIAS away. What still arrives under it is kept as unclaimed."""
    from ingest.sources.aliases import remove_alias

    with hub() as (config, engine), engine.begin() as connection:
        remove_alias(connection, operator(), config, source_id, name)
    tell({"id": str(source_id), "removed": name}, as_json=as_json, words=f"{name} leads nowhere now.")


@alias.command(name="list")
@click.argument("source_id", metavar="ID", type=int)
@answers
def list_(source_id: int, as_json: bool) -> None:
    """Show the aliases of a source."""
    from ingest.sources.aliases import list_aliases

    with hub() as (config, engine), engine.connect() as connection:
        rows = [{"alias": one.alias, "created_at": one.created_at} for one in list_aliases(connection, config, source_id)]
    columns = {"alias": "ALIAS", "created_at": "SINCE"}
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "No aliases: leadhub source alias add --help"))
