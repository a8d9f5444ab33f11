"""A week of shifts in its three forms: JSON as it is stored and sent, text as people type it, values as they are counted with. Pure.

JSON: {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "sat": [["22:00", "06:00"]]}; a day that is left out is free, a shift that
ends no later than it begins goes on over midnight. Text: "mon-fri 09:00-13:00 14:00-18:00 sat 10:00-15:00".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from crm_core.base.errors import Invalid
from crm_core.base.working_time import MINUTES_OF_DAY, Shift

Week = tuple[tuple[Shift, ...], ...]

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RUSSIAN_DAYS: Final = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
_DAY_NUMBER: Final = {name: number for names in (DAYS, RUSSIAN_DAYS) for number, name in enumerate(names)}
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")
_MOST_SHIFTS: Final = 6  # of a day; more is a mistake


def read_week(written: Mapping[str, Any]) -> Week:
    """From JSON. Raises Invalid (week_unreadable, hours_overlap, week_empty)."""
    unknown = sorted(set(written) - set(DAYS))
    if unknown:
        raise _unreadable(unknown[0])
    week = tuple(read_hours(written.get(day) or ()) for day in DAYS)
    if not any(week):
        raise Invalid("week_empty", "A week needs hours on one day at least.", fields=["week"])
    return week


def read_hours(written: Sequence[Any]) -> tuple[Shift, ...]:
    """The shifts of one day, from JSON. Raises Invalid (week_unreadable, hours_overlap)."""
    shifts = []
    for pair in written:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise _unreadable(pair)
        shifts.append(_shift(str(pair[0]), str(pair[1])))
    return _checked(shifts)


def read_hours_text(text: str) -> tuple[Shift, ...]:
    """ "09:00-13:00 14:00-18:00", also with commas and dashes; nothing is a free day. Raises Invalid."""
    return _checked([_span(part) for part in _words(text)])


def read_week_text(text: str) -> Week:
    """ "mon-fri 09:00-18:00 sat 10:00-15:00", days in English or Russian. Raises Invalid."""
    hours: dict[int, list[Shift]] = {}
    days: list[int] = []
    fresh = False  # whether the last word named days, so that the next day begins a new line
    for word in _words(text):
        if word[0].isdigit():
            if not days:
                raise _unreadable(word)
            for day in days:
                hours.setdefault(day, []).append(_span(word))
            fresh = False
        else:
            days = [*(days if fresh else []), *_days(word)]
            fresh = True
    if fresh:
        raise _unreadable(text)
    week = tuple(_checked(hours.get(number, [])) for number in range(7))
    if not any(week):
        raise Invalid("week_empty", "A week needs hours on one day at least.", fields=["week"])
    return week


def week_json(week: Week) -> dict[str, list[list[str]]]:
    return {day: hours_json(shifts) for day, shifts in zip(DAYS, week, strict=True) if shifts}


def hours_json(shifts: Sequence[Shift]) -> list[list[str]]:
    return [[clock(shift.start), clock(shift.end)] for shift in shifts]


def hours_text(shifts: Sequence[Shift]) -> str:
    return " ".join(f"{clock(shift.start)}-{clock(shift.end)}" for shift in shifts)


def day_spans(week: Week) -> list[tuple[int, int, tuple[Shift, ...]]]:
    """Neighbouring days of the same hours together: first and last day (0 is Monday), hours. Free days are left out."""
    spans: list[tuple[int, int, tuple[Shift, ...]]] = []
    for number, shifts in enumerate(week):
        if not shifts:
            continue
        if spans and spans[-1][1] == number - 1 and spans[-1][2] == shifts:
            spans[-1] = (spans[-1][0], number, shifts)
        else:
            spans.append((number, number, shifts))
    return spans


def week_text(week: Week, days: Sequence[str] = DAYS) -> str:
    """What `read_week_text` reads again, in English or with RUSSIAN_DAYS."""
    spans = ((days[first] if first == last else f"{days[first]}-{days[last]}", shifts) for first, last, shifts in day_spans(week))
    return " ".join(f"{named} {hours_text(shifts)}" for named, shifts in spans)


def clock(minute: int) -> str:
    """Of a minute after midnight, "09:00"; the end of the day is "24:00" only as an end that is written so."""
    minute %= MINUTES_OF_DAY
    return f"{minute // 60:02}:{minute % 60:02}"


def _words(text: str) -> list[str]:
    # "09:00 – 18:00" is one word, however the dash is written.
    joined = re.sub(r"\s*[-‐‑‒–—]\s*", "-", text.strip().lower())
    return [word for word in re.split(r"[\s,;]+", joined) if word]


def _span(word: str) -> Shift:
    start, dash, end = word.partition("-")
    if not dash:
        raise _unreadable(word)
    return _shift(start, end)


def _shift(start: str, end: str) -> Shift:
    begins, ends = _minute(start), _minute(end)
    if begins == MINUTES_OF_DAY:
        raise _unreadable(start)
    return Shift(begins, ends if ends > begins else ends + MINUTES_OF_DAY)


def _minute(text: str) -> int:
    found = _TIME.fullmatch(text.strip())
    if found is None or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > MINUTES_OF_DAY:
        raise _unreadable(text)
    return int(found[1]) * 60 + int(found[2])


def _days(word: str) -> list[int]:
    first, _, last = word.partition("-")
    if first not in _DAY_NUMBER or (last and last not in _DAY_NUMBER):
        raise _unreadable(word)
    begins = _DAY_NUMBER[first]
    ends = _DAY_NUMBER[last] if last else begins
    return [number % 7 for number in range(begins, ends + 1 if ends >= begins else ends + 8)]


def _checked(shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    ordered = tuple(sorted(shifts))
    if len(ordered) > _MOST_SHIFTS:
        raise Invalid("week_unreadable", f"A day has {_MOST_SHIFTS} shifts at most.", fields=["week"], given="")
    for one, next_one in pairwise(ordered):
        if next_one.start < one.end:
            raise Invalid(
                "hours_overlap",
                f"{hours_text([one])} and {hours_text([next_one])} overlap.",
                fields=["week"],
                one=hours_text([one]),
                other=hours_text([next_one]),
            )
    return ordered


def _unreadable(given: object) -> Invalid:
    return Invalid(
        "week_unreadable",
        f"Hours are written like this: mon-fri 09:00-18:00. This is not understood: {str(given)[:60]}",
        fields=["week"],
        given=str(given)[:60],
    )
