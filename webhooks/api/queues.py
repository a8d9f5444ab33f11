"""Queues, mailboxes and signs of life, as operations watch them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime

from crm_core.base.values import named_text
from ingest.monitoring.health import queue_report
from ingest.sources.states import source_states
from webhooks.api.route import Ask, Route
from webhooks.api.shape import Named, Shape
from webhooks.api.sources import SourceStatus


class QueueChannel(Shape):
    channel: str
    waiting: int
    working: int
    retrying: int
    paused: int
    oldest_waiting_seconds: float | None
    needs_attention: int
    rejected: int
    unfinished: int


class QueueProcess(Shape):
    role: str
    instance: str
    age_seconds: float
    data: dict[str, Any]


class Canary(Shape):
    queue: str
    seconds: float | None
    age_seconds: float | None


class Mailbox(Shape):
    source: Named
    folder: str
    state: str
    lag_seconds: float | None
    fails: int
    missed: int
    to_fetch: int
    error: dict[str, Any] | None


class QueueSource(Shape):
    source: Named
    status: SourceStatus


class Queues(Shape):
    at: AwareDatetime
    channels: list[QueueChannel]
    waiting: int
    needs_attention: int
    rejected: int
    processes: list[QueueProcess]
    canaries: list[Canary]
    mailboxes: list[Mailbox]
    sources: list[QueueSource]


def _queues(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        states = source_states(connection, ask.config, ask.now)
        shown = [{"source": named_text(one.source_id, one.name), "status": one.as_json()} for one in states]
        return queue_report(connection, ask.now) | {"sources": shown}


ROUTES = (Route("GET", "/queues", "queues.read", _queues, "What waits, what stands still, who is alive", Queues),)
