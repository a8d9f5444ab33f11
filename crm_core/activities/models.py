"""What is planned for somebody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal


class Activity(Base):
    """Something planned for somebody. A missed call opens one `call_back` for a caller; any talk with him closes it."""

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint("state IN ('open','done','cancelled')", name="state"),
        Index("uq_activity_call_back", "phone", unique=True,
              postgresql_where=sql("kind = 'call_back' AND state = 'open'")),
        Index("ix_activity_owner_id_due_at", "owner_id", "due_at", postgresql_where=sql("state = 'open'")),
        Index("ix_activity_lead_id", "lead_id"),
        Index("ix_activity_contact_id", "contact_id"),
    )  # fmt: skip

    id: Mapped[Id]
    kind: Mapped[Impersonal[str]]  # call_back | call | mail | meeting | task
    state: Mapped[Impersonal[str]] = mapped_column(server_default="open")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    call_id: Mapped[int | None] = mapped_column(ForeignKey("call.id"))  # the first missed call
    phone: Mapped[Personal[str]] = mapped_column(server_default="")  # canonical key of the caller
    title: Mapped[Personal[str]] = mapped_column(server_default="")
    due_at: Mapped[datetime]
    missed: Mapped[int] = mapped_column(server_default="0")  # calls missed since it was opened
    tried: Mapped[int] = mapped_column(server_default="0")  # calls back that nobody answered
    created_at: Mapped[CreatedAt]
    closed_at: Mapped[datetime | None]
    result: Mapped[Personal[dict[str, Any]]] = mapped_column(
        server_default=sql("'{}'")
    )  # {"code","call","by","seconds_to_call_back"}
