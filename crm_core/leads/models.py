"""Leads, the dated items of a contact's history, and planned activities."""

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
        Index("uq_lead_open", "contact_id", "line", unique=True, postgresql_where=sql("state = 'open'")),
        UniqueConstraint("event_id", "event_seq"),
        Index("ix_lead_owner_id_state", "owner_id", "state"),
        Index("ix_lead_received_at", "received_at"),
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
    lost_reason: Mapped[Personal[str]] = mapped_column(server_default="")
    amount: Mapped[Decimal | None] = mapped_column(Numeric(15, 2))  # what it is worth, or was sold for
    currency: Mapped[Impersonal[str]] = mapped_column(server_default="")  # ISO 4217
    version: Mapped[int] = mapped_column(server_default="1")


class Touch(Base):
    """One dated item of a contact's history: what arrived, what was said, what was decided."""

    __tablename__ = "touch"
    __table_args__ = (
        # A replay rewrites the touch of its event, it never adds a second one.
        Index("uq_touch_event_id_seq", "event_id", "seq", unique=True, postgresql_where=sql("event_id IS NOT NULL")),
        Index("ix_touch_contact_id_at", "contact_id", "at"),
        Index("ix_touch_lead_id", "lead_id"),
        # A double click, or a corrected address: looked for among the last minutes only.
        Index("ix_touch_likeness", "likeness", "at", postgresql_where=sql("likeness <> ''")),
        Index("ix_touch_fingerprint", "fingerprint", "at", postgresql_where=sql("fingerprint <> ''")),
        Index("ix_touch_call_id", "call_id", postgresql_where=sql("call_id IS NOT NULL")),
    )

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    kind: Mapped[Impersonal[str]]  # form | call | mail | comment | assignment | stage | task
    direction: Mapped[Impersonal[str]] = mapped_column(server_default="in")  # in | out | internal
    at: Mapped[datetime]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))
    event_id: Mapped[int | None]
    seq: Mapped[int] = mapped_column(server_default="0")  # an event may carry several inquiries
    call_id: Mapped[int | None] = mapped_column(ForeignKey("call.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("mail_message.id"))
    actor: Mapped[Impersonal[str]] = mapped_column(server_default="hub")  # "hub" or the user's id
    title: Mapped[Personal[str]] = mapped_column(server_default="")
    text: Mapped[Personal[str]] = mapped_column(server_default="")
    data: Mapped[Personal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))
    likeness: Mapped[Personal[str]] = mapped_column(
        server_default=""
    )  # hash of source, form and what was said, but for the person
    fingerprint: Mapped[Personal[str]] = mapped_column(
        server_default=""
    )  # the same with the person: equal ones are one submission
    double_of: Mapped[int | None] = mapped_column(ForeignKey("touch.id"))  # the same submission, sent twice
    counted: Mapped[bool] = mapped_column(server_default=sql("true"))  # in its lead's `touches`; an equal double is not


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
