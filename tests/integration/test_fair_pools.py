"""How fairly workers share leads out at once, counted from the decisions in the order of their turns; and the benchmark of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from case_hub import at_once
from desk import Desk
from sqlalchemy import Engine

from bench.routing import EQUAL, WEIGHTS, Turn, fairness, pool_of, share_out
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.routing.commands import activate_version, checked, save_version
from crm_core.routing.simulation import simulate
from ingest.processing.process import Processor

ZONE = ZoneInfo("UTC")


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine, owners=())
    yield built
    built.close()


def test_what_is_counted_is_what_was_given() -> None:
    turns = [Turn(n, owner, (1, 2)) for n, owner in enumerate((1, 1, 1, 2), 1)] + [Turn(5, 1, (1,)), Turn(6, 1, (1, 2))]
    found = fairness(turns, {1: 1.0, 2: 1.0})
    assert (found.leads, found.spread, found.deviation, found.longest) == (6, 4, 1.5, 3)


@pytest.mark.parametrize(
    ("weights", "available", "farthest", "longest"),
    [(EQUAL, 1.0, 1.0, 1), (WEIGHTS, 1.0, 1.5, 2), (EQUAL, 0.6, 2.0, 3), (WEIGHTS, 0.6, 2.0, 3)],
    ids=["equal", "weights", "switching", "weights and switching"],
)
def test_pool_is_fair_at_every_moment_under_many_workers(
    desk: Desk, weights: tuple[float, ...], available: float, farthest: float, longest: int
) -> None:
    """Cases 73, 74: small; `leadhub bench route` does it with fifty workers and ten thousand leads."""
    pool_id, people = pool_of(desk.config, "Doors", weights)
    turns = share_out(desk.config, pool_id, 700, clients=16, available=available)
    assert [turn.seq for turn in turns] == list(range(1, len(turns) + 1)), "no turn was lost or taken twice"
    found = fairness(turns, people)
    assert found.deviation <= farthest
    assert found.longest <= longest
    if weights is EQUAL and available == 1.0:
        assert found.spread <= 1


def test_sixteen_workers_share_out_to_seven_within_one_lead(desk: Desk) -> None:
    """Case 73, through the journal: each worker takes small batches of its own."""
    pool_id, people = pool_of(desk.config, "Doors", EQUAL)
    desk.connection.execute("UPDATE source SET pool_id = %s", (pool_id,))
    for n in range(480):
        desk.form(name=f"Клиент {n}", email=f"client{n}@example.com")

    def work(_: int) -> int:
        with closing(Processor(replace(desk.config, batch_size=5))) as processor:
            return processor.drain("form", budget_seconds=300).finished

    assert sum(at_once(16, work)) == 480
    rows = desk.rows("SELECT owner_id, count(*) AS n FROM lead GROUP BY owner_id")
    given = {row["owner_id"]: row["n"] for row in rows}
    assert given.keys() == people.keys()
    assert max(given.values()) - min(given.values()) <= 1
    ledger = desk.rows("SELECT owner_id, assigned FROM pool_member WHERE pool_id = %s", pool_id)
    assert {row["owner_id"]: row["assigned"] for row in ledger} == given
    assert desk.one("SELECT count(*) FROM assignment") == 480


def test_simulation_makes_turns_after_a_row_again(desk: Desk) -> None:
    """Somebody of great weight has had several in a row while others came and went: who got the next stands in the trace."""
    pool_id, people = pool_of(desk.config, "Doors", (5.0, 1.0, 2.0, 1.0))
    desk.connection.execute("UPDATE source SET pool_id = %s", (pool_id,))
    chance = random.Random(3)
    for n in range(240):
        away = [one for one in people if chance.random() < 0.4]
        desk.connection.execute(
            "UPDATE owner SET paused_until = CASE WHEN id = ANY(%s) THEN now() + interval '1 day' END", (away,)
        )
        desk.form(name=f"Клиент {n}", email=f"client{n}@example.com")
        desk.drain("form")
    told = desk.one("SELECT count(*) FROM assignment WHERE trace::text LIKE '%%several_in_a_row%%'")
    assert told > 0, "it happened"
    body = {"rules": [], "settings": {}}
    with desk.engine.begin() as connection:
        version = save_version(connection, HUB, body, ZONE)
        activate_version(connection, HUB, version, ZONE, datetime.now(UTC))
        found = simulate(connection, HUB, checked(connection, body, ZONE), 30, datetime.now(UTC))
    assert (found.leads, found.same) == (240, 240)
