"""Special days as people type them: a year in one go."""

from __future__ import annotations

from datetime import date

import pytest

from crm_core.base.errors import Invalid
from crm_core.base.working_time import Shift
from crm_core.calendars.rules import DayInput, checked_country, checked_days, checked_zone, dates_of, read_days_text


def test_a_year_is_typed_as_a_list_in_either_language() -> None:
    typed = """
        2026-04-30 short
        08.05.2026 короткий
        2026-03-20 off Nowruz, in Ufa only

        28.11.2026 рабочий 10:00-14:00 15:00 – 17:00 inventory
    """
    assert read_days_text(typed) == [
        DayInput(date(2026, 4, 30), "short"),
        DayInput(date(2026, 5, 8), "short"),
        DayInput(date(2026, 3, 20), "off", None, "Nowruz, in Ufa only"),
        DayInput(date(2026, 11, 28), "work", (Shift(600, 840), Shift(900, 1020)), "inventory"),
    ]


@pytest.mark.parametrize(
    "line", ["2026-04-30", "30.02.2026 off", "tomorrow off", "2026-04-30 holiday", "2026-04-30 work 25:00-26:00"]
)
def test_a_line_that_is_not_understood_is_named(line: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_days_text(f"2026-01-09 off\n{line}")
    assert refused.value.code in ("day_unreadable", "week_unreadable")
    assert refused.value.data["given"]


def test_days_are_put_in_order_and_none_twice() -> None:
    first, second = DayInput(date(2026, 1, 9), "off"), DayInput(date(2026, 4, 30), "short")
    assert checked_days([second, first]) == [first, second]
    for wrong in ([], [first, DayInput(date(2026, 1, 9), "work")], [DayInput(date(1926, 1, 9), "off")],
                  [DayInput(date(2026, 1, 9), "work", ())], [DayInput(date(2026, 1, 9), "off", None, "x" * 201)]):  # fmt: skip
        with pytest.raises(Invalid):
            checked_days(wrong)


def test_dates_are_read_in_both_forms() -> None:
    assert dates_of(["2026-01-09", " 9.1.2026 "]) == [date(2026, 1, 9)] * 2


def test_zones_and_countries_are_those_that_exist() -> None:
    assert checked_zone(" Europe/Moscow ") == "Europe/Moscow"
    assert [checked_country(text) for text in ("ru", "DE-BY", "")] == ["RU", "DE-BY", ""]
    for zone in ("", "Moscow", "../etc/passwd", "Europe"):
        with pytest.raises(Invalid):
            checked_zone(zone)
    for country in ("XX", "Russia", "DE-XX"):
        with pytest.raises(Invalid):
            checked_country(country)
