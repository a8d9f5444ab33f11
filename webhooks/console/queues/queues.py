"""Queues: what waits, what stands still, who is alive. The page looks again by itself while somebody reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from flask import g
from sqlalchemy import Connection

from ingest.monitoring.health import ProcessSign, QueueReport, health_report
from webhooks.console.quarantine.quarantine import alert_words, shown_alerts
from webhooks.console.queues import received_today
from webhooks.console.queues.findings import ALIVE_SECONDS, findings, hints
from webhooks.console.shell import view_values
from webhooks.console.shell.request_context import PageAnswer, RequestContext
from webhooks.console.sources import source_status


def index(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        health = health_report(connection, context.config, context.now)
        done = _done_today(connection, context)
        today_by_source = {count.source_id: count.received for count in received_today.counts(connection, context)}
    g.source_states = health.sources
    report = health.queues
    canaries = {one.queue: one.seconds for one in report.canaries}
    channels = [
        {
            "channel": row.channel,
            # As the list counts them: what is being worked on and what waits in a paused source wait too.
            "pending": row.waiting + row.working + row.paused,
            "attention": row.needs_attention + row.rejected,
            "oldest_seconds": row.oldest_waiting_seconds,
            "done_today": done.get(row.channel, 0),
            "canary_seconds": canaries.get(f"intake.{row.channel}"),
        }
        for row in report.channels
    ]  # fmt: skip
    heartbeats = _processes(context, report.processes)
    alerts, more_alerts = shown_alerts(context)
    total, rows = _total(channels), _sources(context, report, today_by_source)
    # Not green while anything below is red: the bar and the figures under it are one statement.
    is_red = any(view_values.colour("process_state", one["state"]) == "red" for one in heartbeats) or any(
        one["status"]["tone"] == "bad" for one in rows
    )
    is_amber = total["attention"] or alerts or any(one["status"]["in_trouble"] for one in rows)
    return context.page(
        "queues/queues.html",
        mood="bad" if is_red or not health.healthy else "warn" if is_amber else "good",
        today=received_today.day(context).isoformat(),
        problems=findings(context, health),
        hints=hints(context, health),
        alerts=alerts,
        alert_words=partial(alert_words, context),
        more_alerts=more_alerts,
        can_resolve=context.may("alerts.write"),
        can_judge=context.may("quarantine.judge"),
        total=total,
        channels=channels,
        heartbeats=heartbeats,
        workers_alive=sum(1 for one in heartbeats if one["role"] == "worker" and one["state"] == "alive"),
        source_rows=rows,
    )


def _sources(context: RequestContext, report: QueueReport, today_by_source: dict[int, int]) -> list[dict[str, Any]]:
    """Every source as the list of sources says it, those in trouble first."""
    missed = {box.source.id: box.missed for box in report.mailboxes}
    rows = sorted(source_status.states(context), key=lambda one: (not one.in_trouble, one.source_id))
    return [
        {"id": one.source_id, "name": one.name, "channel": one.channel, "status": source_status.shown(context, one),
         "last_event_at": one.last_event_at, "today": today_by_source.get(one.source_id, 0),
         "missed": missed.get(one.source_id, 0)}
        for one in rows
    ]  # fmt: skip


def _processes(context: RequestContext, processes: Sequence[ProcessSign]) -> list[dict[str, Any]]:
    """Those alive first. One that is silent while others do its work was most likely ended, and is no alarm."""
    served = {one.role for one in processes if one.age_seconds < ALIVE_SECONDS}
    shown = [
        {
            "role": one.role, "instance": one.instance, "age_seconds": one.age_seconds,
            "state": "alive" if one.age_seconds < ALIVE_SECONDS else "ended" if one.role in served else "silent",
            "at": context.now - timedelta(seconds=one.age_seconds),
        }
        for one in processes
    ]  # fmt: skip
    return sorted(shown, key=lambda one: (one["state"] == "ended", one["role"], one["age_seconds"]))


def _done_today(connection: Connection, context: RequestContext) -> dict[str, int]:
    """Events of today that have their outcome, by channel."""
    done: dict[str, int] = {}
    for count in received_today.counts(connection, context):
        done[count.channel] = done.get(count.channel, 0) + count.done
    return done


def _total(channels: list[dict[str, Any]]) -> dict[str, Any]:
    ages = [one["oldest_seconds"] for one in channels if one["oldest_seconds"] is not None]
    return {name: sum(one[name] for one in channels) for name in ("pending", "attention", "done_today")} | {
        "oldest": max(ages, default=None)
    }
