"""One thing that one employee is told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal

KINDS = ("lead_given", "lead_to_take", "lead_taken_away", "deadline_warned", "deadline_breached", "escalated", "message_left")


class Notification(Base):
    """Says that something happened and to which lead, and nothing of the client: whoever reads it asks the lead.

    `owner_id` and `lead_id` are no foreign keys: a row is written with every new lead, and tells nobody anything where its
    lead is gone.
    """

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="kind"),
        Index("ix_notification_owner_id", "owner_id", "id"),
        Index("ix_notification_to_mail", "id", postgresql_where=sql("mailed_at IS NULL")),
    )

    id: Mapped[Id]
    owner_id: Mapped[int]  # whom it is for
    for_owner_id: Mapped[int | None]  # who is away, where it goes to a deputy
    kind: Mapped[Impersonal[str]]
    lead_id: Mapped[int | None]
    at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]  # or settled without a mail: read before, no address, too old
    mail_tries: Mapped[int] = mapped_column(server_default="0")
    mail_next_at: Mapped[datetime | None]  # not before; also how long somebody who took it may take
