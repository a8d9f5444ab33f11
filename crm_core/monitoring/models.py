"""Signs of life of the processes, and counters that /metrics reads without counting the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, Impersonal


class Heartbeat(Base):
    """Last sign of life of one process or one queue's canary."""

    __tablename__ = "heartbeat"

    role: Mapped[Impersonal[str]] = mapped_column(primary_key=True)  # web | worker | beat | mail | sweep | canary
    instance: Mapped[Impersonal[str]] = mapped_column(primary_key=True)  # host:pid, or the queue of a canary
    at: Mapped[datetime]
    data: Mapped[Impersonal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))


class CaptureStat(Base):
    """Finished events by channel and outcome, and how long they took from receipt to outcome."""

    __tablename__ = "capture_stat"

    channel: Mapped[Impersonal[str]] = mapped_column(primary_key=True)
    outcome: Mapped[Impersonal[str]] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(server_default="0")
    seconds: Mapped[float] = mapped_column(Float, server_default="0")
    buckets: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))  # cumulative, bounds in ingest.journal.stats.BUCKETS_SECONDS
