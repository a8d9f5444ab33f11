"""Leads."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal


class Lead(Base):
    """One occasion to sell to a contact. At most one is open for a contact and line."""

    __tablename__ = "lead"
    __table_args__ = (
        CheckConstraint("state IN ('open','won','lost','closed')", name="state"),
        CheckConstraint("closed_code IN ('','merged','spam','erased')", name="closed_code"),
        Index("uq_lead_open", "contact_id", "line", unique=True, postgresql_where=sql("state = 'open'")),
        UniqueConstraint("event_id", "event_seq"),
        Index("ix_lead_owner_id_state", "owner_id", "state"),
        Index("ix_lead_received_at", "received_at"),
        Index("ix_lead_waiting", "received_at", "id", postgresql_where=sql("owner_id IS NULL AND state = 'open'")),
    )

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)  # always a root
    line: Mapped[Impersonal[str]] = mapped_column(server_default="")
    state: Mapped[Impersonal[str]] = mapped_column(server_default="open")
    stage: Mapped[Impersonal[str]] = mapped_column(server_default="new")
    title: Mapped[Personal[str]] = mapped_column(server_default="")
    channel: Mapped[Impersonal[str]]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    event_id: Mapped[int]  # the event it was born from
    event_seq: Mapped[int] = mapped_column(server_default="0")  # an event may carry several inquiries
    form_id: Mapped[Impersonal[str]] = mapped_column(server_default="")
    form_name: Mapped[Impersonal[str]] = mapped_column(server_default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))
    message: Mapped[Personal[str]] = mapped_column(server_default="")
    fields: Mapped[Personal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))
    attribution: Mapped[Personal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))
    touches: Mapped[int] = mapped_column(server_default="1")
    repeat_of: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    spam: Mapped[Personal[dict[str, Any]]] = mapped_column(server_default=sql("""'{"score": 0, "reasons": []}'"""))
    received_at: Mapped[datetime]
    created_at: Mapped[CreatedAt]
    last_touch_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # Why it closed where the hub closed it: the contact has another lead, it was called spam, the person was erased.
    closed_code: Mapped[Impersonal[str]] = mapped_column(server_default="")
    lost_reason: Mapped[Personal[str]] = mapped_column(server_default="")  # people's words, whatever they are
    amount: Mapped[Decimal | None] = mapped_column(Numeric(15, 2))  # what it is worth, or was sold for
    currency: Mapped[Impersonal[str]] = mapped_column(server_default="")  # ISO 4217
    version: Mapped[int] = mapped_column(server_default="1")
