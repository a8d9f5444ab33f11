"""Mail: the cursor and to-do rows of a folder, the message, and through which mailboxes it was delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal


class MailboxFolder(Base):
    """State of one folder of one mailbox (a source of channel mail). The cursor says only: up to here stands in `mail_ref`."""

    __tablename__ = "mailbox_folder"
    __table_args__ = (
        UniqueConstraint("source_id", "name"),
        CheckConstraint("state IN ('new','live','resync','backoff','auth_failed','folder_missing','stopped')", name="state"),
    )

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    name: Mapped[Impersonal[str]]
    state: Mapped[Impersonal[str]] = mapped_column(server_default="new")
    uidvalidity: Mapped[int | None]
    last_uid: Mapped[int] = mapped_column(server_default="0")
    start_uid: Mapped[int] = mapped_column(server_default="0")  # mail up to here was there before us, and stays out
    start_at: Mapped[datetime | None]  # when that line was drawn; None: everything is wanted
    epoch: Mapped[int] = mapped_column(server_default="0")  # rises with every UIDVALIDITY change
    resyncs: Mapped[Impersonal[list[Any]]] = mapped_column(
        server_default=sql("'[]'")
    )  # times of the last changes; too many a day: stop
    lease_token: Mapped[Impersonal[str] | None]
    lease_until: Mapped[datetime | None]
    fails: Mapped[int] = mapped_column(server_default="0")
    next_poll_at: Mapped[CreatedAt]
    next_sweep_at: Mapped[CreatedAt]  # reconciliation
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[Impersonal[dict[str, Any]] | None]  # {"code","message","since"}
    missed: Mapped[int] = mapped_column(server_default="0")  # found by reconciliation; must stay 0


class MailRef(Base):
    """The durable to-do list: one row a UID, written with the cursor, before anything is fetched."""

    __tablename__ = "mail_ref"
    __table_args__ = (
        UniqueConstraint("folder_id", "uidvalidity", "uid"),
        CheckConstraint("status IN ('seen','fetched','gone','oversize','quarantined')", name="status"),
        Index("ix_mail_ref_todo", "folder_id", "next_try_at", postgresql_where=sql("status = 'seen'")),
    )

    id: Mapped[Id]
    folder_id: Mapped[int] = mapped_column(ForeignKey("mailbox_folder.id"))
    uidvalidity: Mapped[int]
    uid: Mapped[int]
    size: Mapped[int | None]  # bytes, as the server says
    internaldate: Mapped[datetime | None]
    status: Mapped[Impersonal[str]] = mapped_column(server_default="seen")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[CreatedAt]
    event_id: Mapped[int | None]
    error: Mapped[Impersonal[dict[str, Any]] | None]


class MailMessage(Base):
    """One logical mail, however many mailboxes it came through."""

    __tablename__ = "mail_message"
    __table_args__ = (
        UniqueConstraint("dedup_key"),
        Index("ix_mail_message_message_id", "message_id", postgresql_where=sql("message_id <> ''")),
    )

    id: Mapped[Id]
    dedup_key: Mapped[Impersonal[str]]
    message_id: Mapped[Personal[str]] = mapped_column(server_default="")
    direction: Mapped[Impersonal[str]] = mapped_column(server_default="in")
    participants: Mapped[Personal[list[str]]] = mapped_column(server_default=sql("'{}'"))  # canonical addresses of From, To, Cc
    sender: Mapped[Personal[str]] = mapped_column(server_default="")
    subject: Mapped[Personal[str]] = mapped_column(server_default="")
    sent_at: Mapped[datetime | None]
    event_id: Mapped[int]
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    created_at: Mapped[CreatedAt]


class MailDelivery(Base):
    """Through which mailbox a message came."""

    __tablename__ = "mail_delivery"
    __table_args__ = (UniqueConstraint("message_id", "source_id"),)

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(ForeignKey("mail_message.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    event_id: Mapped[int]
