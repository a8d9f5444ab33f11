"""Versions of the routing rules, and who may never have which client."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Impersonal, Personal


class RoutingVersion(Base):
    """Rules and settings of routing, never changed once active: a draft is activated, the active one retired by the next."""

    __tablename__ = "routing_version"
    __table_args__ = (
        CheckConstraint("state IN ('draft','active','retired')", name="state"),
        Index("uq_routing_version_active", "state", unique=True, postgresql_where=sql("state = 'active'")),
    )

    version: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    body: Mapped[Impersonal[dict[str, Any]]]
    state: Mapped[Impersonal[str]] = mapped_column(server_default="draft")
    author: Mapped[Impersonal[str]]
    note: Mapped[Impersonal[str]] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class OwnerExclusion(Base):
    """A conflict between a client and an employee: they never get each other again, whatever rules and pools say."""

    __tablename__ = "owner_exclusion"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    why: Mapped[Personal[str]] = mapped_column(server_default="")
    actor: Mapped[Impersonal[str]]
    at: Mapped[CreatedAt]
