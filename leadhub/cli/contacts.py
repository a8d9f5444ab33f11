"""`leadhub contact …` and `leadhub erase`: what is done to a person's data from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_WHY = "Who asked for it and how; kept in the audit, so without the person's data."


@click.group()
def contact() -> None:
    """Persons."""


@contact.command(name="erase")
@click.argument("contact_id", metavar="ID", type=int)
@click.option("--why", default="", help=_WHY)
@click.option("--dry-run", is_flag=True, help="Only show which events of nobody name this person.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@answers
def erase_contact(contact_id: int, why: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Empty everything that names a person, for good. Counts, times and outcomes stay.

    Events that belong to no contact (set aside, unreadable, rejected) are searched for the person and emptied too.
    """
    from ingest.erasure import erase as erasure

    person = erasure.Person(contact_id)
    if _looked(person, why, dry_run, yes, f"Erase contact {contact_id} for good?", as_json):
        return
    with hub() as (config, engine):
        erased = erasure.erase(engine, config, operator(), contact_id, why.strip(), datetime.now(UTC))
    answer = {
        "contact": str(erased.contact_id), "events": erased.events, "leads": erased.leads, "files": len(erased.files),
        "strays": erased.strays, "on_their_way": erased.on_their_way, "unsearched": dict(erased.unsearched),
    }  # fmt: skip
    words = (
        f"Contact {erased.contact_id} is erased: {erased.events} events, {erased.leads} leads, {len(erased.files)} files,"
        f" and {erased.strays} events of nobody."
    )
    tell(answer, as_json=as_json, words=words + _left(answer))


@contact.command(name="export")
@click.argument("contact_id", metavar="ID", type=int)
@answers
def export_contact(contact_id: int, as_json: bool) -> None:
    """Print everything that is kept of a person, as JSON, to hand over to them. Look it over first: colleagues stand in it too.

    Contents of files are named by their hash. Events that belong to no contact are not in it; `leadhub contact erase ID
    --dry-run` names those.
    """
    from ingest.erasure.person_data import export_person

    with hub() as (_, engine), engine.begin() as connection:
        made = export_person(connection, operator(), contact_id, datetime.now(UTC))
    tell(made, as_json=as_json, words=json.dumps(made, indent=2, ensure_ascii=False))


@click.command()
@click.option("--phone", default="", help="A number, in any spelling.")
@click.option("--email", default="", help="An e-mail address.")
@click.option("--why", default="", help=_WHY)
@click.option("--dry-run", is_flag=True, help="Only show what would be emptied.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@answers
def erase(phone: str, email: str, why: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Empty the events of nobody that name a number or an address: set aside, unreadable, rejected, automatic mail.

    Contacts that use it are named and left alone; `leadhub contact erase ID` erases each.
    """
    from ingest.erasure import erase as erasure

    person = erasure.Person(phone=phone.strip(), email=email.strip())
    if _looked(person, why, dry_run, yes, "Empty these events for good?", as_json):
        return
    with hub() as (config, engine):
        done = erasure.erase_address(engine, config, operator(), person, why.strip(), datetime.now(UTC)).as_dict()
    words = f"{done['events']} events and {done['calls']} calls of nobody are emptied."
    tell(done, as_json=as_json, words=words + _left(done) + _contacts(done))


def _looked(person: Any, why: str, dry_run: bool, yes: bool, question: str, as_json: bool) -> bool:
    """Shows what would be emptied. True if that was all that was asked for."""
    from crm_core.base.errors import Invalid
    from ingest.erasure import erase as erasure

    if not dry_run and not why.strip():
        raise Invalid("why_missing", "Say with --why who asked for it and how.", fields=["why"])
    if yes and not dry_run:
        return False
    with hub() as (config, engine):
        seen = erasure.preview(engine, config, operator(), person).as_dict()
    columns = {"id": "EVENT", "received_at": "RECEIVED", "source": "SOURCE", "state": "STATE", "outcome": "OUTCOME"}
    words = table(seen["found"], columns, "No event of nobody names this person.")
    words += f"\n{seen['count']} of {seen['searched']} events of nobody would be emptied." + _left(seen) + _contacts(seen)
    if dry_run:
        tell(seen, as_json=as_json, words=words)
        return True
    click.echo(words, err=True)
    click.confirm(question, abort=True, err=True)
    return False


def _left(done: dict[str, Any]) -> str:
    words = "".join(
        f"\nNot looked through ({why.replace('_', ' ')}): {count}. `--dry-run --json` names them."
        for why, count in sorted(done["unsearched"].items())
    )
    if done["on_their_way"]:
        words += f"\nStill with the workers, and left: {done['on_their_way']}. Ask again in a moment."
    return words


def _contacts(done: dict[str, Any]) -> str:
    return f"\nContacts that use it: {', '.join(done['contacts'])}." if done["contacts"] else ""
