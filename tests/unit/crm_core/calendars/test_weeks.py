"""Hours as people type them, as they are stored, and as they are counted with."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.base.errors import Invalid
from crm_core.base.working_time import Shift
from crm_core.calendars.weeks import (
    RUSSIAN_DAYS,
    Week,
    day_spans,
    hours_json,
    hours_text,
    read_hours,
    read_hours_text,
    read_week,
    read_week_text,
    week_json,
    week_text,
)

OFFICE = (Shift(540, 1080),)


@pytest.mark.parametrize(
    "text",
    [
        "mon-fri 09:00-18:00",
        "пн-пт 9:00 – 18:00",
        "Mon, Tue, Wed, Thu, Fri: 9:00—18:00".replace(":  ", " ").replace("Fri:", "Fri"),
    ],
)
def test_an_office_week_is_read_however_it_is_written(text: str) -> None:
    assert read_week_text(text) == (OFFICE,) * 5 + ((), ())


def test_split_days_nights_and_days_around_the_weekend() -> None:
    week = read_week_text("mon 09:00-13:00 14:00-18:00 sat-sun 22:00-06:00")
    assert week[0] == (Shift(540, 780), Shift(840, 1080))
    assert week[5] == week[6] == (Shift(1320, 1800),)
    assert read_week_text("sun-tue 10:00-11:00")[2:6] == ((), (), (), ())
    assert read_week_text("mon 00:00-24:00")[0] == read_week_text("mon 00:00-00:00")[0] == (Shift(0, 1440),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("09:00-18:00", "week_unreadable"),
        ("mon", "week_unreadable"),
        ("mon 9-18", "week_unreadable"),
        ("mon 25:00-26:00", "week_unreadable"),
        ("mon 09:60-18:00", "week_unreadable"),
        ("monday 09:00-18:00", "week_unreadable"),
        ("mon 24:00-25:00", "week_unreadable"),
        ("mon 09:00-13:00 12:00-18:00", "hours_overlap"),
        ("", "week_empty"),
    ],
)
def test_what_is_no_week_is_refused(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_week_text(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ({}, "week_empty"),
        ({"mon": []}, "week_empty"),
        ({"monday": [["09:00", "18:00"]]}, "week_unreadable"),
        ({"mon": ["09:00"]}, "week_unreadable"),
        ({"mon": [["09:00", "18:00", "19:00"]]}, "week_unreadable"),
        ({"mon": [[f"{hour:02}:00", f"{hour:02}:30"] for hour in range(9, 16)]}, "week_unreadable"),
    ],
)
def test_json_that_is_no_week_is_refused(written: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_week(written)
    assert refused.value.code == code


def test_days_of_the_same_hours_are_shown_together() -> None:
    week = read_week_text("mon-wed 09:00-18:00 thu 10:00-19:00 sat 09:00-18:00")
    assert day_spans(week) == [(0, 2, OFFICE), (3, 3, (Shift(600, 1140),)), (5, 5, OFFICE)]
    assert week_text(week) == "mon-wed 09:00-18:00 thu 10:00-19:00 sat 09:00-18:00"


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    def day() -> tuple[Shift, ...]:
        marks = sorted(draw(st.sets(st.integers(0, 1440), max_size=8)))
        return tuple(Shift(start, end) for start, end in list(pairwise(marks))[::2])

    week = tuple(day() for _ in range(7))
    return week if any(week) else (OFFICE, *week[1:])


@given(weeks())
def test_every_week_is_read_again_as_it_was_written(week: Week) -> None:
    assert read_week(week_json(week)) == week
    assert read_week_text(week_text(week)) == read_week_text(week_text(week, RUSSIAN_DAYS)) == week
    for shifts in week:
        assert read_hours(hours_json(shifts)) == read_hours_text(hours_text(shifts)) == shifts
