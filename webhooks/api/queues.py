"""Queues, mailboxes and signs of life, as operations watch them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_core.base.values import named_text
from ingest.monitoring.health import queue_report
from ingest.sources.states import source_states
from webhooks.api.route import Ask, Route
from webhooks.api.schemas import journal as shapes


def _queues(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        states = source_states(connection, ask.config, ask.now)
        shown = [{"source": named_text(one.source_id, one.name), "status": one.as_json()} for one in states]
        return queue_report(connection, ask.now) | {"sources": shown}


ROUTES = (Route("GET", "/queues", "queues.read", _queues, "What waits, what stands still, who is alive", shapes.Queues),)
