"""Working time: which moments of a calendar are worked, how much of it lies between two moments, and when an amount of it ends.

One calculation for everything that counts in working hours: deadlines, shifts, reports. Pure; days off by law come from the package
`holidays`, and a calendar's own special days win over them, because a decree may be newer than the package and a region has days of
its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from typing import Final, Literal
from zoneinfo import ZoneInfo

DayKind = Literal["off", "work", "short"]

MINUTES_OF_DAY: Final = 24 * 60
#: The Labour Code's hour (Article 95): what a day before a holiday is shorter by, if its own hours are not said.
_SHORTENED_BY: Final = 60
#: A calendar that works on none of so many days in a row will not work on the next either.
_LONGEST_BREAK_DAYS: Final = 2 * 366


class NoWorkingTimeError(ValueError):
    """The calendar works on no day, so no amount of working time ever passes."""


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """Wall-clock minutes after the midnight with which its day begins: 540 to 1080 is 09:00 to 18:00.

    `end` is beyond 1440 for a shift over midnight, which belongs to the day on which it begins; a shift lasts 24 hours at most.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not (0 <= self.start < MINUTES_OF_DAY and self.start < self.end <= self.start + MINUTES_OF_DAY):
            raise ValueError(f"no shift from minute {self.start} to {self.end}")


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """What an administrator said of one day. Without `shifts`, a working day has the hours of its weekday (those of a usual day
    where that one is free), and a short one an hour less."""

    kind: DayKind
    shifts: tuple[Shift, ...] | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """`week` from Monday to Sunday, the shifts of each day in their order. `country` is ISO 3166, "RU" or with a part of it,
    "DE-BY"; without one there are no holidays but the special days."""

    zone: ZoneInfo
    week: tuple[tuple[Shift, ...], ...]
    special: Mapping[date, SpecialDay] = field(default_factory=dict)
    country: str = ""

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError("a week has seven days")


def working_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How much of the calendar's working time lies in [start, end), both aware; nothing if the end is not after the start."""
    total = timedelta()
    if end <= start:
        return total
    for begins, ends in _worked(calendar, start, end):
        if begins >= end:
            break
        total += min(ends, end) - begins
    return total


def add_working_time(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The first moment (UTC) by which `amount` of working time has passed since `start` (aware); `start` itself for nothing.

    What ends with a shift ends at its end, not when the next begins: 17:00 and an hour is 18:00. Raises NoWorkingTimeError, and
    ValueError for a negative amount.
    """
    if amount < timedelta():
        raise ValueError("a negative amount of working time")
    left = amount
    if not left:
        return start.astimezone(UTC)
    for begins, ends in _worked(calendar, start):
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
    raise AssertionError("the working days of a calendar do not end")


def is_working(calendar: Calendar, at: datetime) -> bool:
    """Whether the moment (aware) is worked. The second with which a shift ends is not."""
    return working_time(calendar, at, at + timedelta(microseconds=1)) > timedelta()


def next_working(calendar: Calendar, at: datetime) -> datetime:
    """The moment itself if it is worked, else when the next shift begins (UTC). Raises NoWorkingTimeError."""
    return next(_worked(calendar, at))[0]


def end_of_shift(calendar: Calendar, at: datetime) -> datetime | None:
    """When the work that goes on at this moment (aware) ends (UTC), over the midnights of a calendar that never sleeps at most a
    week ahead; None if nobody works."""
    if not is_working(calendar, at):
        return None
    until = at.astimezone(UTC)
    for begins, ends in _worked(calendar, at):
        if begins > until or ends > at + timedelta(days=7):
            break
        until = ends
    return until


def is_working_day(calendar: Calendar, day: date) -> bool:
    return bool(shifts_of(calendar, day))


def shifts_of(calendar: Calendar, day: date) -> tuple[Shift, ...]:
    """What is worked of this day, or begun on it. A special day wins over the country's holidays, these over the week."""
    special = calendar.special.get(day)
    usual = calendar.week[day.weekday()]
    if special is not None:
        if special.kind == "off":
            return ()
        if special.shifts is not None:
            return special.shifts
        worked = usual or _usual_day(calendar.week)
        return _shortened(worked) if special.kind == "short" else worked
    if calendar.country:
        off, worked_weekend = public_holidays(calendar.country, day.year)
        if day in off:
            return ()
        if day in worked_weekend:
            return usual or _usual_day(calendar.week)
    return usual


def today_of(zone: ZoneInfo, now: datetime) -> date:
    """The date on somebody's wall: the one "today" for lists, badges, digests and reports."""
    return now.astimezone(zone).date()


def end_of_day(zone: ZoneInfo, day: date) -> datetime:
    """The moment (UTC) with which the date ends in this zone: what is due on a date is late from then on."""
    return _moment(zone, day, MINUTES_OF_DAY)


@lru_cache(maxsize=256)
def public_holidays(country: str, year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Days off by law, and days of a weekend that are worked instead of another, as far as the installed `holidays` knows.
    Raises NotImplementedError for a country or a part of one that it does not know."""
    import holidays

    name, _, part = country.partition("-")
    known = holidays.country_holidays(name, subdiv=part or None, years=year)
    return frozenset(day for day in known if day.year == year), frozenset(
        day for day in known.weekend_workdays if day.year == year
    )


@lru_cache(maxsize=64)
def last_decreed_year(country: str) -> int | None:
    """The last year whose transferred days are known, for a country that decrees them year by year; None elsewhere. Of a later
    year only the fixed holidays are known."""
    import holidays

    known = holidays.country_holidays(country.partition("-")[0])
    decreed = getattr(known, "special_public_holidays", None)
    return max(decreed) if decreed and known.has_substituted_holidays else None


def _worked(calendar: Calendar, start: datetime, until: datetime | None = None) -> Iterator[tuple[datetime, datetime]]:
    """The worked intervals (UTC) from `start` on, in their order, without overlaps: as far as the day of `until`, or without end.
    Raises NoWorkingTimeError where there is none."""
    reached = start.astimezone(UTC)
    # The shift of yesterday may reach into today.
    first = start.astimezone(calendar.zone).date() - timedelta(days=1)
    last = None if until is None else until.astimezone(calendar.zone).date()
    idle = 0
    for number in count():
        day = first + timedelta(days=number)
        if last is not None and day > last:
            return
        shifts = shifts_of(calendar, day)
        idle = 0 if shifts else idle + 1
        if last is None and idle > _LONGEST_BREAK_DAYS:
            raise NoWorkingTimeError("This calendar works on no day.")
        for shift in shifts:
            begins = max(_moment(calendar.zone, day, shift.start), reached)
            ends = _moment(calendar.zone, day, shift.end)
            if ends > begins:
                yield begins, ends
                reached = ends


def _moment(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """The UTC of a wall time: its first one where the clock is put back, the moment of the change where it is put forward."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # Skipped: read by the offset from before the change it lies after it, by the one from after it lies before.
    late, early = moment, wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late


@lru_cache(maxsize=256)
def _usual_day(week: tuple[tuple[Shift, ...], ...]) -> tuple[Shift, ...]:
    """The hours of most days, the earlier in the week if there are as many of others."""
    worked = Counter(shifts for shifts in week if shifts)
    return worked.most_common(1)[0][0] if worked else ()


def _shortened(shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
    """Without the last hour that is worked."""
    left, rest = _SHORTENED_BY, list(shifts)
    while left and rest:
        last = rest.pop()
        if last.end - last.start > left:
            rest.append(Shift(last.start, last.end - left))
            break
        left -= last.end - last.start
    return tuple(rest)
