"""The outbox: what others are to be told, a row for each who asked for it. `crm_core.base.history` fills it, nothing empties it yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal


class OutboxSubscriber(Base):
    """One who is told of certain actions. There is none by default, and then the outbox stays empty."""

    __tablename__ = "outbox_subscriber"

    id: Mapped[Id]
    name: Mapped[Impersonal[str]] = mapped_column(unique=True)
    actions: Mapped[Impersonal[list[str]]]  # exactly these, e.g. {"lead.create","lead.assign"}
    created_at: Mapped[CreatedAt]


class OutboxEntry(Base):
    """Something that one subscriber is to be told. It names no person: whoever sends reads how the subject is by then."""

    __tablename__ = "outbox_entry"
    __table_args__ = (Index("ix_outbox_entry_unsent", "subscriber_id", "id", postgresql_where=sql("sent_at IS NULL")),)

    id: Mapped[Id]
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("outbox_subscriber.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]
    actor: Mapped[Impersonal[str]]
    action: Mapped[Impersonal[str]]
    subject: Mapped[Impersonal[str]]  # "lead:7"
    data: Mapped[Impersonal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))  # ids and codes, as in the audit
    sent_at: Mapped[datetime | None]
