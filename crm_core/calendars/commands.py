"""All that may be done with calendars and their special days, by whomever and through whichever door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, null, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.calendars.models import CalendarDay, WorkCalendar
from crm_core.calendars.rules import LONGEST_NAME, DayInput, checked_country, checked_days, checked_zone
from crm_core.calendars.weeks import hours_json, read_week, week_json
from crm_core.people.models import Owner

ADDED = history.Action("calendar.add")
CHANGED = history.Action("calendar.change")
REMOVED = history.Action("calendar.remove")
DAYS_PUT = history.Action("calendar.days")
DAYS_REMOVED = history.Action("calendar.days_removed")

_RIGHT: Final = "owners.write"
#: Two first calendars at once would both find the place of the default one free.
_FIRST_LOCK: Final = 0x1EAD_CA1E


def add_calendar(
    connection: Connection, principal: Principal, name: str, zone: str, week: Mapping[str, Any], country: str = ""
) -> int:
    """`week` as `crm_core.calendars.weeks` says. The first one becomes the default. Raises Invalid, Conflict (name_taken)."""
    demand(principal, _RIGHT)
    values = {
        "name": _name(name), "zone": checked_zone(zone), "country": checked_country(country), "week": week_json(read_week(week)),
    }  # fmt: skip
    connection.execute(select(func.pg_advisory_xact_lock(_FIRST_LOCK)))
    first = connection.scalar(select(func.count()).select_from(WorkCalendar)) == 0
    try:
        with connection.begin_nested():
            statement = insert(WorkCalendar).values(**values, is_default=first).returning(WorkCalendar.id)
            calendar_id = connection.execute(statement).scalar_one()
    except IntegrityError as error:
        raise _name_taken() from error
    history.record(connection, principal, ADDED, calendar_id)
    return calendar_id


def change_calendar(connection: Connection, principal: Principal, calendar_id: int, changes: Mapping[str, Any]) -> None:
    """`changes`: name, zone, country, week, default (only true: another one stops being it). What is due from now on counts by
    it; what is late already stays late. Raises NotFound, Invalid, Conflict (name_taken)."""
    demand(principal, _RIGHT)
    if changes.get("default"):
        connection.execute(select(func.pg_advisory_xact_lock(_FIRST_LOCK)))
    row = _locked(connection, calendar_id)
    if changes.get("default") is False and row.is_default:
        raise Invalid("default_calendar_needed", "Make another calendar the default one instead.", fields=["default"])
    wanted: dict[str, Any] = {}
    if "name" in changes:
        wanted["name"] = _name(changes["name"])
    if "zone" in changes:
        wanted["zone"] = checked_zone(changes["zone"])
    if "country" in changes:
        wanted["country"] = checked_country(changes["country"])
    if "week" in changes:
        wanted["week"] = week_json(read_week(changes["week"]))
    if changes.get("default"):
        wanted["is_default"] = True
    changed = {field: value for field, value in wanted.items() if getattr(row, field) != value}
    if not changed:
        return
    try:
        with connection.begin_nested():
            if "is_default" in changed:
                connection.execute(update(WorkCalendar).where(WorkCalendar.is_default).values(is_default=False))
            connection.execute(update(WorkCalendar).where(WorkCalendar.id == calendar_id).values(**changed))
    except IntegrityError as error:
        raise _name_taken() from error
    fields = sorted("default" if field == "is_default" else field for field in changed)
    history.record(connection, principal, CHANGED, calendar_id, {"fields": fields})


def remove_calendar(connection: Connection, principal: Principal, calendar_id: int) -> None:
    """With its special days. Raises NotFound, Conflict: people work by it (calendar_in_use), or it is the default one among others."""
    demand(principal, _RIGHT)
    row = _locked(connection, calendar_id)
    people = connection.scalar(select(func.count()).select_from(Owner).where(Owner.calendar_id == calendar_id)) or 0
    if people:
        raise Conflict(
            "calendar_in_use", f"{people} people work by this calendar. Give them another one first.", people=str(people)
        )
    if row.is_default and connection.scalar(select(func.count()).select_from(WorkCalendar)) != 1:
        raise Conflict("default_calendar_needed", "Make another calendar the default one first.")
    connection.execute(delete(CalendarDay).where(CalendarDay.calendar_id == calendar_id))
    connection.execute(delete(WorkCalendar).where(WorkCalendar.id == calendar_id))
    history.record(connection, principal, REMOVED, calendar_id)


def put_days(connection: Connection, principal: Principal, calendar_id: int | None, days: Sequence[DayInput]) -> int:
    """Special days of a calendar, or of all of them (None); a day that is there is changed. All or none; returns how many are
    different now. Raises NotFound, Invalid."""
    demand(principal, _RIGHT)
    wanted = checked_days(days)
    if calendar_id is not None:
        _locked(connection, calendar_id)
    there = {
        row.day: (row.kind, row.hours, row.note)
        for row in connection.execute(
            select(CalendarDay.day, CalendarDay.kind, CalendarDay.hours, CalendarDay.note)
            .where(_of(calendar_id), CalendarDay.day.in_([one.day for one in wanted]))
            .with_for_update()
        )
    }
    changed = [one for one in wanted if there.get(one.day) != (one.kind, _hours(one), one.note.strip())]
    if not changed:
        return 0
    for one in changed:
        values: dict[str, Any] = {"kind": one.kind, "hours": _hours(one) or null(), "note": one.note.strip()}
        connection.execute(
            upsert(CalendarDay)
            .values(calendar_id=calendar_id, day=one.day, **values)
            .on_conflict_do_update(index_elements=[CalendarDay.calendar_id, CalendarDay.day], set_=values)
        )
    history.record(connection, principal, DAYS_PUT, calendar_id, {"days": [one.day.isoformat() for one in changed]})
    return len(changed)


def remove_days(connection: Connection, principal: Principal, calendar_id: int | None, days: Sequence[date]) -> int:
    """These days are as the week and the country say again; returns how many were special. Raises NotFound (also if none was)."""
    demand(principal, _RIGHT)
    if calendar_id is not None:
        _locked(connection, calendar_id)
    gone = connection.execute(
        delete(CalendarDay).where(_of(calendar_id), CalendarDay.day.in_(days)).returning(CalendarDay.day)
    ).scalars()
    removed = sorted(gone)
    if not removed:
        raise NotFound("day_unknown", "There is no such special day.")
    history.record(connection, principal, DAYS_REMOVED, calendar_id, {"days": [day.isoformat() for day in removed]})
    return len(removed)


def _hours(one: DayInput) -> list[list[str]] | None:
    return None if one.hours is None else hours_json(one.hours)


def _of(calendar_id: int | None) -> Any:
    return CalendarDay.calendar_id.is_(None) if calendar_id is None else CalendarDay.calendar_id == calendar_id


def _locked(connection: Connection, calendar_id: int) -> Any:
    row = connection.execute(
        select(*WorkCalendar.__table__.columns).where(WorkCalendar.id == calendar_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("calendar_unknown", f"There is no calendar {calendar_id}.")
    return row


def _name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("name_missing", "A name is needed.", fields=["name"])
    if len(name) > LONGEST_NAME:
        raise Invalid(
            "text_too_long", f"name is longer than {LONGEST_NAME} characters.", fields=["name"], field="name", most=LONGEST_NAME
        )
    return name


def _name_taken() -> Conflict:
    return Conflict("name_taken", "There is already a calendar of this name.", fields=["name"])
