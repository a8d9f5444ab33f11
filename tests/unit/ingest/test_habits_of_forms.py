"""What a form is used to send, and when that has clearly changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.mapping.field_profile import FADE_AT, GONE_AFTER, MOST_FORMS, Notice, Seen, is_known, learn

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def _seen(
    n: int = 0,
    *,
    contact: bool = True,
    unmapped: tuple[str, ...] = ("city",),
    form: str = "order",
    filled: tuple[str, ...] = ("name",),
) -> Seen:
    return Seen(form, START + timedelta(minutes=n), n + 1, contact, frozenset(unmapped), frozenset(filled))


def _all(profile: dict[str, Any], inquiries: list[Seen]) -> list[Notice]:
    return [notice for seen in inquiries for notice in learn(profile, seen)]


def test_form_is_known_after_twenty_inquiries_or_a_day() -> None:
    profile: dict[str, Any] = {}
    assert not is_known(profile, _seen())
    _all(profile, [_seen(n) for n in range(19)])
    assert not is_known(profile, _seen(19))
    assert is_known(profile, _seen(2 * 24 * 60))
    learn(profile, _seen(19))
    assert is_known(profile, _seen(20))
    assert not is_known(profile, _seen(20, form="another"))


def test_contacts_are_missed_once_and_well_again_once() -> None:
    profile: dict[str, Any] = {}
    assert _all(profile, [_seen(n) for n in range(60)]) == []
    notices = _all(profile, [_seen(100 + n, contact=False) for n in range(40)])
    assert [(one.code, one.over, one.form) for one in notices] == [("contacts_missing", False, "order")]
    assert notices[0].data == {"usual_percent": 100, "now_percent": 45, "of_last": 20}
    notices = _all(profile, [_seen(200 + n) for n in range(40)])
    assert [(one.code, one.over) for one in notices] == [("contacts_missing", True)]


def test_contacts_are_not_missed_where_few_ever_left_one() -> None:
    profile: dict[str, Any] = {}
    assert _all(profile, [_seen(n, contact=n % 10 < 6) for n in range(200)]) == []
    assert _all(profile, [_seen(300 + n, contact=False) for n in range(60)]) == []


def test_some_inquiries_without_a_contact_are_no_alarm() -> None:
    profile: dict[str, Any] = {}
    _all(profile, [_seen(n) for n in range(60)])
    assert _all(profile, [_seen(100 + n, contact=n % 2 == 0) for n in range(100)]) == []  # half is not below half


def test_contacts_are_not_judged_before_a_habit_is_known() -> None:
    profile: dict[str, Any] = {}
    _all(profile, [_seen(n) for n in range(15)])
    assert _all(profile, [_seen(100 + n, contact=False) for n in range(20)]) == []


def test_field_that_was_always_there_is_missed_and_found_again() -> None:
    profile: dict[str, Any] = {}
    assert _all(profile, [_seen(n, unmapped=("city", "size")) for n in range(50)]) == []
    assert _all(profile, [_seen(100 + n) for n in range(GONE_AFTER - 1)]) == []
    [gone] = learn(profile, _seen(200))
    assert (gone.code, gone.form, gone.field, gone.over, gone.data) == (
        "field_gone",
        "order",
        "size",
        False,
        {"missing_in_last": 10},
    )
    assert _all(profile, [_seen(300 + n) for n in range(30)]) == []
    [found] = learn(profile, _seen(400, unmapped=("city", "size")))
    assert (found.field, found.over) == ("size", True)


def test_mapped_slot_that_vanishes_is_missed_as_well() -> None:
    profile: dict[str, Any] = {}
    _all(profile, [_seen(n, filled=("name", "phone")) for n in range(50)])
    notices = _all(profile, [_seen(100 + n, filled=("name",)) for n in range(20)])
    assert [(one.code, one.field) for one in notices] == [("field_gone", "phone")]


def test_field_that_is_often_left_out_is_never_missed() -> None:
    profile: dict[str, Any] = {}
    _all(profile, [_seen(n, unmapped=("city", "promo") if n % 3 else ("city",)) for n in range(150)])
    assert _all(profile, [_seen(200 + n) for n in range(60)]) == []


def test_profile_stays_small_whatever_a_robot_invents() -> None:
    profile: dict[str, Any] = {}
    for n in range(3 * FADE_AT):
        learn(profile, _seen(n, unmapped=tuple(f"f{n}_{k}" for k in range(5)), form=f"form{n % (2 * MOST_FORMS)}"))
    assert len(profile["forms"]) == MOST_FORMS
    assert max(len(form["fields"]["hits"]) for form in profile["forms"].values()) <= 100
