"""Working time: the figures of real weeks, holidays, transferred days, nights and zones, and what holds for every calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_core.base.working_time import (
    Calendar,
    NoWorkingTimeError,
    Shift,
    SpecialDay,
    add_working_time,
    end_of_day,
    end_of_shift,
    is_working,
    is_working_day,
    last_decreed_year,
    next_working,
    shifts_of,
    today_of,
    working_time,
)

MOSCOW, BERLIN, VLADIVOSTOK = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Vladivostok")
NINE_TO_SIX = Shift(9 * 60, 18 * 60)
OFFICE_WEEK = ((NINE_TO_SIX,),) * 5 + ((), ())
OFFICE = Calendar(MOSCOW, OFFICE_WEEK, country="RU")
NIGHTS = Calendar(BERLIN, ((Shift(22 * 60, 30 * 60),),) * 7)
HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)


def with_days(calendar: Calendar, **days: str) -> Calendar:
    """`y2026_04_30="short"`."""
    special = {date.fromisoformat(key[1:].replace("_", "-")): SpecialDay(kind) for key, kind in days.items()}  # type: ignore[arg-type]
    return Calendar(calendar.zone, calendar.week, special, calendar.country)


SHORT_DAYS = with_days(OFFICE, y2026_04_30="short", y2026_05_08="short", y2026_06_11="short", y2026_11_03="short")


def at(text: str, zone: ZoneInfo = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def off_days(country: str, year: int) -> set[str]:
    """Days that an office with shifts on every day of the week would still be closed on."""
    calendar = Calendar(MOSCOW, ((NINE_TO_SIX,),) * 7, country=country)
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    return {day.isoformat() for day in days if day.year == year and not is_working_day(calendar, day)}


# --- days -----------------------------------------------------------------------------------------------------------------------


def test_days_off_of_russia_in_2026() -> None:
    decreed = [(1, range(1, 12)), (2, range(21, 24)), (3, range(7, 10)), (5, range(1, 4)), (5, range(9, 12)),
               (6, range(12, 15)), (11, [4]), (12, [31])]  # fmt: skip
    off = {date(2026, month, day) for month, days in decreed for day in days}
    year = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert {day for day in year if not is_working_day(OFFICE, day)} == off | {day for day in year if day.weekday() >= 5}


@pytest.mark.parametrize("day", ["2024-04-27", "2024-11-02", "2024-12-28", "2025-11-01", "2027-02-20"])
def test_working_saturdays_have_the_hours_of_a_usual_day(day: str) -> None:
    assert date.fromisoformat(day).weekday() == 5
    assert shifts_of(OFFICE, date.fromisoformat(day)) == (NINE_TO_SIX,)


def test_the_monday_of_a_worked_saturday_is_off() -> None:
    assert not is_working_day(OFFICE, date(2027, 2, 22))


def test_no_saturday_is_worked_in_2026() -> None:
    saturdays = [date(2026, 1, 3) + timedelta(weeks=number) for number in range(52)]
    assert not [day for day in saturdays if is_working_day(OFFICE, day)]


@pytest.mark.parametrize(
    ("country", "worked", "off"),
    [("BY", "2026-04-25", "2026-07-03"), ("UZ", "2026-12-12", "2026-09-01"), ("KZ", "2024-05-04", "2026-12-16")],
)
def test_neighbours_have_their_own_holidays_and_transfers(country: str, worked: str, off: str) -> None:
    calendar = Calendar(MOSCOW, OFFICE_WEEK, country=country)
    assert date.fromisoformat(worked).weekday() == 5
    assert is_working_day(calendar, date.fromisoformat(worked))
    assert date.fromisoformat(off).weekday() < 5
    assert not is_working_day(calendar, date.fromisoformat(off))
    assert off_days(country, 2026)


def test_a_part_of_a_country_has_days_of_its_own() -> None:
    epiphany = date(2026, 1, 6)
    assert not is_working_day(Calendar(BERLIN, OFFICE_WEEK, country="DE-BY"), epiphany)
    assert is_working_day(Calendar(BERLIN, OFFICE_WEEK, country="DE"), epiphany)


def test_bashkortostans_days_are_put_by_hand_and_close_its_office_only() -> None:
    ufa = Calendar(
        ZoneInfo("Asia/Yekaterinburg"),
        OFFICE_WEEK,
        {date(2026, 3, 20): SpecialDay("off"), date(2026, 5, 27): SpecialDay("off"), date(2026, 10, 12): SpecialDay("off")},
        "RU",
    )
    for day in ufa.special:
        assert not is_working_day(ufa, day)
        assert is_working_day(OFFICE, day)
    assert add_working_time(ufa, at("2026-03-19T17:30", ufa.zone), HOUR) == at("2026-03-23T09:30", ufa.zone)


def test_a_special_day_wins_over_the_decree() -> None:
    assert is_working_day(with_days(OFFICE, y2026_12_31="work"), date(2026, 12, 31))
    assert not is_working_day(with_days(OFFICE, y2025_11_01="off"), date(2025, 11, 1))


def test_a_special_day_has_the_hours_that_were_said() -> None:
    hours = (Shift(10 * 60, 14 * 60),)
    calendar = Calendar(MOSCOW, OFFICE_WEEK, {date(2026, 11, 28): SpecialDay("work", hours)}, "RU")
    assert shifts_of(calendar, date(2026, 11, 28)) == hours


def test_a_short_day_ends_an_hour_earlier_however_it_is_split() -> None:
    week = ((Shift(9 * 60, 13 * 60), Shift(14 * 60, 14 * 60 + 40)),) * 7
    calendar = with_days(Calendar(MOSCOW, week), y2026_11_03="short")
    assert shifts_of(calendar, date(2026, 11, 3)) == (Shift(9 * 60, 13 * 60 - 20),)


def test_transfers_are_known_as_far_as_they_are_decreed() -> None:
    assert (last_decreed_year("RU") or 0) >= 2027
    assert last_decreed_year("DE") is None


# --- amounts --------------------------------------------------------------------------------------------------------------------


def test_from_the_eve_of_may_to_the_5th_are_13_hours_and_12_with_the_short_day() -> None:
    start, end = at("2026-04-30T16:00"), at("2026-05-05T11:00")
    assert working_time(OFFICE, start, end) == 13 * HOUR
    assert working_time(SHORT_DAYS, start, end) == 12 * HOUR
    assert end - start == timedelta(days=4, hours=19)


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2025-10-31T15:00", 18 * HOUR, "2025-11-05T15:00"),  # over a worked Saturday, a Monday off and a holiday
        ("2026-12-30T15:00", 18 * HOUR, "2027-01-12T15:00"),
        ("2026-11-20T11:00", 18 * HOUR, "2026-11-24T11:00"),
        ("2026-11-20T11:00", 27 * HOUR, "2026-11-25T11:00"),
        ("2026-11-27T22:00", HALF, "2026-11-30T09:30"),
        ("2026-11-03T16:30", HOUR, "2026-11-03T17:30"),  # of which nobody said that it is short
        ("2025-10-31T15:00", 0.8 * 18 * HOUR, "2025-11-05T11:24"),
    ],
)
def test_an_amount_ends_at(start: str, amount: timedelta, due: str) -> None:
    assert add_working_time(OFFICE, at(start), amount) == at(due)


def test_an_hour_over_the_end_of_a_short_day_ends_after_the_holiday() -> None:
    assert add_working_time(SHORT_DAYS, at("2026-11-03T16:30"), HOUR) == at("2026-11-05T09:30")


def test_a_night_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    assert working_time(NIGHTS, at("2026-03-28T20:00", BERLIN), at("2026-03-29T12:00", BERLIN)) == 7 * HOUR
    assert working_time(NIGHTS, at("2026-10-24T20:00", BERLIN), at("2026-10-25T12:00", BERLIN)) == 9 * HOUR


def test_a_deadline_in_the_night_of_the_change_neither_doubles_nor_skips() -> None:
    spring = add_working_time(NIGHTS, at("2026-03-29T01:45", BERLIN), HALF)
    assert spring == at("2026-03-29T03:15", BERLIN)
    autumn = add_working_time(NIGHTS, at("2026-10-25T02:45", BERLIN), HALF)
    assert autumn == at("2026-10-25T02:15", BERLIN).replace(fold=1).astimezone(UTC)


def test_a_shift_that_begins_in_the_skipped_hour_begins_with_the_new_time() -> None:
    early = Calendar(BERLIN, ((Shift(150, 600),),) * 7)
    assert next_working(early, at("2026-03-29T00:00", BERLIN)) == at("2026-03-29T03:00", BERLIN)


def test_midnight_to_midnight_is_never_closed() -> None:
    always = Calendar(BERLIN, ((Shift(0, 1440),),) * 7)
    start, end = at("2026-03-01T00:00", BERLIN), at("2026-11-01T00:00", BERLIN)
    assert working_time(always, start, end) == end.astimezone(UTC) - start.astimezone(UTC)
    assert end_of_shift(always, start) is not None


def test_what_comes_with_the_last_second_belongs_to_the_next_shift() -> None:
    # A lead at 18:00:00 in Vladivostok on 30 December: 31 December is off, 12 January the first working day's second hour.
    vladivostok = Calendar(VLADIVOSTOK, OFFICE_WEEK, country="RU")
    closing = at("2026-12-30T18:00:00", VLADIVOSTOK)
    assert not is_working(vladivostok, closing)
    assert add_working_time(vladivostok, closing, HALF) == at("2027-01-11T09:30", VLADIVOSTOK)
    assert is_working(vladivostok, closing - timedelta(microseconds=1))


def test_a_split_day_is_not_worked_at_noon() -> None:
    split = Calendar(MOSCOW, ((Shift(9 * 60, 13 * 60), Shift(14 * 60, 18 * 60)),) * 7)
    assert add_working_time(split, at("2026-11-02T12:30"), HOUR) == at("2026-11-02T14:30")
    assert not is_working(split, at("2026-11-02T13:30"))
    assert next_working(split, at("2026-11-02T13:30")) == at("2026-11-02T14:00")
    assert end_of_shift(split, at("2026-11-02T12:30")) == at("2026-11-02T13:00")
    assert end_of_shift(split, at("2026-11-02T13:30")) is None


def test_overlapping_hours_count_once() -> None:
    # The night of Monday goes on into the early shift of Tuesday.
    week = ((Shift(22 * 60, 31 * 60),), (Shift(6 * 60, 14 * 60),), (), (), (), (), ())
    calendar = Calendar(MOSCOW, week)
    assert working_time(calendar, at("2026-11-02T00:00"), at("2026-11-04T00:00")) == 16 * HOUR


def test_nothing_lies_between_a_moment_and_an_earlier_one() -> None:
    assert working_time(OFFICE, at("2026-11-03T12:00"), at("2026-11-03T10:00")) == timedelta()


def test_an_amount_never_ends_where_nobody_works() -> None:
    closed = Calendar(MOSCOW, ((),) * 7)
    with pytest.raises(NoWorkingTimeError):
        add_working_time(closed, at("2026-11-03T12:00"), HOUR)
    with pytest.raises(NoWorkingTimeError):
        next_working(closed, at("2026-11-03T12:00"))
    assert not is_working(closed, at("2026-11-03T12:00"))


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_time(OFFICE, at("2026-11-03T12:00"), -HOUR)


# --- one day --------------------------------------------------------------------------------------------------------------------


def test_the_first_of_december_ends_seven_hours_earlier_in_vladivostok() -> None:
    first = date(2026, 12, 1)
    assert end_of_day(VLADIVOSTOK, first) == datetime(2026, 12, 1, 14, tzinfo=UTC)
    assert end_of_day(MOSCOW, first) == datetime(2026, 12, 1, 21, tzinfo=UTC)


def test_today_is_the_date_on_ones_own_wall() -> None:
    now = datetime(2026, 12, 1, 15, tzinfo=UTC)
    assert today_of(VLADIVOSTOK, now) == date(2026, 12, 2)
    assert today_of(MOSCOW, now) == today_of(ZoneInfo("Europe/Kaliningrad"), now) == date(2026, 12, 1)
    assert today_of(ZoneInfo("Etc/GMT+8"), now) == date(2026, 12, 1)


@pytest.mark.parametrize(("start", "end"), [(600, 600), (600, 500), (-1, 60), (1440, 1500), (600, 600 + 1441)])
def test_impossible_shifts_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no shift"):
        Shift(start, end)


# --- what holds for every calendar ----------------------------------------------------------------------------------------------


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """At least one day is worked; shifts may be split, overlap, last over midnight and over a change of the clock."""
    shifts = st.builds(lambda start, length: Shift(start, start + length), st.integers(0, 1439), st.integers(1, 1440))
    days = st.lists(shifts, max_size=3).map(lambda some: tuple(sorted(some)))
    week = tuple(draw(days) for _ in range(7))
    if not any(week):
        week = ((NINE_TO_SIX,), *week[1:])
    special = draw(
        st.dictionaries(
            st.dates(date(2026, 1, 1), date(2027, 12, 31)),
            st.builds(SpecialDay, st.sampled_from(["off", "work", "short"]), st.none() | days),
            max_size=10,
        )
    )
    zone = draw(
        st.sampled_from(["Europe/Berlin", "Europe/Moscow", "Asia/Vladivostok", "America/New_York", "Australia/Lord_Howe"])
    )
    return Calendar(ZoneInfo(zone), week, special, draw(st.sampled_from(["", "RU", "DE"])))


MOMENTS = st.integers(0, 700 * 86400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
AMOUNTS = st.integers(0, 200 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@given(calendars(), MOMENTS, AMOUNTS)
@settings(deadline=None, max_examples=150)
def test_what_is_added_is_measured_again(calendar: Calendar, start: datetime, amount: timedelta) -> None:
    due = add_working_time(calendar, start, amount)
    assert working_time(calendar, start, due) == amount
    assert due == start or not amount or working_time(calendar, start, due - timedelta(microseconds=1)) < amount


@given(calendars(), MOMENTS, AMOUNTS, AMOUNTS)
@settings(deadline=None, max_examples=150)
def test_two_amounts_one_after_the_other_are_their_sum(
    calendar: Calendar, start: datetime, one: timedelta, other: timedelta
) -> None:
    assert add_working_time(calendar, add_working_time(calendar, start, one), other) == add_working_time(
        calendar, start, one + other
    )


@given(calendars(), st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
@settings(deadline=None, max_examples=150)
def test_a_stretch_is_the_sum_of_its_parts(calendar: Calendar, moments: list[datetime]) -> None:
    first, middle, last = moments
    whole = working_time(calendar, first, last)
    assert working_time(calendar, first, middle) + working_time(calendar, middle, last) == whole
    assert timedelta() <= whole <= last - first


@given(calendars(), MOMENTS)
@settings(deadline=None, max_examples=150)
def test_nothing_is_worked_before_the_next_shift(calendar: Calendar, moment: datetime) -> None:
    begins = next_working(calendar, moment)
    assert is_working(calendar, begins)
    assert working_time(calendar, moment, begins) == timedelta()
    assert is_working(calendar, moment) == (begins == moment)
