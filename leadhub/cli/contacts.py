"""`leadhub contact …`: what is done to a person's data from the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from leadhub.cli.answers import answers, hub, tell


@click.group()
def contact() -> None:
    """Persons."""


@contact.command()
@click.argument("contact_id", metavar="ID", type=int)
@click.option("--why", required=True, help="Who asked for it and how; kept in the audit, so without the person's data.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@answers
def erase(contact_id: int, why: str, yes: bool, as_json: bool) -> None:
    """Empty everything that names a person, for good. Counts, times and outcomes stay."""
    from crm_core.access import Principal
    from ingest import erasure

    if not yes:
        click.confirm(f"Erase contact {contact_id} for good?", abort=True, err=True)
    with hub() as (config, engine):
        principal = Principal("cli", 0, "command line", "admin", None)
        erased = erasure.erase(engine, config, principal, contact_id, why, datetime.now(UTC))
    answer = {"contact": str(erased.contact_id), "events": erased.events, "leads": erased.leads, "files": len(erased.files)}
    words = f"Contact {erased.contact_id} is erased: {erased.events} events, {erased.leads} leads, {len(erased.files)} files."
    tell(answer, as_json=as_json, words=words)
