"""/metrics in the Prometheus text format, read from the tables: the same numbers from whichever process is asked.

Channels, queues, outcomes and mailbox ids are the only labels; nothing about people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import redis
from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from crm_core.base.log import get_logger
from crm_core.deadlines.queries import count_breaches
from crm_core.leads.waiting import counted, waiting_leads
from crm_core.monitoring.models import CaptureStat
from ingest.alerts.alerts import AlertCount, open_counts
from ingest.journal.disk_space import DiskState, look
from ingest.journal.stats import BUCKETS_SECONDS
from ingest.monitoring.health import CHANNELS, QueueReport, queue_report
from webhooks.ops.health_probe import Latest

_FRESH_SECONDS = 5.0
_WAIT_SECONDS = 2.5
_STATEMENT_MS = 2_000
_BROKER_SECONDS = 0.3
_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_log = get_logger(__name__)


def blueprint(config: HubConfig) -> Blueprint:
    room = Blueprint("metrics", __name__)
    source = _Source(config)
    latest = Latest(source.read, _FRESH_SECONDS, _WAIT_SECONDS)

    @room.get("/metrics")
    def metrics() -> Response:
        found, _ = latest.get()
        return Response(_exposition(found, look(config.home, config.disk_floor_bytes)), mimetype=None, content_type=_TYPE)

    return room


class _Source:
    """Reads what the last good answer is made of; keeps it while the database is away."""

    def __init__(self, config: HubConfig) -> None:
        self._config = config
        self._engine: Engine | None = None
        self._last: tuple[datetime, list[Metric]] | None = None

    def read(self) -> tuple[datetime, list[Metric]] | None:
        if self._engine is None:
            self._engine = make_engine(self._config.database_url, "web", pool_size=1)
        now = datetime.now(UTC)
        try:
            with self._engine.connect() as connection:
                connection.detach()  # asked every few seconds; nothing is kept open in between
                connection.execute(text(f"SET statement_timeout = {_STATEMENT_MS}"))
                report = queue_report(connection, now)
                alerts = open_counts(connection)
                waiting = counted(waiting_leads(connection))
                breaches = count_breaches(connection)
                rows = connection.execute(
                    select(
                        CaptureStat.channel,
                        CaptureStat.outcome,
                        CaptureStat.count,
                        CaptureStat.seconds,
                        CaptureStat.buckets,
                    )
                ).all()
        except SQLAlchemyError as error:
            _log.warning("metrics_not_read", error=type(error).__name__)
            return self._last
        depths = _depths(self._config.broker_url, report)
        self._last = (now, list(families(report, [tuple(row) for row in rows], depths, alerts, (waiting, now), breaches)))
        return self._last


def families(
    report: QueueReport,
    stats: Iterable[tuple[Any, ...]],
    depths: Mapping[str, int],
    alerts: Iterable[AlertCount] = (),
    leads: tuple[tuple[int, datetime | None], datetime] | None = None,
    breaches: int = 0,
) -> Iterable[Metric]:
    """The contract's metrics from a queue report, rows of `capture_stat` and the broker's queue lengths."""
    stats = list(stats)
    unfinished = {row.channel: row.unfinished for row in report.channels}
    received = CounterMetricFamily("leadhub_events_received", "Events that were taken in.", labels=["channel"])
    for channel in CHANNELS:
        finished = sum(count for name, _, count, _, _ in stats if name == channel)
        received.add_metric([channel], finished + unfinished.get(channel, 0))
    yield received
    outcomes = CounterMetricFamily("leadhub_events_outcome", "Events by what became of them.", labels=["channel", "outcome"])
    for channel, outcome, count, _, _ in stats:
        outcomes.add_metric([channel, outcome], count)
    yield outcomes
    yield _by_channel(report, "leadhub_events_waiting", "Events not yet turned into anything.", "waiting", "working")
    yield _by_channel(report, "leadhub_oldest_waiting_seconds", "Age of the oldest such event.", "oldest_waiting_seconds")
    yield _by_channel(report, "leadhub_needs_attention", "Events that need a person.", "needs_attention")
    yield _by_channel(report, "leadhub_rejected", "Events whose signature was wrong.", "rejected")
    yield _captures(stats)
    depth = GaugeMetricFamily("leadhub_queue_depth", "Wake-ups that wait in the broker.", labels=["queue"])
    for queue, length in depths.items():
        depth.add_metric([queue], length)
    yield depth
    if leads is not None:
        (count, oldest), now = leads
        yield GaugeMetricFamily("leadhub_leads_waiting_for_owner", "Leads that nobody could take.", value=count)
        yield GaugeMetricFamily(
            "leadhub_oldest_lead_waiting_for_owner_seconds", "Since the oldest such lead was received.",
            value=max(0.0, (now - oldest).total_seconds()) if oldest else 0,
        )  # fmt: skip
    canary = GaugeMetricFamily("leadhub_canary_seconds", "How long the last canary took.", labels=["queue"])
    for beat in report.canaries:
        if beat.seconds is not None:
            canary.add_metric([beat.queue], beat.seconds)
    yield canary
    lag = GaugeMetricFamily("leadhub_mailbox_lag_seconds", "Since a mailbox was last read.", labels=["mailbox"])
    missed = CounterMetricFamily("leadhub_mailbox_missed", "Mails that only the reconciliation found.", labels=["mailbox"])
    for box in report.mailboxes:
        name = f"{box.source.id}/{box.folder}"
        missed.add_metric([name], box.missed)
        if box.lag_seconds is not None:
            lag.add_metric([name], box.lag_seconds)
    yield from (lag, missed)
    beats = GaugeMetricFamily("leadhub_heartbeat_age_seconds", "Youngest sign of life of a role.", labels=["role"])
    for role in sorted({process.role for process in report.processes}):
        ages = [process.age_seconds for process in report.processes if process.role == role]
        beats.add_metric([role], min(ages))
    yield beats
    open_alerts = GaugeMetricFamily("leadhub_source_alerts", "Open alerts of sources, by what they tell.", labels=["code"])
    by_code: dict[str, int] = {}
    for alert in alerts:
        by_code[alert.code] = by_code.get(alert.code, 0) + alert.count
    for code, count in sorted(by_code.items()):
        open_alerts.add_metric([code], count)
    yield open_alerts
    # Nothing sends outwards yet, so this is zero by what the hub does.
    yield GaugeMetricFamily("leadhub_outbox_pending", "Messages to other systems that were not delivered yet.", value=0)
    yield CounterMetricFamily("leadhub_sla_breaches", "Clients who were not answered in time.", value=breaches)


def _by_channel(report: QueueReport, name: str, said: str, *keys: str) -> Metric:
    family = GaugeMetricFamily(name, said, labels=["channel"])
    for row in report.channels:
        family.add_metric([row.channel], sum(getattr(row, key) or 0 for key in keys))
    return family


def _captures(stats: Iterable[tuple[Any, ...]]) -> Metric:
    bounds = [*(f"{bound:g}" for bound in BUCKETS_SECONDS), "+Inf"]
    counts = [0.0] * len(bounds)
    total = 0.0
    for _, _, _, seconds, buckets in stats:
        total += seconds
        for position, count in enumerate(buckets):
            counts[position] += count
    family = HistogramMetricFamily("leadhub_capture_seconds", "From receipt to outcome.")
    family.add_metric([], list(zip(bounds, counts, strict=True)), total)
    return family


def _depths(broker_url: str, report: QueueReport) -> dict[str, int]:
    """Lengths of the queues that have a canary. Empty while the broker is away or is no Redis."""
    queues = [canary.queue for canary in report.canaries]
    if not queues or not broker_url.startswith(("redis", "unix")):
        return {}
    try:
        with redis.Redis.from_url(broker_url, socket_timeout=_BROKER_SECONDS, socket_connect_timeout=_BROKER_SECONDS) as client:
            lengths = [client.llen(queue) for queue in queues]
    except redis.RedisError:
        return {}
    return {queue: int(length) for queue, length in zip(queues, lengths, strict=True)}


class _Fixed:
    """A collector of what was collected already."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def _exposition(found: tuple[datetime, list[Metric]] | None, disk: DiskState) -> bytes:
    registry = CollectorRegistry()
    up = GaugeMetricFamily("leadhub_metrics_age_seconds", "Age of these numbers; they are kept while the database is away.")
    if found is not None:
        up.add_metric([], max(0.0, (datetime.now(UTC) - found[0]).total_seconds()))
    free = GaugeMetricFamily("leadhub_disk_free_bytes", "Free space where the hub lives; absent if it cannot be asked.")
    if disk.free_bytes is not None:
        free.add_metric([], 0 if disk.read_only else disk.free_bytes)
    floor = GaugeMetricFamily("leadhub_disk_floor_bytes", "Below so much free space nothing is taken in.", value=disk.floor_bytes)
    registry.register(_Fixed([*(found[1] if found else []), up, free, floor]))
    return generate_latest(registry)
