"""What all tables share: naming of constraints, the few column types, the declarative base; and the outbox, which is nobody's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, MetaData, Text, func
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
    }


#: Whose data a column holds. Every column of text, JSON, bytes or words says so with one of the three types below, also inside
#: of `| None`; erasing a person, handing them what is kept of them, and the scan of the logs read it (`crm_core.base.personal`).
_T = TypeVar("_T")
#: What says, or may say, something about somebody who wrote in, called or was written about; also their hashes and free text.
Personal = Annotated[_T, mapped_column(info={"personal": True, "of": "contact"})]
#: What says something about an employee or a user: no log, metric or address of a page shows it, erasing a contact leaves it.
StaffData = Annotated[_T, mapped_column(info={"personal": True, "of": "staff"})]
#: Codes, keys, names of fields, settings, digests under the hub's key: nothing about anybody.
Impersonal = Annotated[_T, mapped_column(info={"personal": False})]

#: Surrogate key. "By default", so that a batch can draw its ids beforehand and insert set-wise.
Id = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


class OutboxSubscriber(Base):
    """One who is told of certain actions. There is none by default, and then the outbox stays empty."""

    __tablename__ = "outbox_subscriber"

    id: Mapped[Id]
    name: Mapped[Impersonal[str]] = mapped_column(unique=True)
    actions: Mapped[Impersonal[list[str]]]  # exactly these, e.g. {"lead.create","lead.assign"}
    created_at: Mapped[CreatedAt]


class OutboxEntry(Base):
    """Something that one subscriber is to be told. `crm_core.base.history` writes it, nothing sends it yet. It names no person:
    whoever sends reads how the subject is by then.
    """

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
