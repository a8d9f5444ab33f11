"""When is worked: calendars with their week and their special days, and how the next fortnight of each looks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from crm_core.base.errors import Conflict, Invalid
from crm_core.base.working_time import shifts_of, today_of
from crm_core.calendars import commands
from crm_core.calendars.queries import CalendarView, SpecialDayView, calendar_of, days_of_all, list_calendars
from crm_core.calendars.rules import dates_of, read_days_text
from crm_core.calendars.weeks import (
    DAYS,
    RUSSIAN_DAYS,
    hours_text,
    read_hours,
    read_week,
    read_week_text,
    week_json,
    week_text,
)
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_SHOWN_DAYS = 14
_WHOLE = 100_000  # characters of a text: what is too long is refused in words, never cut in silence


def index(context: RequestContext) -> PageAnswer:
    return _page(context, None, "")


def _page(context: RequestContext, problem: errors.Problem | None, of: str) -> str:
    """`of` names the form that is shown again as it was typed: new, days, or a calendar's id."""
    with context.engine.begin() as connection:
        views, everybodys = list_calendars(connection), days_of_all(connection)
    common = {one.day: one for one in everybodys}
    return context.page(
        "calendars/calendars.html",
        calendars=[_shown(context, view, common, problem, of) for view in views],
        everybodys=[_day(context, one) for one in everybodys],
        typed=dict(request.form) if problem and of in ("new", "days") else {},
        problem=problem,
        of=of,
        hub_zone=context.config.timezone,
        can_write=context.may("owners.write"),
    )


def _shown(
    context: RequestContext, view: CalendarView, common: dict[date, SpecialDayView], problem: errors.Problem | None, of: str
) -> dict[str, Any]:
    hours = week_text(read_week(view.week), _names(context))
    calendar = calendar_of(view, common | {one.day: one for one in view.days})
    first = today_of(ZoneInfo(view.zone), context.now)
    fortnight = []
    for day in (first + timedelta(days=n) for n in range(_SHOWN_DAYS)):
        shifts = shifts_of(calendar, day)
        usual = calendar.week[day.weekday()]
        fortnight.append(
            {
                "day": day,
                "weekday": _names(context)[day.weekday()],
                "hours": hours_text(shifts),
                "special": tuple(shifts) != tuple(usual),
            }
        )
    stored = {"name": view.name, "zone": view.zone, "country": view.country, "hours": hours}
    return {
        "view": view, "hours": hours, "fortnight": fortnight, "days": [_day(context, one) for one in view.days],
        "typed": dict(request.form) if problem and of == str(view.id) else stored,
    }  # fmt: skip


def _names(context: RequestContext) -> Any:
    return RUSSIAN_DAYS if context.language.locale == "ru" else DAYS


def _day(context: RequestContext, one: SpecialDayView) -> dict[str, Any]:
    hours = "" if one.hours is None else hours_text(read_hours(one.hours))
    return {"day": one.day.isoformat(), "kind": context.language.code("day_kind", one.kind), "hours": hours, "note": one.note}


def add(context: RequestContext) -> PageAnswer:
    try:
        with context.engine.begin() as connection:
            commands.add_calendar(
                connection, context.principal, entered("name", _WHOLE), entered("zone", 60) or context.config.timezone,
                week_json(read_week_text(entered("hours", _WHOLE))), entered("country", 20),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _refused(context, error, "new")
    return context.go("calendars", "calendar_added")


def change(context: RequestContext, calendar_id: int) -> PageAnswer:
    """What the form holds; a field that it does not hold stays."""
    try:
        changes: dict[str, Any] = {name: entered(name, _WHOLE) for name in ("name", "zone", "country") if name in request.form}
        if "hours" in request.form:
            changes["week"] = week_json(read_week_text(entered("hours", _WHOLE)))
        if entered("default", 5):
            changes["default"] = True
        with context.engine.begin() as connection:
            commands.change_calendar(connection, context.principal, calendar_id, changes)
    except (Invalid, Conflict) as error:
        return _refused(context, error, str(calendar_id))
    return context.go("calendars", "calendar_changed")


def remove(context: RequestContext, calendar_id: int) -> PageAnswer:
    try:
        with context.engine.begin() as connection:
            commands.remove_calendar(connection, context.principal, calendar_id)
    except Conflict as error:
        return _refused(context, error, "")
    return context.go("calendars", "calendar_removed")


def put_days(context: RequestContext, calendar_id: int | None = None) -> PageAnswer:
    try:
        with context.engine.begin() as connection:
            commands.put_days(connection, context.principal, calendar_id, read_days_text(entered("days", _WHOLE)))
    except (Invalid, Conflict) as error:
        return _refused(context, error, "days" if calendar_id is None else str(calendar_id))
    return context.go("calendars", "calendar_days_put")


def usual_day(context: RequestContext, calendar_id: int | None = None) -> PageAnswer:
    with context.engine.begin() as connection:
        commands.remove_days(connection, context.principal, calendar_id, dates_of([entered("day", 20)]))
    return context.go("calendars", "calendar_day_usual")


def _refused(context: RequestContext, error: Invalid | Conflict, of: str) -> PageAnswer:
    return _page(context, errors.problem_of(context, error), of), 422 if isinstance(error, Invalid) else 409
