"""Calendars, and the days on which they differ from their week and from their country's holidays."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal


class WorkCalendar(Base):
    """`week` as `crm_core.calendars.weeks` writes it. The default one is what counts where nobody's own does."""

    __tablename__ = "calendar"
    __table_args__ = (Index("uq_calendar_default", "is_default", unique=True, postgresql_where=sql("is_default")),)

    id: Mapped[Id]
    name: Mapped[Impersonal[str]] = mapped_column(unique=True)
    zone: Mapped[Impersonal[str]]  # IANA
    country: Mapped[Impersonal[str]] = mapped_column(server_default="")  # ISO 3166, "RU" or "DE-BY"; "": no holidays
    week: Mapped[Impersonal[dict[str, Any]]]
    is_default: Mapped[bool] = mapped_column(server_default=sql("false"))
    created_at: Mapped[CreatedAt]


class CalendarDay(Base):
    """One special day: of one calendar, or of all where `calendar_id` is empty. The calendar's own wins."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        CheckConstraint("kind IN ('off','work','short')", name="kind"),
        Index("uq_calendar_day_of_calendar", "calendar_id", "day", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: Mapped[Id]
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id"))
    day: Mapped[date]
    kind: Mapped[Impersonal[str]]  # off | work | short
    hours: Mapped[Impersonal[list[Any]] | None]  # shifts of the day; NULL: the usual ones
    note: Mapped[Impersonal[str]] = mapped_column(server_default="")
