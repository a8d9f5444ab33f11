"""`leadhub events …`: what arrived, as it arrived, and sending it through again."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

import click

from crm_core.base.errors import Invalid
from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_STATES = click.Choice(["waiting", "working", "done", "needs_attention", "rejected"])
_OUTCOMES = click.Choice(["created", "attached", "repeat", "auto", "spam", "test", "ignored", "dismissed"])
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def events() -> None:
    """What arrived."""


@events.command(name="list")
@click.option("--state", type=_STATES, help="Only events in this state.")
@click.option("--outcome", type=_OUTCOMES, help="Only events with this outcome.")
@click.option("--source", "source_id", type=int, help="Only events of this source.")
@click.option("--since", type=_MOMENT, help="Only events received since, in the hub's time zone.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="The `next` of an earlier page.")
@answers
def list_(
    state: str | None, outcome: str | None, source_id: int | None, since: datetime | None, limit: int,
    cursor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show events, newest first."""
    from ingest.journal.queries import list_events
    from webhooks.api.cursors import decode_cursor
    from webhooks.api.events import EventPage
    from webhooks.api.shape import plain_json

    with hub() as (config, engine), engine.connect() as connection:
        after = since.replace(tzinfo=config.zone) if since else None
        page = list_events(connection, state, outcome, source_id, after, limit, decode_cursor(cursor) if cursor else None)
    shown = plain_json(EventPage, page)
    columns = {
        "id": "ID", "received_at": "RECEIVED", "source": "SOURCE", "channel": "CHANNEL", "state": "STATE",
        "outcome": "OUTCOME", "lead": "LEAD", "problem": "PROBLEM",
    }  # fmt: skip
    rows = [row | {"problem": (row["error"] or {}).get("message")} for row in shown["items"]]
    words = table(rows, columns, "There are no such events.")
    if shown["next"]:
        words += f"\nMore: --cursor {shown['next']}"
    tell(shown, as_json=as_json, words=words)


@events.command()
@click.argument("event_id", metavar="ID")
@click.option("--raw", is_flag=True, help="Write the body as it arrived, byte for byte, and nothing else.")
@answers
def show(event_id: str, raw: bool, as_json: bool) -> None:
    """Show one event with its reason, or its raw bytes."""
    from ingest.journal import queries
    from webhooks.api.events import EventCard
    from webhooks.api.shape import plain_json

    with hub() as (_, engine), engine.begin() as connection:
        event = queries.get_event(connection, event_id)
        found = queries.look_at_raw(connection, operator(), event_id, "page" if as_json else "file") if raw else None
    if found is not None and not as_json:
        sys.stdout.buffer.write(found.body)
        return
    shown = plain_json(EventCard, event) | ({"raw": _raw(found)} if found is not None else {})
    tell(shown, as_json=as_json, words=json.dumps(shown, indent=2, ensure_ascii=False))


@events.command()
@click.argument("event_ids", metavar="[ID]…", nargs=-1)
@click.option("--state", type=click.Choice(["needs_attention", "rejected", "done"]), help="All events in this state.")
@click.option("--outcome", type=_OUTCOMES, help="All events with this outcome.")
@click.option("--source", "source_id", type=int, help="Only those of this source.")
@click.option("--code", help="Only those with this error code.")
@click.option("--since", type=_MOMENT, help="Only those received since, in the hub's time zone.")
@click.option("--until", type=_MOMENT, help="Only those received before, in the hub's time zone.")
@click.option("--affected", is_flag=True, help="Of --source's last events those that would be understood otherwise now.")
@click.option("--dry-run", is_flag=True, help="Only show what would be different.")
@answers
def replay(
    event_ids: tuple[str, ...], state: str | None, outcome: str | None, source_id: int | None, code: str | None,
    since: datetime | None, until: datetime | None, affected: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Send events through again: those named, or all that match. Nothing is doubled. Status 1 if none of those named can
    be sent."""
    from ingest.processing.affected import affected as find_affected
    from ingest.processing.replay import ReplayReport, Selection
    from ingest.processing.replay import replay as send

    with hub() as (config, engine):
        if affected:
            if source_id is None or event_ids:
                raise Invalid(
                    "affected_of_a_source", "Give --affected together with --source, and without ids.", fields=["affected"]
                )
            event_ids = tuple(find_affected(engine, config, source_id))
        selection = Selection(
            event_ids, affected, state, outcome, source_id, code,
            since.replace(tzinfo=config.zone) if since else None, until.replace(tzinfo=config.zone) if until else None,
        )  # fmt: skip
        nothing = affected and not event_ids
        report = ReplayReport(dry_run=dry_run) if nothing else send(engine, operator(), config, selection, dry_run)
    tell(report, as_json=as_json, words=lambda: _words(report))


def _words(report: Any) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(report.before.items())) or "none"
    if not report.dry_run:
        said = f"{report.replayed} events were sent through again ({counts})."
    else:
        after = ", ".join(f"{count} {name}" for name, count in sorted(report.after.items())) or "none"
        said = f"{report.selected} events match. Now: {counts}. They would become: {after}."
        columns = {"event": "EVENT", "before": "NOW", "after": "WOULD BE", "lead": "LEAD"}
        said += "\n" + table(report.changes, columns, "Nothing would be different.")
    return said + ("\nMore events match than one order takes: repeat it." if report.truncated else "")


def _raw(event: Any) -> dict[str, Any]:
    """The request as JSON can carry it: the body as text, invalid bytes as U+FFFD."""
    return {
        "method": event.method, "path": event.path, "query": event.query, "headers": dict(event.headers),
        "body": event.body.decode("utf-8", "replace"),
    }  # fmt: skip
