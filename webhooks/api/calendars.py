"""When is worked: calendars, and the days that are not as their week says. A person's own hours are in `owners`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field

from crm_core.base.errors import NotFound
from crm_core.calendars import commands
from crm_core.calendars.queries import days_of_all, get_calendar, list_calendars, year_of
from crm_core.calendars.rules import MOST_DAYS, DayInput
from crm_core.calendars.weeks import read_hours
from webhooks.api.parameters import Filters, Text, read_day
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Page, Shape

DayKind = Literal["off", "work", "short"]


class SpecialDay(Shape):
    day: date
    kind: DayKind
    hours: list[Any] | None = Field(description='[["10:00", "14:00"]]; null: the usual ones, an hour less on a short day')
    note: str


class Calendar(Shape):
    id: Id
    name: str
    zone: str = Field(description="IANA")
    country: str = Field(description="ISO 3166, RU or DE-BY; empty: no holidays")
    week: dict[str, Any] = Field(description='{"mon": [["09:00", "18:00"]]}; a day that is left out is free')
    default: bool
    people: int = Field(description="who work by it")
    days: list[SpecialDay]
    decreed_until: int | None = Field(description="of later years only the fixed holidays are known; null: nobody decrees them")


class YearDay(Shape):
    day: date
    kind: DayKind
    hours: list[Any] = Field(description="what is worked")
    note: str
    origin: Literal["law", "calendar", "all"]


class CalendarPage(Page[Calendar]):
    pass


class SpecialDayPage(Page[SpecialDay]):
    pass


class YearDayPage(Page[YearDay]):
    pass


Day = Annotated[date, BeforeValidator(read_day)]
Hours = list[tuple[Text, Text]]
Week = dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Hours]
_WEEK = '{"mon": [["09:00", "13:00"], ["14:00", "18:00"]]}; a shift that ends no later than it begins goes over midnight'


class CalendarBody(Body):
    name: Text = Field(min_length=1, max_length=200)
    zone: Text | None = Field(None, max_length=60, description="IANA; the hub's by default")
    country: Text = Field("", max_length=20, description="ISO 3166, RU or DE-BY; empty: no holidays")
    week: Week = Field(description=_WEEK)


class CalendarPatch(Body):
    name: Text | None = Field(None, min_length=1, max_length=200)
    zone: Text | None = Field(None, max_length=60)
    country: Text | None = Field(None, max_length=20)
    week: Week | None = Field(None, description=_WEEK)
    default: bool | None = Field(None, description="true makes it the default one instead of the present one")


class DayBody(Body):
    day: Day
    kind: DayKind
    hours: Hours | None = Field(None, description="null: the usual ones, an hour less on a short day")
    note: Text = Field("", max_length=200)


class DaysBody(Body):
    days: list[DayBody] = Field(min_length=1, max_length=MOST_DAYS, description="a day that is there is changed")


class YearQuery(Filters):
    year: int = Field(ge=2000, le=2199)


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_calendars(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_calendar(connection, ask.id("calendar"))


def _add(ask: Ask) -> object:
    body = cast(CalendarBody, ask.body)
    with ask.engine.begin() as connection:
        calendar_id = commands.add_calendar(
            connection, ask.principal, body.name, body.zone or ask.config.timezone, _plain(body.week), body.country
        )
        return get_calendar(connection, calendar_id)


def _change(ask: Ask) -> object:
    calendar_id = ask.id("calendar")
    changes = cast(CalendarPatch, ask.body).model_dump(exclude_none=True)
    with ask.engine.begin() as connection:
        commands.change_calendar(connection, ask.principal, calendar_id, changes)
        return get_calendar(connection, calendar_id)


def _remove(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.remove_calendar(connection, ask.principal, ask.id("calendar"))


def _year(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": year_of(connection, ask.id("calendar"), cast(YearQuery, ask.query).year), "next": None}


def _put_days(ask: Ask) -> object:
    calendar_id = ask.id("calendar")
    with ask.engine.begin() as connection:
        commands.put_days(connection, ask.principal, calendar_id, _days(ask))
        return get_calendar(connection, calendar_id)


def _remove_day(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.remove_days(connection, ask.principal, ask.id("calendar"), [_day(ask)])


def _list_days_of_all(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": days_of_all(connection), "next": None}


def _put_days_of_all(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        commands.put_days(connection, ask.principal, None, _days(ask))
        return {"items": days_of_all(connection), "next": None}


def _remove_day_of_all(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.remove_days(connection, ask.principal, None, [_day(ask)])


def _days(ask: Ask) -> list[DayInput]:
    return [
        DayInput(one.day, one.kind, None if one.hours is None else read_hours(one.hours), one.note)
        for one in cast(DaysBody, ask.body).days
    ]


def _day(ask: Ask) -> date:
    try:
        return cast(date, read_day(ask.path["day"]))
    except ValueError as error:
        raise NotFound("day_unknown", "There is no such special day.") from error


def _plain(week: Week) -> dict[str, Any]:
    return {day: [list(shift) for shift in hours] for day, hours in week.items()}


ROUTES = (
    Route("GET", "/calendars", "owners.read", _list, "Calendars, the default one first", CalendarPage),
    Route("POST", "/calendars", "owners.write", _add, "Add a calendar; the first one becomes the default", Calendar,
          body=CalendarBody, status=201),
    Route("GET", "/calendars/<id>", "owners.read", _get, "One calendar", Calendar),
    Route("PATCH", "/calendars/<id>", "owners.write", _change, "Change a calendar", Calendar, body=CalendarPatch),
    Route("DELETE", "/calendars/<id>", "owners.write", _remove, "Remove a calendar by which nobody works", None, status=204),
    Route("GET", "/calendars/<id>/year", "owners.read", _year, "The days of a year that are not as the week says",
          YearDayPage, query=YearQuery),
    Route("PUT", "/calendars/<id>/days", "owners.write", _put_days, "Put special days, for instance those of a decree",
          Calendar, body=DaysBody),
    Route("DELETE", "/calendars/<id>/days/<day>", "owners.write", _remove_day, "Take a special day back", None, status=204),
    Route("GET", "/calendar-days", "owners.read", _list_days_of_all, "Special days of all calendars", SpecialDayPage),
    Route("PUT", "/calendar-days", "owners.write", _put_days_of_all, "Put special days of all calendars",
          SpecialDayPage, body=DaysBody),
    Route("DELETE", "/calendar-days/<day>", "owners.write", _remove_day_of_all, "Take a special day of all calendars back", None,
          status=204),
)  # fmt: skip
