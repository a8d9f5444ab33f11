"""Queues, mailboxes and signs of life, as operations watch them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.queues import queue_report
from webhooks.api.route import Ask, Route
from webhooks.api.shapes import journal as shapes


def _queues(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        return queue_report(connection, ask.now)


ROUTES = (
    Route(
        "GET", "/queues", "queues.read", _queues, "What waits, what stands still, who is alive", shapes.Queues
    ),
)
