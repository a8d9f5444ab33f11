"""Calendars, their special days, and how a year of one looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from crm_core.base.errors import NotFound
from crm_core.base.working_time import (
    Calendar,
    DayKind,
    SpecialDay,
    last_decreed_year,
    public_holidays,
    shifts_of,
)
from crm_core.calendars.models import CalendarDay, WorkCalendar
from crm_core.calendars.weeks import Week, hours_json, read_hours, read_week
from crm_core.people.models import Owner


@dataclass(frozen=True, slots=True)
class SpecialDayView:
    day: date
    kind: DayKind
    hours: list[Any] | None  # None: the usual ones
    note: str


@dataclass(frozen=True, slots=True)
class CalendarView:
    id: int
    name: str
    zone: str
    country: str
    week: dict[str, Any]
    default: bool
    people: int  # who work by it
    days: list[SpecialDayView]  # its own, by date
    #: Of later years only the fixed holidays are known; None where nobody decrees them year by year.
    decreed_until: int | None


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day that is not as the week says."""

    day: date
    kind: DayKind
    hours: list[Any]  # what is worked
    note: str
    origin: Literal["law", "calendar", "all"]


def list_calendars(connection: Connection, calendar_id: int | None = None) -> list[CalendarView]:
    """The default one first; or only one."""
    people = select(func.count()).select_from(Owner).where(Owner.calendar_id == WorkCalendar.id).scalar_subquery()
    statement = select(*WorkCalendar.__table__.columns, people.label("people")).order_by(
        WorkCalendar.is_default.desc(), WorkCalendar.name
    )
    if calendar_id is not None:
        statement = statement.where(WorkCalendar.id == calendar_id)
    rows = connection.execute(statement).all()
    days: dict[int, list[SpecialDayView]] = {row.id: [] for row in rows}
    for day in connection.execute(
        select(*CalendarDay.__table__.columns).where(CalendarDay.calendar_id.in_(days)).order_by(CalendarDay.day)
    ):
        days[day.calendar_id].append(SpecialDayView(day.day, day.kind, day.hours, day.note))
    return [
        CalendarView(
            row.id, row.name, row.zone, row.country, row.week, row.is_default, row.people, days[row.id],
            last_decreed_year(row.country) if row.country else None,
        )
        for row in rows
    ]  # fmt: skip


def get_calendar(connection: Connection, calendar_id: int) -> CalendarView:
    found = list_calendars(connection, calendar_id)
    if not found:
        raise NotFound("calendar_unknown", f"There is no calendar {calendar_id}.")
    return found[0]


def days_of_all(connection: Connection) -> list[SpecialDayView]:
    """Special days of every calendar, by date."""
    rows = connection.execute(
        select(*CalendarDay.__table__.columns).where(CalendarDay.calendar_id.is_(None)).order_by(CalendarDay.day)
    )
    return [SpecialDayView(row.day, row.kind, row.hours, row.note) for row in rows]


def year_of(connection: Connection, calendar_id: int, year: int) -> list[YearDay]:
    """What of this year is not as the week says: holidays and transferred days by law, special days by hand."""
    view = get_calendar(connection, calendar_id)
    own = {one.day: one for one in view.days}
    everybodys = {one.day: one for one in days_of_all(connection)}
    calendar = calendar_of(view, everybodys | own)
    off, worked = public_holidays(view.country, year) if view.country else (frozenset(), frozenset())
    found: list[YearDay] = []
    day = date(year, 1, 1)
    while day.year == year:
        hours = hours_json(shifts_of(calendar, day))
        said = own.get(day) or everybodys.get(day)
        if said is not None:
            found.append(YearDay(day, said.kind, hours, said.note, "calendar" if day in own else "all"))
        elif (day in off and calendar.week[day.weekday()]) or day in worked:
            found.append(YearDay(day, "work" if day in worked else "off", hours, "", "law"))
        day += timedelta(days=1)
    return found


def calendar_of(view: CalendarView, days: dict[date, SpecialDayView]) -> Calendar:
    week: Week = read_week(view.week)
    special = {day: SpecialDay(one.kind, None if one.hours is None else read_hours(one.hours)) for day, one in days.items()}
    return Calendar(ZoneInfo(view.zone), week, special, view.country)
