"""Commands that look at the hub as a whole: schema, settings, doctor, health, ledger."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from leadhub.cli.answers import answers, hub, read_config, table, tell


@click.command()
@answers
def migrate(as_json: bool) -> None:
    """Bring the database to this version's schema. Safe to run at any time, by several at once."""
    from crm_core.base import database

    url = read_config().database_url
    before = database.schema_is_current(url)
    database.migrate(url)
    words = "The schema was current already." if before else "The schema is current now."
    tell({"migrated": not before, "current": True}, as_json=as_json, words=words)


@click.command()
@answers
def config(as_json: bool) -> None:
    """Show the effective settings, secrets masked."""
    from leadhub import settings

    rows = settings.effective(settings.read(os.environ, Path.cwd()))
    tell(
        {row["name"]: row["value"] for row in rows},
        as_json=as_json,
        words=table(rows, {"name": "SETTING", "value": "VALUE", "origin": "FROM"}, ""),
    )


@click.command()
@answers
def doctor(as_json: bool) -> None:
    """Check database, broker, mailboxes, clock and disk; one line each. Exit 1 if something is broken."""
    from leadhub.doctor import examine

    findings = examine(read_config())
    marks = {"ok": "ok   ", "hint": "hint ", "bad": "BAD  "}
    words = "\n".join(f"{marks[finding.state]} {finding.name:<10} {finding.message}" for finding in findings)
    healthy = all(finding.state != "bad" for finding in findings)
    tell({"ok": healthy, "findings": findings}, as_json=as_json, words=words)
    sys.exit(0 if healthy else 1)


@click.command()
@answers
def health(as_json: bool) -> None:
    """Show whether the hub is healthy: queues, mailboxes, oldest waiting, canaries. Exit 1 if it is not."""
    from ingest.monitoring.health import health_report
    from webhooks.api.queues import QueueReport
    from webhooks.api.shape import plain_json
    from webhooks.api.sources import SourceStatus

    with hub() as (settings, engine), engine.connect() as connection:
        report = health_report(connection, settings, datetime.now(UTC))
    columns = {
        "channel": "CHANNEL", "waiting": "WAITING", "working": "WORKING", "oldest_waiting_seconds": "OLDEST (s)",
        "needs_attention": "NEEDS ATTENTION", "rejected": "REJECTED",
    }  # fmt: skip
    queues = plain_json(QueueReport, report.queues)
    sources = [{"name": one.name, **plain_json(SourceStatus, one)} for one in report.sources]
    findings, hints = (
        [{"code": one.code, "words": one.words, **one.facts} for one in found] for found in (report.findings, report.hints)
    )
    said = ["Healthy." if report.healthy else "Not healthy:", *(f"  {line}" for line in report.problems)]
    said += [*report.notes, "", table(queues["channels"], columns, "No channels.")]
    said += ["", table(sources, {"name": "SOURCE", "words": "STATE"}, "There are no sources yet.")]
    answer = {
        "healthy": report.healthy, "problems": report.problems, "findings": findings, "hints": hints, "notes": report.notes,
        "sources": sources, "queues": queues,
    }  # fmt: skip
    tell(answer, as_json=as_json, words="\n".join(said))
    sys.exit(0 if report.healthy else 1)


@click.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="One day of the hub's time zone; default: today.")
@click.option("--source", "source_id", type=int, help="Only this source.")
@answers
def ledger(day: datetime | None, source_id: int | None, as_json: bool) -> None:
    """Show what became of everything that arrived; exit 1 if it does not balance."""
    from ingest.journal.ledger import PARTS
    from ingest.journal.ledger import ledger as rows_of
    from webhooks.api.ledger import LedgerRow
    from webhooks.api.shape import plain_json

    with hub() as (settings, engine), engine.connect() as connection:
        wanted = day.date() if day else datetime.now(settings.zone).date()
        rows = rows_of(connection, settings.timezone, wanted, wanted, source_id)
    balanced = all(row.balanced for row in rows)
    shown = [plain_json(LedgerRow, row) for row in rows]
    columns = {"source": "SOURCE", "day": "DAY", "received": "RECEIVED"}
    columns |= {part: part.upper().replace("_", " ") for part in PARTS} | {"balanced": "BALANCED"}
    tell({"items": shown, "balanced": balanced}, as_json=as_json, words=table(shown, columns, f"Nothing arrived on {wanted}."))
    sys.exit(0 if balanced else 1)
