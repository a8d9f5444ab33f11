"""What a calendar may be: its zone, its country, its special days as they are typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_core.base.errors import Invalid
from crm_core.base.working_time import DayKind, Shift, public_holidays
from crm_core.calendars.weeks import hours_text, read_hours_text

LONGEST_NAME: Final = 200
LONGEST_NOTE: Final = 200
#: Ten years of a calendar that says every single day; more is no list of special days.
MOST_DAYS: Final = 4000
_YEARS: Final = range(2000, 2200)

_KINDS: Final[dict[str, DayKind]] = {
    "off": "off", "work": "work", "short": "short",
    "выходной": "off", "рабочий": "work", "короткий": "short", "сокращённый": "short", "сокращенный": "short",
}  # fmt: skip
_HOURS: Final = re.compile(r"\d{1,2}:\d{2}\s*[-‐‑‒–—]\s*\d{1,2}:\d{2}")


@dataclass(frozen=True, slots=True)
class DayInput:
    """One special day as somebody wants it. `hours` None: the usual ones."""

    day: date
    kind: DayKind
    hours: tuple[Shift, ...] | None = None
    note: str = ""


def checked_zone(zone: str, field: str = "zone") -> str:
    """An IANA name. Raises Invalid."""
    zone = zone.strip()
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            "zone_unknown", f"There is no time zone {zone[:60]!r}; write it like Europe/Moscow.", fields=[field], given=zone[:60]
        ) from error
    return zone


def checked_country(country: str) -> str:
    """ISO 3166, with or without a part: "RU", "DE-BY"; "" for none. Raises Invalid."""
    country = country.strip().upper()
    if country:
        try:
            public_holidays(country, 2026)
        except NotImplementedError as error:
            raise Invalid(
                "country_unknown",
                f"Of {country[:20]!r} no holidays are known; write RU or DE-BY, or nothing and the days off by hand.",
                fields=["country"],
                given=country[:20],
            ) from error
    return country


def checked_days(days: Sequence[DayInput]) -> list[DayInput]:
    """By date. Raises Invalid: a day twice, hours on a free day, hours that a working day lacks, too many days."""
    if not days or len(days) > MOST_DAYS:
        raise Invalid("days_missing", f"Name one day at least and {MOST_DAYS} at most.", fields=["days"])
    known: dict[date, DayInput] = {}
    for one in days:
        if one.day in known:
            raise Invalid("day_twice", f"{one.day} stands there twice.", fields=["days"], day=one.day.isoformat())
        if one.day.year not in _YEARS or (one.kind == "off" and one.hours) or one.hours == () or len(one.note) > LONGEST_NOTE:
            raise _unreadable(f"{one.day} {one.kind} {hours_text(one.hours or ())} {one.note}")
        known[one.day] = one
    return [known[day] for day in sorted(known)]


def read_days_text(text: str) -> list[DayInput]:
    """One day a line: date, kind, hours if they are not the usual ones, a note. "2026-04-30 short", "20.03.2026 off Nowruz",
    "2026-11-28 work 10:00-14:00 inventory". Empty lines are skipped. Raises Invalid with the line."""
    return [_read_line(line) for line in text.splitlines() if line.strip()]


def dates_of(texts: Iterable[str]) -> list[date]:
    """Raises Invalid."""
    return [_read_date(text) for text in texts]


def _read_line(line: str) -> DayInput:
    words = line.split(maxsplit=2)
    if len(words) < 2 or words[1].lower() not in _KINDS:
        raise _unreadable(line)
    rest = words[2] if len(words) == 3 else ""
    hours = []
    while (found := _HOURS.match(rest)) is not None:
        hours.append(found[0])
        rest = rest[found.end() :].lstrip(" ,;\t")
    return DayInput(
        _read_date(words[0]), _KINDS[words[1].lower()], read_hours_text(" ".join(hours)) if hours else None, rest.strip()
    )


def _read_date(text: str) -> date:
    text = text.strip()
    try:
        if re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", text):
            return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 - a date has no zone
        return date.fromisoformat(text)
    except ValueError as error:
        raise _unreadable(text) from error


def _unreadable(line: str) -> Invalid:
    return Invalid(
        "day_unreadable",
        f"A special day is written like this: 2026-04-30 short, or 2026-11-28 work 10:00-14:00. This is not: {line[:80]}",
        fields=["days"],
        given=line[:80],
    )
