"""When a client's wait is late, by frozen clocks: nights, weekends, lunch, holidays, changes of the clock; what is done then, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.base.errors import Invalid
from crm_core.base.working_time import Calendar, Shift, SpecialDay
from crm_core.deadlines.rules import (
    LOOK_AGAIN,
    Contact,
    Policy,
    Standing,
    Times,
    after,
    checked,
    choose,
    due_steps,
    lasted,
    look_again,
    times,
    waits,
)

MOSCOW = ZoneInfo("Europe/Moscow")
DAY = (Shift(9 * 60, 18 * 60),)
OFFICE = Calendar(MOSCOW, (DAY,) * 5 + ((), ()), country="RU")
WITH_LUNCH = Calendar(MOSCOW, ((Shift(9 * 60, 13 * 60), Shift(14 * 60, 18 * 60)),) * 5 + ((), ()), country="RU")
NIGHTS = Calendar(ZoneInfo("Europe/Berlin"), ((Shift(22 * 60, 30 * 60),),) * 7)
VLADIVOSTOK = Calendar(ZoneInfo("Asia/Vladivostok"), (DAY,) * 5 + ((), ()), country="RU")
NEVER = Calendar(MOSCOW, ((),) * 7)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


POLICY = Policy(1, minutes(15), minutes(10), minutes(30), minutes(45), max_hops=2)
T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # Tuesday, 11:00 in Moscow


def at(text: str, zone: str = "Europe/Moscow") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("calendar", "received", "amount", "due"),
    [
        pytest.param(OFFICE, "2026-11-24T11:00", 15, "2026-11-24T11:15", id="by day"),
        pytest.param(OFFICE, "2026-11-27T22:00", 30, "2026-11-30T09:30", id="Friday night: counted from the first worked minute"),
        pytest.param(OFFICE, "2026-11-24T17:50", 15, "2026-11-25T09:05", id="over the end of the shift"),
        pytest.param(OFFICE, "2026-11-24T17:45", 15, "2026-11-24T18:00", id="ends with the shift"),
        pytest.param(
            OFFICE, "2026-11-24T18:00", 15, "2026-11-25T09:15", id="the second in which the shift ends is the next one's"
        ),
        pytest.param(WITH_LUNCH, "2026-11-24T12:55", 15, "2026-11-24T14:10", id="lunch does not count"),
        pytest.param(WITH_LUNCH, "2026-11-24T13:20", 15, "2026-11-24T14:15", id="received at lunch"),
        pytest.param(OFFICE, "2026-12-30T15:00", 18 * 60, "2027-01-12T15:00", id="the New Year's holidays"),
        pytest.param(OFFICE, "2025-10-31T15:00", 18 * 60, "2025-11-05T15:00", id="a worked Saturday and a transferred Monday"),
        pytest.param(NEVER, "2026-11-24T11:00", 15, "2026-11-24T11:15", id="a calendar that never works promises nothing"),
        pytest.param(None, "2026-11-28T03:00", 15, "2026-11-28T03:15", id="no hours were set: always"),
    ],
)
def test_due_moment_is_counted_in_working_time(calendar: Calendar | None, received: str, amount: float, due: str) -> None:
    assert after(calendar, at(received), minutes(amount)) == at(due)


def test_last_second_of_the_year_for_a_colleague_in_vladivostok() -> None:  # identity case 86
    """31 December 2026 is off by transfer: what comes in Moscow's day then is due in Vladivostok's first shift of January."""
    assert after(VLADIVOSTOK, at("2026-12-31T18:00"), minutes(15)) == at("2027-01-11T09:15", "Asia/Vladivostok")
    assert after(VLADIVOSTOK, at("2026-11-27T11:00"), minutes(15)) == at("2026-11-30T09:15", "Asia/Vladivostok")


@pytest.mark.parametrize(
    ("start", "due", "wall_hours"),
    [
        pytest.param("2026-03-28T22:00", "2026-03-29T05:00", 6, id="spring: the hour that is not there is not counted"),
        pytest.param("2026-10-24T22:00", "2026-10-25T03:00", 6, id="autumn: the hour that is there twice is counted twice"),
    ],
)
def test_night_in_which_the_clock_is_changed_neither_doubles_nor_skips(
    start: str, due: str, wall_hours: float
) -> None:  # case 87
    begin = at(start, "Europe/Berlin")
    found = after(NIGHTS, begin, timedelta(hours=6))
    assert found == at(due, "Europe/Berlin")
    assert found - begin.astimezone(UTC) == timedelta(hours=wall_hours)
    assert lasted(NIGHTS, begin, found) == timedelta(hours=6)


def test_special_day_of_the_administrator_wins_over_the_package() -> None:
    known = replace(OFFICE, special={date(2026, 11, 3): SpecialDay("short")})
    assert after(OFFICE, at("2026-11-03T16:30"), minutes(60)) == at("2026-11-03T17:30")
    assert after(known, at("2026-11-03T16:30"), minutes(60)) == at("2026-11-05T09:30")


def step(standing: Standing, now: datetime, policy: Policy = POLICY, held: datetime | None = T0) -> list[str]:
    return list(due_steps(policy, standing, times(policy, OFFICE, standing, held), now))


def test_steps_come_in_their_order_and_none_is_done_twice() -> None:
    fresh = Standing(T0)
    assert step(fresh, T0 + minutes(9.9)) == []
    assert step(fresh, T0 + minutes(10)) == ["warn"]
    warned = replace(fresh, warned_at=T0 + minutes(10))
    assert step(warned, T0 + minutes(14)) == []
    assert step(warned, T0 + minutes(15)) == ["breach"]
    late = replace(warned, breached_at=T0 + minutes(15), due_at=T0 + minutes(15))
    assert step(late, T0 + minutes(29)) == []
    assert step(late, T0 + minutes(30)) == ["escalate"]
    told = replace(late, escalated_at=T0 + minutes(30))
    assert step(told, T0 + minutes(44)) == []
    assert step(told, T0 + minutes(45)) == ["reassign"]
    assert step(replace(told, hops=2), T0 + minutes(45)) == ["head"]
    assert step(replace(told, hops=2, gave_up_at=T0 + minutes(46)), T0 + minutes(500)) == []


def test_what_nobody_looked_at_in_time_is_done_at_once_and_nobody_is_warned_of_what_is_over() -> None:
    assert step(Standing(T0), T0 + minutes(60)) == ["breach", "escalate", "reassign"]


def test_whoever_was_just_given_a_late_lead_has_their_whole_time() -> None:
    late = Standing(T0, breached_at=T0 + minutes(15), due_at=T0 + minutes(15), escalated_at=T0 + minutes(30))
    given = T0 + minutes(50)
    assert step(late, T0 + minutes(94), held=given) == []
    assert step(late, T0 + minutes(95), held=given) == ["reassign"]
    assert step(late, T0 + minutes(500), held=None) == [], "what nobody has is taken from nobody"


def test_changed_calendar_moves_what_is_due_and_what_was_late_stays_late() -> None:
    sunday = at("2026-11-29T12:00")
    fresh = Standing(sunday)
    assert times(POLICY, OFFICE, fresh, sunday).due_at == at("2026-11-30T09:15")
    assert times(POLICY, None, fresh, sunday).due_at == at("2026-11-29T12:15")
    late = replace(fresh, breached_at=at("2026-11-29T12:16"), due_at=at("2026-11-29T12:15"))
    assert times(POLICY, OFFICE, late, sunday).due_at == at("2026-11-29T12:15")


def test_policy_of_the_source_and_pool_counts_before_that_of_all() -> None:
    every, site, doors, both = (
        Policy(1, minutes(60)), Policy(2, minutes(30), source_id=7), Policy(3, minutes(20), pool_id=9),
        Policy(4, minutes(10), source_id=7, pool_id=9),
    )  # fmt: skip
    for order in permutations((every, site, doors, both)):
        assert choose(order, 7, 9) is both
        assert choose(order, 7, None) is site
        assert choose(order, 8, 9) is doors
        assert choose(order, 8, 8) is every
    assert choose([site], 8, None) is None


def test_client_waits_since_the_first_inquiry_and_again_since_the_first_after_the_answer() -> None:
    inquiries = [T0, T0 + minutes(5), T0 + minutes(40), T0 + minutes(41)]
    talk = Contact(T0 + minutes(20), "call", 3)
    for order in permutations(inquiries):
        found = waits(order, [talk])
        assert [(one.started_at, one.answer) for one in found] == [(T0, talk), (T0 + minutes(40), None)]


def test_talk_before_the_inquiry_answers_nothing() -> None:
    [found] = waits([T0], [Contact(T0 - minutes(1), "call")])
    assert found.answer is None


_MOMENTS = st.lists(st.integers(0, 500), max_size=8).map(lambda found: [T0 + minutes(one) for one in found])


@given(_MOMENTS, _MOMENTS)
def test_waits_never_overlap_and_every_inquiry_lies_in_one(inquiries: list[datetime], talks: list[datetime]) -> None:
    found = waits(inquiries, [Contact(one, "call") for one in talks])
    ends = [one.answer.at if one.answer is not None else datetime.max.replace(tzinfo=UTC) for one in found]
    for one, end in zip(found, ends, strict=True):
        assert one.started_at <= end
    assert all(end < later.started_at for end, later in zip(ends, found[1:], strict=False))
    assert all(any(one.started_at <= at_ <= end for one, end in zip(found, ends, strict=True)) for at_ in inquiries)


@given(st.integers(0, 6000), st.integers(0, 3), st.booleans())
def test_next_look_comes_when_something_is_due_or_may_have_changed(after_minutes: int, hops: int, late: bool) -> None:
    now = T0 + minutes(after_minutes)
    standing = Standing(T0, hops=hops, breached_at=now if late else None, due_at=T0 + minutes(15) if late else None)
    due = times(POLICY, OFFICE, standing, T0)
    found = look_again(standing, due, now)
    assert now < found <= now + timedelta(minutes=15)
    fresh = Standing(now)
    assert look_again(fresh, Times(None, now + minutes(0.5), None, None), now) == now + minutes(0.5)
    assert look_again(fresh, Times(None, now + minutes(90), None, None), now) == now + LOOK_AGAIN


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ((10, 15, 30, 45, 3), ""),
        ((None, 0.1, None, None, 0), ""),
        ((15, 15, None, None, 3), "warn_after_breach"),
        ((None, 15, 10, None, 3), "step_before_breach"),
        ((None, 15, None, 10, 3), "step_before_breach"),
        ((None, 0, None, None, 3), "minutes_out_of_range"),
        ((None, float("nan"), None, None, 3), "minutes_out_of_range"),
        ((None, 1e9, None, None, 3), "minutes_out_of_range"),
        ((None, 15, None, None, 99), "hops_out_of_range"),
        ((None, 15, None, None, -1), "hops_out_of_range"),
    ],
)
def test_minutes_that_mean_nothing_are_refused(
    values: tuple[float | None, float, float | None, float | None, int], code: str
) -> None:
    if not code:
        checked(*values)
        return
    with pytest.raises(Invalid) as refused:
        checked(*values)
    assert refused.value.code == code
