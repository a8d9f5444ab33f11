"""`leadhub contact …` and `leadhub erase`: what is done to a person's data from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

if TYPE_CHECKING:
    from crm_core.erasure.commands import Erased
    from ingest.erasure.erase import Emptied, Person, Preview

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
    from webhooks.api import contacts as shapes
    from webhooks.api.shape import plain_json

    person = erasure.Person(contact_id)
    if _looked(person, why, dry_run, yes, f"Erase contact {contact_id} for good?", as_json):
        return
    with hub() as (config, engine):
        erased = erasure.erase(engine, config, operator(), contact_id, why.strip(), datetime.now(UTC))
    words = (
        f"Contact {erased.contact_id} is erased: {erased.events} events, {erased.leads} leads, {len(erased.files)} files,"
        f" and {erased.strays} events of nobody."
    )
    tell(plain_json(shapes.Erased, erased), as_json=as_json, words=words + _left(erased))


@contact.command(name="export")
@click.argument("contact_id", metavar="ID", type=int)
@answers
def export_contact(contact_id: int, as_json: bool) -> None:
    """Print everything that is kept of a person, as JSON, to hand over to them. Look it over first: colleagues stand in it too.

    Contents of files are named by their hash. Events that belong to no contact are not in it; `leadhub contact erase ID
    --dry-run` names those.
    """
    from ingest.erasure.person_data import export_person
    from webhooks.api import contacts as shapes
    from webhooks.api.shape import plain_json

    with hub() as (_, engine), engine.begin() as connection:
        made = plain_json(shapes.PersonData, export_person(connection, operator(), contact_id, datetime.now(UTC)))
    tell(made, as_json=as_json, words=json.dumps(made, indent=2, ensure_ascii=False))


@contact.command(name="merge")
@click.argument("winner", type=int)
@click.argument("loser", type=int)
@click.option("--why", default="", help="Kept in the contact's history.")
@click.option("--dry-run", is_flag=True, help="Only show what would become of each field.")
@answers
def merge_contacts(winner: int, loser: int, why: str, dry_run: bool, as_json: bool) -> None:
    """Say that two contacts are one person: LOSER answers as WINNER from now on. `leadhub contact unmerge` takes it back."""
    from crm_core.merging import commands
    from crm_core.merging.preview import preview_merge
    from webhooks.api.merges import MergePreview
    from webhooks.api.shape import plain_json

    with hub() as (_, engine), engine.begin() as connection:
        if dry_run:
            seen = plain_json(MergePreview, preview_merge(connection, operator(), winner, loser, datetime.now(UTC)))
            rows = [
                {**one, "values": " | ".join(f"{value['of']}: {value['value']}" for value in one["values"]),
                 "conflict": "yes" if one["conflict"] else ""}
                for one in seen["fields"]
            ]  # fmt: skip
            columns = {"field": "FIELD", "chosen": "CHOSEN", "rule": "WHY", "conflict": "CONFLICT", "values": "VALUES"}
            words = table(rows, columns, "Nothing is known of either.") + f"\n{seen['leads']} leads come over."
            words += "".join(f"\nLead {one['lead']} closes, {one['into']} carries on." for one in seen["folded"])
            words += "\nSomebody said once that these are two people." if seen["called_different"] else ""
            tell(seen, as_json=as_json, words=words)
            return
        merge_id = commands.merge_contacts(connection, operator(), winner, loser, why, datetime.now(UTC))
    tell({"merge": str(merge_id)}, as_json=as_json, words=f"Merged. `leadhub contact unmerge {merge_id}` takes it back.")


@contact.command(name="unmerge")
@click.argument("merges", metavar="[MERGE…]", type=int, nargs=-1)
@click.option("--since", type=click.DateTime(), default=None, help="All automatic merges from this time on (UTC).")
@click.option("--until", type=click.DateTime(), default=None, help="And before this one.")
@click.option("--rule", default=None, help="Only those merged by this rule.")
@click.option("--source", type=int, default=None, help="Only those that an inquiry of this source showed.")
@click.option("--why", default="", help="Kept in the contacts' history.")
@click.option("--dry-run", is_flag=True, help="Only show what would be taken apart.")
@answers
def unmerge_contacts(
    merges: tuple[int, ...], since: datetime | None, until: datetime | None, rule: str | None, source: int | None, why: str,
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Take merges back: the contacts are as if they had never been one. Later inquiries go to whoever owns their numbers.

    Name merges by number, or choose automatic ones by time, rule or source; look with --dry-run first.
    """
    from crm_core.base.errors import Invalid
    from crm_core.merging.queries import MergeFilter
    from ingest.processing.merge_undo import look_at_merge_undo, undo_merge, undo_merges

    chosen = any(one is not None for one in (since, until, rule, source))
    if bool(merges) == chosen:
        raise Invalid("merges_missing", "Name merges by number, or choose them with --since, --until, --rule or --source.")
    with hub() as (config, engine):
        if len(merges) == 1:
            with engine.begin() as connection:
                one = (
                    look_at_merge_undo(connection, operator(), merges[0], config)
                    if dry_run
                    else undo_merge(connection, operator(), merges[0], why, datetime.now(UTC), config)
                )
            words = f"{'Would be' if dry_run else 'Are'} apart again: {one.winner_id} and {one.loser_id}."
            words += f" {one.touches} later inquiries go to the other one, {one.reopened} leads go on."
            tell(one, as_json=as_json, words=words)
            return
        utc = [at.replace(tzinfo=UTC) if at is not None else None for at in (since, until)]
        wanted = MergeFilter(utc[0], utc[1], rule, source, automatic=not merges, ids=merges or None)
        found = list(undo_merges(engine, operator(), wanted, why, datetime.now(UTC), dry_run=dry_run, config=config))
    rows = [
        {"merge": str(one.merge_id), "winner": one.view.winner_name if one.view else "",
         "loser": one.view.loser_name if one.view else "", "touches": one.view.touches if one.view else "", "refused": one.refused}
        for one in found
    ]  # fmt: skip
    columns = {"merge": "MERGE", "winner": "ONE", "loser": "OTHER", "touches": "LATER INQUIRIES MOVED", "refused": "REFUSED"}
    tell({"items": rows, "dry_run": dry_run}, as_json=as_json, words=table(rows, columns, "No merge is meant by that."))


@contact.command(name="merges")
@click.argument("contact_id", metavar="ID", type=int)
@answers
def list_merges(contact_id: int, as_json: bool) -> None:
    """What was merged into a contact, and what was taken back."""
    from crm_core.merging.queries import merges_of
    from webhooks.api.merges import Merges
    from webhooks.api.shape import plain_json

    with hub() as (_, engine), engine.begin() as connection:
        found = plain_json(Merges, {"items": merges_of(connection, operator(), contact_id)})
    columns = {
        "id": "MERGE",
        "at": "AT",
        "winner": "INTO",
        "loser_name": "WHO",
        "actor": "BY",
        "rule": "RULE",
        "undone_at": "UNDONE",
    }
    rows = [{**one, "winner": one["winner"]["name"]} for one in found["items"]]
    tell(found, as_json=as_json, words=table(rows, columns, "Nothing was merged into this contact."))


@contact.command(name="suggestions")
@click.option("--state", type=click.Choice(["open", "same", "different"]), default="open")
@click.option("--limit", type=click.IntRange(1, 200), default=50)
@answers
def list_suggestions(state: str, limit: int, as_json: bool) -> None:
    """Pairs of contacts that may be one person."""
    from crm_core.contacts import suggestions
    from webhooks.api.contacts import SuggestionPage
    from webhooks.api.shape import plain_json

    with hub() as (_, engine), engine.begin() as connection:
        found = plain_json(SuggestionPage, suggestions.list_suggestions(connection, operator(), state, limit))
    rows = [{**one, "a": f"{one['a']['id']} {one['a']['name']}", "b": f"{one['b']['id']} {one['b']['name']}",
             "why": one["why"].get("rule") or one["why"].get("code", "")} for one in found["items"]]  # fmt: skip
    columns = {"id": "SUGGESTION", "a": "ONE", "b": "OTHER", "bits": "BITS", "why": "WHY"}
    tell(found, as_json=as_json, words=table(rows, columns, "There is no such pair."))


@contact.command(name="compare")
@answers
def compare_contacts(as_json: bool) -> None:
    """Compare all contacts now, as every night: pairs that may be one person go into the queue, at most 50 a day."""
    from crm_core.base.errors import Conflict
    from crm_core.merging.suggesting import suggest

    with hub() as (_, engine):
        made = suggest(engine, datetime.now(UTC))
    if made is None:
        raise Conflict("comparing_already", "Another process is comparing the contacts right now.")
    words = f"{made.contacts} contacts, {made.pairs} pairs looked at, {made.suggested} new ones in the queue."
    tell(made, as_json=as_json, words=words + (f" {made.skipped_blocks} blocks too large." if made.skipped_blocks else ""))


@contact.command(name="decide")
@click.argument("suggestion_id", metavar="SUGGESTION", type=int)
@click.argument("decision", type=click.Choice(["same", "different", "later"]))
@click.option("--winner", type=int, default=None, help="Who carries on; the older contact by default.")
@answers
def decide_suggestion(suggestion_id: int, decision: Any, winner: int | None, as_json: bool) -> None:
    """Say whether a suggested pair is the same person. `different` holds for everybody and for ever."""
    from ingest.processing.merge_undo import decide_pair

    with hub() as (config, engine), engine.begin() as connection:
        merge_id = decide_pair(connection, operator(), suggestion_id, decision, datetime.now(UTC), winner, config)
    answer = {"id": str(suggestion_id), "decision": decision, "merge": str(merge_id) if merge_id else None}
    words = "Noted."
    if merge_id:
        words = (
            f"Merged. `leadhub contact unmerge {merge_id}` takes it back."
            if decision == "same"
            else f"Merge {merge_id} is undone."
        )
    tell(answer, as_json=as_json, words=words)


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
    from webhooks.api import contacts as shapes
    from webhooks.api.shape import plain_json

    person = erasure.Person(phone=phone.strip(), email=email.strip())
    if _looked(person, why, dry_run, yes, "Empty these events for good?", as_json):
        return
    with hub() as (config, engine):
        done = erasure.erase_address(engine, config, operator(), person, why.strip(), datetime.now(UTC))
    words = f"{done.events} events and {done.calls} calls of nobody are emptied."
    tell(plain_json(shapes.Emptied, done), as_json=as_json, words=words + _left(done) + _contacts(done))


def _looked(person: Person, why: str, dry_run: bool, yes: bool, question: str, as_json: bool) -> bool:
    """Shows what would be emptied. True if that was all that was asked for."""
    from crm_core.base.errors import Invalid
    from ingest.erasure import erase as erasure
    from webhooks.api import contacts as shapes
    from webhooks.api.shape import plain_json

    if not dry_run and not why.strip():
        raise Invalid("why_missing", "Say with --why who asked for it and how.", fields=["why"])
    if yes and not dry_run:
        return False
    with hub() as (config, engine):
        seen = erasure.preview(engine, config, operator(), person)
    shown = plain_json(shapes.ErasurePreview, seen)
    columns = {"id": "EVENT", "received_at": "RECEIVED", "source": "SOURCE", "state": "STATE", "outcome": "OUTCOME"}
    words = table(shown["found"], columns, "No event of nobody names this person.")
    words += f"\n{seen.count} of {seen.searched} events of nobody would be emptied." + _left(seen) + _contacts(seen)
    if dry_run:
        tell(shown, as_json=as_json, words=words)
        return True
    click.echo(words, err=True)
    click.confirm(question, abort=True, err=True)
    return False


def _left(done: Preview | Erased | Emptied) -> str:
    words = "".join(
        f"\nNot looked through ({why.replace('_', ' ')}): {count}. `--dry-run --json` names them."
        for why, count in sorted(done.unsearched.items())
    )
    if done.on_their_way:
        words += f"\nStill with the workers, and left: {done.on_their_way}. Ask again in a moment."
    return words


def _contacts(done: Preview | Emptied) -> str:
    return f"\nContacts that use it: {', '.join(map(str, done.contacts))}." if done.contacts else ""
