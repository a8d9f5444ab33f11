"""The dashboard of a pool: who is owed, who is left out and why, how fair it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from factories.calendar import make_calendar
from factories.contact import make_contact
from factories.lead import make_lead
from factories.rows import insert
from factories.source import make_source
from sqlalchemy import Engine

from crm_core.people.pool_ledger import fairness, pool_ledger

NOW = datetime(2026, 11, 3, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(("given", "index"), [([1, 1, 1], 1.0), ([1, 0, 0], 1 / 3), ([2, 1], 0.9), ([], None), ([0, 0], None)])
def test_fairness_is_jains_index(given: list[float], index: float | None) -> None:
    assert fairness(given) == (None if index is None else pytest.approx(index))


def test_each_member_is_left_out_for_the_first_reason_that_holds(engine: Engine) -> None:
    with engine.begin() as connection:
        pool = insert(connection, "pool", name="Doors")
        closed = make_calendar(connection, week='{"sun": [["09:00", "18:00"]]}')
        source = make_source(connection)
        people = {
            "gone": {"active": False}, "away": {}, "pausing": {"paused_until": NOW + timedelta(hours=1)}, "left": {}, "nothing": {},
            "home": {"calendar_id": closed}, "full": {"max_open": 1}, "done": {"max_per_day": 1}, "here": {},
        }  # fmt: skip
        ids = {name: insert(connection, "owner", name=name, **values) for name, values in people.items()}
        insert(connection, "absence", owner_id=ids["away"], from_at=NOW, until_at=NOW + timedelta(days=1))
        for name in ("full", "done"):
            make_lead(connection, source, make_contact(connection, name), ids[name])
        connection.exec_driver_sql("UPDATE assignment SET at = '2026-11-03T10:00:00Z'")
        for name, owner_id in ids.items():
            insert(connection, "pool_member", key="pool_id", pool_id=pool, owner_id=owner_id, paused=name == "left",
                   weight=0 if name == "nothing" else 1)  # fmt: skip
        told = pool_ledger(connection, NOW, pool)
    assert {one.owner.name: one.left_out for one in told.members} == {
        "gone": "inactive", "away": "absent", "pausing": "paused", "left": "paused_in_pool", "nothing": "weight_0",
        "home": "off_shift", "full": "max_open", "done": "max_per_day", "here": None,
    }  # fmt: skip
    assert told.next is not None
    assert told.next.name == "here"
    assert (told.fairness, told.longest_run, told.longest_run_owner) == (None, 0, None)


def test_runs_are_those_of_the_pool_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        pool = insert(connection, "pool", name="Doors")
        source = make_source(connection)
        anna, boris = (insert(connection, "owner", name=name) for name in ("Anna", "Boris"))
        for owner_id, entitled, assigned in ((anna, 4.0, 4), (boris, 4.0, 2)):
            insert(
                connection, "pool_member", key="pool_id", pool_id=pool, owner_id=owner_id, entitled=entitled, assigned=assigned
            )
        lead = make_lead(connection, source, make_contact(connection), anna)
        for owner_id, kind in (
            (anna, "pool"),
            (boris, "pool"),
            (anna, "cover"),
            (anna, "pool"),
            (boris, "manual"),
            (anna, "pool"),
        ):
            insert(connection, "assignment", lead_id=lead, owner_id=owner_id, pool_id=pool, kind=kind, trace="{}")
        told = pool_ledger(connection, NOW, pool)
    assert (told.longest_run, told.longest_run_owner and told.longest_run_owner.name) == (3, "Anna")
    assert [(one.owner.name, one.deficit) for one in told.members] == [("Boris", 2.0), ("Anna", 0.0)]
    assert told.fairness == pytest.approx(0.9)
