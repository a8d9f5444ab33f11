"""Who can take work at a given moment: shifts in their own zone, days off, absences, pauses, limits."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from factories.calendar import make_calendar, make_day
from factories.contact import make_contact
from factories.lead import make_lead
from factories.rows import insert
from factories.source import make_source
from psycopg.rows import dict_row
from sqlalchemy import Engine, text

from crm_core.people.availability import FOREVER, load_availability

NOW = datetime(2026, 11, 3, 14, 30, tzinfo=UTC)  # Tuesday, 17:30 in Moscow; the day before a holiday


def test_a_hub_that_set_nothing_is_asked_once_and_everybody_is_there(engine: Engine) -> None:
    with engine.begin() as connection:
        anna = insert(connection, "owner", name="Anna", extension="101")
    asked: list[str] = []
    with (
        psycopg.connect(engine.url.render_as_string(hide_password=False).replace("+psycopg", ""), row_factory=dict_row) as driver,
        driver.cursor() as cursor,
    ):
        original = cursor.execute

        class Counting:
            def execute(self, query: Any, parameters: Any = None) -> Any:
                asked.append(query)
                return original(query, parameters)

            def fetchall(self) -> Any:
                return cursor.fetchall()

        found = load_availability(Counting())[anna]  # type: ignore[arg-type]
    assert len(asked) == 1
    assert (found.name, found.extension, found.active, found.on_shift, found.next_on_shift) == ("Anna", "101", True, True, None)
    assert (found.open_leads, found.given_today, found.calendar) == (None, None, None)


def test_one_query_of_sqlalchemy_and_of_psycopg_answer_alike(engine: Engine) -> None:
    with engine.begin() as connection:
        insert(connection, "owner", name="Anna", calendar_id=make_calendar(connection))
        url = engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        by_sqlalchemy = load_availability(connection, NOW)
    with psycopg.connect(url, row_factory=dict_row) as driver, driver.cursor() as cursor:
        assert load_availability(cursor, NOW) == by_sqlalchemy


@pytest.mark.parametrize(
    ("zone", "at", "on_shift", "next_on_shift"),
    [
        ("", "2026-11-03T14:30:00Z", True, None),
        ("Asia/Vladivostok", "2026-11-03T14:30:00Z", False, "2026-11-04T23:00:00Z"),  # 00:30 there, and the 4th is a holiday
        ("", "2026-11-03T15:00:00Z", False, "2026-11-05T06:00:00Z"),
        ("Europe/Kaliningrad", "2026-11-03T15:00:00Z", True, None),
    ],
)
def test_a_shift_is_meant_in_ones_own_zone(engine: Engine, zone: str, at: str, on_shift: bool, next_on_shift: str | None) -> None:
    with engine.begin() as connection:
        anna = insert(connection, "owner", name="Anna", calendar_id=make_calendar(connection), zone=zone)
        found = load_availability(connection, datetime.fromisoformat(at))[anna]
    assert found.on_shift is on_shift
    assert found.next_on_shift == (None if next_on_shift is None else datetime.fromisoformat(next_on_shift))


def test_a_day_of_all_calendars_counts_unless_the_calendar_has_its_own(engine: Engine) -> None:
    with engine.begin() as connection:
        office, ufa = make_calendar(connection), make_calendar(connection, "Ufa")
        anna, boris = (
            insert(connection, "owner", name=name, calendar_id=one) for name, one in (("Anna", office), ("Boris", ufa))
        )
        make_day(connection, "2026-11-03", "short")
        make_day(connection, "2026-11-03", "work", ufa, [["09:00", "20:00"]])
        found = load_availability(connection, NOW)
        assert (found[anna].on_shift, found[boris].on_shift) == (False, True)  # 17:30 of a day that ends at 17:00, and at 20:00
        make_day(connection, "2026-11-05", "off", office)
        assert load_availability(connection, NOW)[anna].next_on_shift == datetime(2026, 11, 6, 6, tzinfo=UTC)


def test_own_hours_take_the_days_off_of_the_default_calendar(engine: Engine) -> None:
    week = json.dumps({day: [["20:00", "04:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")})
    with engine.begin() as connection:
        night = insert(connection, "owner", name="Anna", week=week, zone="Europe/Moscow")
        at_two = datetime(2026, 11, 4, 23, tzinfo=UTC)  # 02:00 of Thursday; the shift began on Wednesday, a holiday
        assert load_availability(connection, at_two)[night].on_shift
        make_calendar(connection, is_default=True)
        assert not load_availability(connection, at_two)[night].on_shift
        assert load_availability(connection, at_two - timedelta(days=1))[night].on_shift  # the night of Tuesday ends at 04:00


def test_the_default_calendar_binds_nobody_who_has_neither_hours_nor_a_calendar(engine: Engine) -> None:
    with engine.begin() as connection:
        make_calendar(connection, is_default=True)
        anna = insert(connection, "owner", name="Anna")
        assert load_availability(connection, datetime(2026, 11, 7, 2, tzinfo=UTC))[anna].on_shift


def test_a_calendar_that_is_closed_for_good_has_no_next_shift(engine: Engine) -> None:
    with engine.begin() as connection:
        closed = make_calendar(connection, week=json.dumps({"mon": [["09:00", "18:00"]]}), country="")
        for number in range(120):
            make_day(connection, (date(2026, 11, 2) + timedelta(weeks=number)).isoformat(), "off", closed)
        anna = insert(connection, "owner", name="Anna", calendar_id=closed)
        found = load_availability(connection, NOW)[anna]
    assert (found.on_shift, found.next_on_shift) == (False, None)


def test_an_absence_runs_from_its_first_moment_to_its_last_and_names_the_deputy(engine: Engine) -> None:
    with engine.begin() as connection:
        anna, boris = (insert(connection, "owner", name=name) for name in ("Anna", "Boris"))
        insert(connection, "absence", owner_id=anna, from_at=NOW, until_at=NOW + timedelta(days=1), deputy_id=boris)
        for at, away in ((-1, False), (0, True), (86399, True), (86400, False)):
            found = load_availability(connection, NOW + timedelta(seconds=at))[anna]
            assert (found.absent_until, found.deputy_id) == ((NOW + timedelta(days=1), boris) if away else (None, None))


def test_a_pause_ends_by_itself_or_never(engine: Engine) -> None:
    with engine.begin() as connection:
        anna = insert(connection, "owner", name="Anna", paused_until=NOW + timedelta(hours=1))
        boris = insert(connection, "owner", name="Boris", paused_until=FOREVER)
        assert load_availability(connection, NOW)[anna].paused_until == NOW + timedelta(hours=1)
        later = load_availability(connection, NOW + timedelta(hours=1))
        assert later[anna].paused_until is None
        assert later[boris].paused_until == FOREVER


def test_leads_are_counted_where_a_limit_asks_and_today_begins_at_ones_own_midnight(engine: Engine) -> None:
    with engine.begin() as connection:
        source = make_source(connection)
        anna = insert(connection, "owner", name="Anna", max_open=20, max_per_day=5, zone="Asia/Vladivostok")
        boris = insert(connection, "owner", name="Boris", max_per_day=5, zone="Europe/Moscow")
        for number, (owner, given_at) in enumerate(
            [
                (anna, "2026-11-03T13:59:59Z"),  # 23:59:59 of the day before in Vladivostok
                (anna, "2026-11-03T14:00:00Z"),
                (boris, "2026-11-02T21:00:00Z"),  # midnight in Moscow
                (boris, "2026-11-02T20:59:59Z"),
                (boris, "2026-11-03T14:30:01Z"),  # later than the moment that is asked about
            ]
        ):
            lead = make_lead(connection, source, make_contact(connection, f"Client {number}"), owner)
            connection.execute(text("UPDATE assignment SET at = :at WHERE lead_id = :lead"), {"at": given_at, "lead": lead})
        insert(connection, "assignment", lead_id=lead, owner_id=boris, kind="manual", trace="{}", at="2026-11-03T10:00:00Z")
        insert(connection, "assignment", lead_id=lead, owner_id=boris, kind="manual", trace="{}", at="2026-11-03T11:00:00Z")
        found = load_availability(connection, NOW)
    assert (found[anna].open_leads, found[anna].given_today) == (2, 1)
    assert (found[boris].open_leads, found[boris].given_today) == (None, 2)  # a lead that was given twice is one


def test_inactive_owners_are_told_as_such(engine: Engine) -> None:
    with engine.begin() as connection:
        gone = insert(connection, "owner", name="Anna", active=False, languages=["ru", "en"], skills=["doors"])
        found = load_availability(connection)[gone]
    assert (found.active, found.languages, found.skills, found.regions) == (False, ("ru", "en"), ("doors",), ())
