"""What is wrong with the queues, in the reader's language, out of the same report that /readyz and `leadhub health` use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingest import queues
from webhooks.console import clock
from webhooks.console.desk import Desk

#: A process that was not heard of for longer is shown as silent.
ALIVE_SECONDS: Mapping[str, float] = {
    "worker": queues.WORKER_SILENT_SECONDS,
    "sweep": queues.SWEEP_SILENT_SECONDS,
    "mail": queues.MAILBOX_SILENT_SECONDS,
}


def findings(desk: Desk, health: Mapping[str, Any]) -> list[str]:
    """Sentences, none if all is well. What these words do not cover is told as the report tells it."""
    if health["healthy"]:
        return []
    return list(_found(desk, health["queues"])) or list(health["problems"])


def _found(desk: Desk, report: Mapping[str, Any]) -> Iterator[str]:
    language = desk.language
    for row in report["channels"]:
        oldest = row["oldest_waiting_seconds"]
        if oldest is not None and oldest > queues.OLDEST_WAITING_SECONDS:
            yield language(
                "finding.waiting", channel=language.code("channel", row["channel"]), span=clock.span(oldest, language)
            )
    for role in ("worker", "sweep"):
        ages = [one["age_seconds"] for one in report["processes"] if one["role"] == role]
        if min(ages, default=ALIVE_SECONDS[role] + 1) > ALIVE_SECONDS[role]:
            yield language.code("finding_silent", role)
    for canary in report["canaries"]:
        if (canary["age_seconds"] or 0) > queues.CANARY_SILENT_SECONDS or (canary["seconds"] or 0) > queues.CANARY_SECONDS:
            yield language("finding.canary", channel=language.code("channel", canary["queue"]))
    for box in report["mailboxes"]:
        silent = (box["lag_seconds"] or 0) > queues.MAILBOX_SILENT_SECONDS
        if box["state"] in ("auth_failed", "folder_missing", "stopped") or (silent and box["state"] != "paused"):
            yield language(
                "finding.mailbox", name=box["source"]["name"], state=language.code("mailbox_state", box["state"])
            )
        if box["missed"]:
            yield language("finding.missed", name=box["source"]["name"], count=box["missed"])
