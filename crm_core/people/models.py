"""Employees who own leads, their absences, the pools that share leads out, and every decision about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal, StaffData


class Team(Base):
    __tablename__ = "team"

    id: Mapped[Id]
    name: Mapped[Impersonal[str]] = mapped_column(unique=True)


class Owner(Base):
    """The employee responsible. The duty person takes what nobody else can, visibly."""

    __tablename__ = "owner"
    __table_args__ = (
        Index("uq_owner_extension", "extension", unique=True, postgresql_where=sql("extension <> '' AND active")),
        Index("uq_owner_duty", "duty", unique=True, postgresql_where=sql("duty")),
        CheckConstraint("max_open >= 0 AND max_per_day >= 0", name="limits"),
    )

    id: Mapped[Id]
    name: Mapped[StaffData[str]]
    extension: Mapped[StaffData[str]] = mapped_column(server_default="")
    email: Mapped[StaffData[str]] = mapped_column(server_default="")
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    active: Mapped[bool] = mapped_column(server_default=sql("true"))
    duty: Mapped[bool] = mapped_column(server_default=sql("false"))
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id"))
    zone: Mapped[StaffData[str]] = mapped_column(server_default="")  # IANA; "": the calendar's
    week: Mapped[StaffData[dict[str, Any]] | None]  # hours of their own instead of the calendar's
    languages: Mapped[StaffData[list[str]]] = mapped_column(server_default=sql("'{}'"))  # ISO 639
    skills: Mapped[StaffData[list[str]]] = mapped_column(server_default=sql("'{}'"))
    regions: Mapped[StaffData[list[str]]] = mapped_column(server_default=sql("'{}'"))
    max_open: Mapped[int | None]  # open leads; pools give no more
    max_per_day: Mapped[int | None]  # leads given on one day of theirs
    paused_until: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    notify_by_mail: Mapped[bool] = mapped_column(server_default=sql("true"))


class Absence(Base):
    __tablename__ = "absence"
    __table_args__ = (CheckConstraint("until_at > from_at", name="ordered"),)

    id: Mapped[Id]
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"), index=True)
    from_at: Mapped[CreatedAt]
    until_at: Mapped[datetime]
    reason: Mapped[StaffData[str]] = mapped_column(server_default="")
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))


class Pool(Base):
    """Owners who share new leads. The row is the lock under which its ledger moves."""

    __tablename__ = "pool"
    __table_args__ = (
        Index("uq_pool_default", "is_default", unique=True, postgresql_where=sql("is_default")),
        CheckConstraint("strategy IN ('ledger','least_open','claim','broadcast')", name="strategy"),
    )

    id: Mapped[Id]
    name: Mapped[Impersonal[str]] = mapped_column(unique=True)
    is_default: Mapped[bool] = mapped_column(server_default=sql("false"))
    strategy: Mapped[Impersonal[str]] = mapped_column(server_default="ledger")
    seq: Mapped[int] = mapped_column(server_default="0")  # picks made so far


class PoolMember(Base):
    """Entitlement ledger: every lead credits all eligible members their share, the largest deficit gets it."""

    __tablename__ = "pool_member"
    __table_args__ = (CheckConstraint("weight >= 0", name="weight"),)

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    weight: Mapped[float] = mapped_column(Float, server_default="1")
    entitled: Mapped[float] = mapped_column(Float, server_default="0")
    assigned: Mapped[int] = mapped_column(server_default="0")
    last_seq: Mapped[int] = mapped_column(server_default="0")
    paused: Mapped[bool] = mapped_column(server_default=sql("false"))


class Assignment(Base):
    """One decision about who owns a lead, with its trace. Never changed, only superseded by the next."""

    __tablename__ = "assignment"
    __table_args__ = (Index("ix_assignment_owner_id_at", "owner_id", "at"),)

    id: Mapped[Id]
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))
    kind: Mapped[Impersonal[str]]  # sticky | rule | pool | cover | duty | tray | nobody | manual | answered
    trace: Mapped[Personal[dict[str, Any]]]
    config_version: Mapped[int] = mapped_column(server_default="0")  # of the rules; 0: there were none
    facts: Mapped[Personal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))  # what the rules saw
    refunded_at: Mapped[datetime | None]  # the pool's turn was given back
    refunded_why: Mapped[Impersonal[str]] = mapped_column(server_default="")  # merged | spam
    actor: Mapped[Impersonal[str]] = mapped_column(server_default="hub")
    at: Mapped[CreatedAt]
