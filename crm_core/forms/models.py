"""What belongs to forms: a source's own mappings, what was noticed about it, consents, and files that came with inquiries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal, StaffData


class SourceMapping(Base):
    """One version of a source's own mapping. Published ones are never changed; rolling back publishes an old one again."""

    __tablename__ = "source_mapping"
    __table_args__ = (
        UniqueConstraint("source_id", "version"),
        CheckConstraint("state IN ('draft','published','retired')", name="state"),
        Index("uq_source_mapping_published", "source_id", unique=True, postgresql_where=sql("state = 'published'")),
    )  # fmt: skip

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    version: Mapped[int]
    state: Mapped[Impersonal[str]] = mapped_column(server_default="draft")
    text: Mapped[Impersonal[str]]  # YAML as a person wrote it
    rules: Mapped[Impersonal[dict[str, Any]]]  # the same, checked against the schema
    note: Mapped[StaffData[str]] = mapped_column(server_default="")
    author: Mapped[Impersonal[str]] = mapped_column(server_default="hub")
    created_at: Mapped[CreatedAt]
    published_at: Mapped[datetime | None]


class SourceField(Base):
    """A field that a form sends and that nobody has mapped: what drift is noticed by."""

    __tablename__ = "source_field"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    form_id: Mapped[Impersonal[str]] = mapped_column(primary_key=True)
    field: Mapped[Impersonal[str]] = mapped_column(primary_key=True)
    seen: Mapped[int] = mapped_column(server_default="1")
    first_seen_at: Mapped[CreatedAt]
    last_seen_at: Mapped[CreatedAt]
    event_id: Mapped[int]  # where it was first seen
    acknowledged_at: Mapped[datetime | None]


class SourceAlert(Base):
    """Something about a source that somebody should look at. One open alert for a code and subject; it counts repetitions."""

    __tablename__ = "source_alert"
    __table_args__ = (
        Index("uq_source_alert_open", "source_id", "code", "subject", unique=True,
              postgresql_where=sql("resolved_at IS NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    code: Mapped[Impersonal[str]]  # new_field | contacts_missing | silence | burst | token_expired | …
    subject: Mapped[Impersonal[str]] = mapped_column(server_default="")  # form, field: what of the source; never a person's data
    data: Mapped[Impersonal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))
    count: Mapped[int] = mapped_column(server_default="1")
    first_at: Mapped[CreatedAt]
    last_at: Mapped[CreatedAt]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[Impersonal[str]] = mapped_column(server_default="")


class SourceWatch(Base):
    """How far the watch over a source's inquiries has read, and what it knows of its habits."""

    __tablename__ = "source_watch"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    touch_id: Mapped[int] = mapped_column(server_default="0")
    profile: Mapped[Impersonal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))
    at: Mapped[CreatedAt]


class SourcePoll(Base):
    """How far a back-fill has come that asks a provider for what its notices may have missed."""

    __tablename__ = "source_poll"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    since: Mapped[datetime | None]  # everything received by the provider before this is here
    next_at: Mapped[CreatedAt]
    last_ok_at: Mapped[datetime | None]
    fails: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[Impersonal[dict[str, Any]] | None]  # {"code","message"}, and "look": how far an interrupted one has come


class ConsentText(Base):
    """The words that people agreed to, each version once. Never changed: a consent names its version by hash."""

    __tablename__ = "consent_text"
    __table_args__ = (UniqueConstraint("source_id", "purpose", "sha256"),)

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    purpose: Mapped[Impersonal[str]]
    sha256: Mapped[Impersonal[str]]
    text: Mapped[Impersonal[str]] = mapped_column(server_default="")  # "" where only the hash is known
    url: Mapped[Impersonal[str]] = mapped_column(server_default="")
    first_seen_at: Mapped[CreatedAt]


class Consent(Base):
    """One answer to one purpose in one inquiry. The latest by contact and purpose is what counts."""

    __tablename__ = "consent"
    __table_args__ = (
        UniqueConstraint("event_id", "seq", "purpose"),  # a replay rewrites it
        Index("ix_consent_contact_id", "contact_id"),
        Index("ix_consent_lead_id", "lead_id"),
    )

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    event_id: Mapped[int]
    seq: Mapped[int] = mapped_column(server_default="0")
    purpose: Mapped[Impersonal[str]]  # processing | marketing | transfer
    given: Mapped[bool]
    method: Mapped[Impersonal[str]]  # checkbox | implied
    text_id: Mapped[Impersonal[str]] = mapped_column(server_default="")
    text_sha256: Mapped[Impersonal[str]] = mapped_column(server_default="")
    text_url: Mapped[Impersonal[str]] = mapped_column(server_default="")
    field: Mapped[Impersonal[str]] = mapped_column(server_default="")
    form_id: Mapped[Impersonal[str]] = mapped_column(server_default="")
    page_url: Mapped[Personal[str]] = mapped_column(server_default="")
    ip: Mapped[Personal[str]] = mapped_column(server_default="")
    user_agent: Mapped[Personal[str]] = mapped_column(server_default="")
    captured_at: Mapped[datetime]


class Attachment(Base):
    """A file that came with an inquiry: where its content lies (by hash), or why there is none."""

    __tablename__ = "attachment"
    __table_args__ = (
        UniqueConstraint("event_id", "seq", "n"),  # a replay rewrites it
        CheckConstraint("state IN ('stored','to_fetch','refused','failed')", name="state"),
        Index("ix_attachment_lead_id", "lead_id"),
        Index("ix_attachment_contact_id", "contact_id"),
        Index("ix_attachment_sha256", "sha256"),
        Index("ix_attachment_to_fetch", "next_try_at", postgresql_where=sql("state = 'to_fetch'")),
    )

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    event_id: Mapped[int]
    seq: Mapped[int] = mapped_column(server_default="0")
    n: Mapped[int]
    field: Mapped[Personal[str]] = mapped_column(server_default="")
    name: Mapped[Personal[str]] = mapped_column(server_default="")
    type: Mapped[Impersonal[str]] = mapped_column(server_default="")  # as declared, never believed
    size: Mapped[int] = mapped_column(server_default="0")  # bytes
    sha256: Mapped[Personal[str]] = mapped_column(server_default="")
    url: Mapped[Personal[str]] = mapped_column(server_default="")
    state: Mapped[Impersonal[str]]
    note: Mapped[Impersonal[str]] = mapped_column(server_default="")  # code of why there is no content
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[CreatedAt]
    created_at: Mapped[CreatedAt]
