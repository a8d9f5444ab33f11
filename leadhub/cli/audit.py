"""`leadhub audit …`: who did or looked at what, and whether anybody has touched the record."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def audit() -> None:
    """The record of every change and every look at personal raw data."""


@audit.command(name="list")
@click.option(
    "--actor", help="Only what this one did: user:7, token:3, cli:root, visitor, hub; a kind alone (cli) means all of it."
)
@click.option("--subject", help="Only what was done to this: lead:7, source:3; a kind alone (lead) means all of it.")
@click.option("--action", help="Only this: event.raw, lead.assign, session.refuse, …")
@click.option("--since", type=_MOMENT, help="Only since then, in the hub's time zone.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="The `next` of an earlier page.")
@answers
def list_(
    actor: str | None, subject: str | None, action: str | None, since: datetime | None, limit: int, cursor: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show the record, newest first."""
    from crm_core.access.audit_queries import AuditFilter, list_audit
    from webhooks.api.audit import AuditPage
    from webhooks.api.cursors import decode_cursor
    from webhooks.api.shape import plain_json

    with hub() as (config, engine), engine.connect() as connection:
        after = since.replace(tzinfo=config.zone) if since else None
        filters = AuditFilter(actor, subject, action, after)
        position = decode_cursor(cursor) if cursor else None
        page = list_audit(connection, operator(), filters, limit, position)
    shown = plain_json(AuditPage, page)
    columns = {"at": "AT", "who": "WHO", "action": "WHAT", "subject": "TO", "details": "DETAILS"}
    rows = [
        row | {"who": row["actor_name"] or row["actor"], "details": orjson.dumps(row["data"]).decode()} for row in shown["items"]
    ]
    words = table(rows, columns, "Nothing is recorded under these conditions.")
    if shown["next"]:
        words += f"\nMore: --cursor {shown['next']}"
    tell(shown, as_json=as_json, words=words)


@audit.command()
@answers
def verify(as_json: bool) -> None:
    """Compare every row with the chain of hashes over it, and the chain with the heads noted in LEADHUB_HOME. Status 1 if
    something was changed, taken out or emptied."""
    from crm_core.base.database import connect
    from ingest.monitoring.audit_sealing import noted, verify_audit

    with hub() as (config, _), connect(config.database_url, "migrate") as connection:
        found = verify_audit(connection, config.home, datetime.now(UTC))
        heads = len(noted(config.home))
    head = None if found.head is None else {"position": found.head.position, "hash": found.head.hash.hex()}
    broken: dict[str, Any] | None = None
    if found.broken is not None:
        broken = {
            "code": found.broken.code, "position": found.broken.position, "message": found.broken.message,
            "entry": None if found.broken.entry is None else str(found.broken.entry),
        }  # fmt: skip
    answer = {"ok": broken is None, "entries": found.entries, "head": head, "noted": heads, "broken": broken}
    if broken:
        words = f"BROKEN at position {broken['position']}: {broken['message']}"
    else:
        words = f"{found.entries} rows, none changed or missing; {heads} noted heads agree."
        words += f"\nHead: {head['position']} {head['hash']}" if head else ""
    tell(answer, as_json=as_json, words=words)
    sys.exit(0 if broken is None else 1)
