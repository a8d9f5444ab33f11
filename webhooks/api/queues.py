"""Queues, mailboxes and signs of life, as operations watch them."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

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
    put_off: int
    error: dict[str, Any] | None


class QueueSource(Shape):
    source: Named
    status: SourceStatus


class QueueReport(Shape):
    at: AwareDatetime
    channels: list[QueueChannel]
    waiting: int
    needs_attention: int
    rejected: int
    processes: list[QueueProcess]
    canaries: list[Canary]
    mailboxes: list[Mailbox]


class Queues(QueueReport):
    sources: list[QueueSource]


def _queues(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        states = source_states(connection, ask.config, ask.now)
        report = queue_report(connection, ask.now)
    told = {name: getattr(report, name) for name in QueueReport.model_fields}
    return told | {"sources": [{"source": one.source, "status": one} for one in states]}


ROUTES = (Route("GET", "/queues", "queues.read", _queues, "What waits, what stands still, who is alive", Queues),)
