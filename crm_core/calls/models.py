"""Calls: the one row that all events of a call reduce to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal


class Call(Base):
    """`facts` is the commutative merge of everything said about the call; the other columns are derived from it."""

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("source_id", "call_key"),
        Index("ix_call_settle_at", "settle_at", postgresql_where=sql("settle_at IS NOT NULL")),
        Index("ix_call_contact_id", "contact_id"),
        Index("ix_call_remote_started_at", "remote", "started_at", postgresql_where=sql("remote <> ''")),
        Index("ix_call_started_at", "started_at"),
    )

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    call_key: Mapped[Impersonal[str]]
    facts: Mapped[Personal[dict[str, Any]]]
    phase: Mapped[Impersonal[str]]  # ringing | talking | ending | closed
    outcome: Mapped[Impersonal[str] | None]  # CallOutcome, once closed
    direction: Mapped[Impersonal[str]]
    remote: Mapped[Personal[str]] = mapped_column(server_default="")  # E.164 where it is one, else as written
    our_number: Mapped[Impersonal[str]] = mapped_column(server_default="")
    extension: Mapped[Impersonal[str]] = mapped_column(server_default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))  # who talked
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    talk_seconds: Mapped[float | None]
    recording: Mapped[Personal[str]] = mapped_column(server_default="")
    settle_at: Mapped[datetime | None]  # when silence settles it; None: settled
    created_at: Mapped[CreatedAt]
