"""Silence longer than chance: nights and week-ends are known, little traffic and a first week are not judged."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ingest.watch.silence import KEPT_DAYS, expected, note, silent_since

ZONE = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 10, 26, tzinfo=ZONE)


def _office(days: int, per_hour: int = 1) -> dict[str, Any]:
    """Inquiries each working hour (9 to 18) of working days."""
    profile: dict[str, Any] = {}
    for day in range(days):
        at = MONDAY + timedelta(days=day)
        if at.weekday() < 5:
            for hour in range(9, 18):
                for n in range(per_hour):
                    note(profile, at + timedelta(hours=hour, minutes=5 + n), ZONE)
    return profile


def _silent(profile: dict[str, Any], last: datetime, now: datetime) -> bool:
    return silent_since(profile, last.astimezone(UTC), now.astimezone(UTC), ZONE) is not None


def test_expected_follows_weekday_and_hour() -> None:
    days = _office(28)["days"]
    tuesday = MONDAY + timedelta(days=29)
    assert expected(days, tuesday + timedelta(hours=9), tuesday + timedelta(hours=18)) == 9
    assert expected(days, tuesday + timedelta(hours=9, minutes=30), tuesday + timedelta(hours=11)) == 1.5
    assert expected(days, tuesday, tuesday + timedelta(hours=9)) == 0
    saturday = MONDAY + timedelta(days=33)
    assert expected(days, saturday, saturday + timedelta(days=2)) == 0


def test_night_and_week_end_are_no_silence_and_a_working_day_is() -> None:
    profile = _office(26)  # up to Friday
    last = MONDAY + timedelta(days=25, hours=17, minutes=30)
    assert not _silent(profile, last, MONDAY + timedelta(days=26, hours=12))
    monday = MONDAY + timedelta(days=28)
    assert not _silent(profile, last, monday + timedelta(hours=10))
    assert not _silent(profile, last, monday + timedelta(hours=14))
    assert _silent(profile, last, monday + timedelta(hours=17, minutes=30))


def test_busier_source_is_missed_sooner() -> None:
    profile = _office(26, per_hour=10)
    last = MONDAY + timedelta(days=25, hours=11)
    assert not _silent(profile, last, last + timedelta(minutes=59))  # an hour at least
    assert _silent(profile, last, last + timedelta(hours=1, minutes=1))


def test_first_week_and_few_inquiries_are_not_judged() -> None:
    early = _office(5, per_hour=5)
    assert not _silent(early, MONDAY + timedelta(days=4, hours=17), MONDAY + timedelta(days=40))
    rare: dict[str, Any] = {}
    for n in range(19):
        note(rare, MONDAY + timedelta(days=n, hours=12), ZONE)
    assert not _silent(rare, MONDAY + timedelta(days=18, hours=12), MONDAY + timedelta(days=30))
    assert not _silent({}, MONDAY, MONDAY + timedelta(days=300))


def test_one_busy_day_of_a_campaign_promises_nothing_for_the_next_week() -> None:
    profile: dict[str, Any] = {}
    for day in range(21):
        note(profile, MONDAY + timedelta(days=day, hours=12), ZONE)
    for minute in range(300):
        note(profile, MONDAY + timedelta(days=15, hours=10, minutes=minute), ZONE)
    tuesday = MONDAY + timedelta(days=22)
    assert not _silent(profile, MONDAY + timedelta(days=21, hours=12), tuesday + timedelta(hours=18))


def test_longest_history_is_four_weeks() -> None:
    profile = _office(80)
    assert len(profile["days"]) <= KEPT_DAYS
    assert min(profile["days"]) >= (MONDAY + timedelta(days=79 - KEPT_DAYS)).date().isoformat()


def test_chance_alone_raises_hardly_any_alarm() -> None:
    """A year of a source with ten inquiries a day, looked at each hour: at most a few false alarms, the rule's own rate."""
    dice = random.Random(7)
    profile: dict[str, Any] = {}
    last, alarms, was_silent = MONDAY, 0, False
    for hour in range(365 * 24):
        now = MONDAY + timedelta(hours=hour)
        if was_silent is False and _silent(profile, last, now):
            alarms, was_silent = alarms + 1, True
        if dice.random() < 10 / 24:
            last, was_silent = now + timedelta(minutes=dice.randrange(60)), False
            note(profile, last, ZONE)
    assert alarms <= 8
