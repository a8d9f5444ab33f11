"""One lead or a new one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_core.batch.windows import DEFAULT, Windows
from crm_core.leads.rules import decide_lead, is_one_occasion

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "state, touched_days_ago, closed_days_ago, action, why",
    [
        (None, None, None, "create", "first_inquiry"),
        ("open", 29, None, "touch", "open_lead"),
        ("open", 31, None, "touch", "open_lead_reactivated"),
        ("lost", 100, 89, "repeat", "after_lost"),
        ("lost", 100, 91, "create", "lost_long_ago"),
        ("won", 400, 400, "repeat", "after_won"),
        ("closed", 5, 5, "repeat", "after_closed"),
        ("spam", 5, 5, "touch", "more_of_spam"),
    ],
)
def test_decision_follows_the_latest_lead_when_an_inquiry_comes(
    state: str | None, touched_days_ago: int | None, closed_days_ago: int | None, action: str, why: str
) -> None:
    def ago(days: int | None) -> datetime | None:
        return None if days is None else NOW - timedelta(days=days)

    verdict = decide_lead(state, ago(touched_days_ago), ago(closed_days_ago), NOW, DEFAULT)
    assert (verdict.action, verdict.why) == (action, why)


def test_spam_is_lifted_by_another_way_of_coming() -> None:
    assert decide_lead("spam", NOW, NOW, NOW, is_other_way=True).action == "create"


def test_windows_of_a_source_decide_when_it_has_its_own() -> None:
    own = Windows(lost=timedelta(days=10), asleep=timedelta(days=5))
    closed = NOW - timedelta(days=11)
    assert decide_lead("lost", closed, closed, NOW, own).action == "create"
    assert decide_lead("lost", closed, closed, NOW, DEFAULT).action == "repeat"
    again = Windows(reopen=timedelta(days=11))
    assert decide_lead("lost", closed, closed, NOW, again).action == "reopen"
    assert decide_lead("lost", closed, closed - timedelta(seconds=1), NOW, again).action == "repeat"
    assert decide_lead("won", closed, closed, NOW, again).action == "repeat", "who bought wants something else"
    assert decide_lead("open", NOW - timedelta(days=6), None, NOW, own).why == "open_lead_reactivated"


@pytest.mark.parametrize(
    "line, other, minutes, is_one",
    [
        ("", "windows", 14, True),
        ("windows", "", -14, True),  # told in another order
        ("", "windows", 16, False),
        ("doors", "windows", 1, False),  # two wishes
    ],
)
def test_inquiries_are_one_occasion_when_they_come_together_and_one_names_no_line(
    line: str, other: str, minutes: int, is_one: bool
) -> None:
    assert is_one_occasion(line, other, NOW, NOW - timedelta(minutes=minutes), DEFAULT) is is_one
