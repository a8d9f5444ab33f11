"""One lead or a new one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_core.leads.rules import decide_lead

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
        ("spam", 5, 5, "create", "after_spam"),
    ],
)
def test_decision_follows_the_latest_lead_when_an_inquiry_comes(
    state: str | None, touched_days_ago: int | None, closed_days_ago: int | None, action: str, why: str
) -> None:
    def ago(days: int | None) -> datetime | None:
        return None if days is None else NOW - timedelta(days=days)

    verdict = decide_lead(state, ago(touched_days_ago), ago(closed_days_ago), NOW)
    assert (verdict.action, verdict.why) == (action, why)
