"""A message about a lead, left for a colleague."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal


class Mention(Base):
    """It stays unread until somebody says that it was read; that it was shown is not enough."""

    __tablename__ = "mention"
    __table_args__ = (
        Index("ix_mention_unread", "owner_id", "created_at", postgresql_where=sql("read_at IS NULL")),
        Index("ix_mention_owner_id_created_at", "owner_id", "created_at"),
        Index("ix_mention_lead_id", "lead_id"),
    )

    id: Mapped[Id]
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"))  # whom it is for
    author: Mapped[Impersonal[str]]  # as history names whoever acts: "user:7"
    text: Mapped[Personal[str]]
    created_at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]
    read_by: Mapped[Impersonal[str]] = mapped_column(server_default="")
