"""The dated items of a contact's history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, Id, Impersonal, Personal


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
    # By which the person was known when it came, in order of priority. None: written by hand, or before this was kept.
    identifiers: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    counted: Mapped[bool] = mapped_column(server_default=sql("true"))  # in its lead's `touches`; an equal double is not
