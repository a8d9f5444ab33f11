"""How quickly an owner is decided about, how fairly fifty workers share leads out, and past decisions made again by the rules in force.

The ledger is the hub's own, in PostgreSQL, under the pool's lock; what is measured of fairness is counted from the decisions in the
order of their turns, and not read from the ledger.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import psycopg
from psycopg.rows import dict_row

from bench.stage import Stage
from bench.table import Line, limit
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import connect, make_engine
from crm_core.people.commands import add_owner, add_pool, put_member
from crm_core.routing.commands import activate_version, checked, save_version
from crm_core.routing.config import RoutingConfig, read_config
from crm_core.routing.intake import write_ledgers
from crm_core.routing.queries import read_routing
from crm_core.routing.rules import MemberState, OwnerState, PoolState, RoutingFacts, RoutingState, decide
from crm_core.routing.simulation import Simulation, simulate
from crm_core.routing.stored import stored_facts, stored_owners
from leadhub.embedded import postgres

CLIENTS: Final = 50
EQUAL: Final = (1.0,) * 7
WEIGHTS: Final = (1.0, 1.0, 2.0, 3.0, 5.0, 1.0, 2.0)
_ZONE: Final = ZoneInfo("UTC")
_PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision: who got the lead, of whom."""

    seq: int
    owner: int
    among: tuple[int, ...]  # who could have taken it


@dataclass(frozen=True, slots=True)
class Fairness:
    """Of all moments the worst."""

    leads: int
    spread: int  # most minus fewest leads of anybody
    deviation: float  # of anybody's leads from their share of the leads that they could have taken
    longest: int  # leads one after the other to one person while somebody else could have taken them


def fairness(turns: Sequence[Turn], weights: dict[int, float]) -> Fairness:
    got = dict.fromkeys(weights, 0)
    due = dict.fromkeys(weights, 0.0)
    spread = longest = row = 0
    deviation = 0.0
    last: int | None = None
    for turn in turns:
        total = sum(weights[one] for one in turn.among)
        for one in turn.among:
            due[one] += weights[one] / total
        got[turn.owner] += 1
        spread = max(spread, max(got.values()) - min(got.values()))
        deviation = max(deviation, *(abs(due[one] - got[one]) for one in weights))
        row = 0 if len(turn.among) == 1 else row + 1 if turn.owner == last else 1
        last = turn.owner if row else None
        longest = max(longest, row)
    return Fairness(len(turns), spread, deviation, longest)


def pool_of(config: HubConfig, name: str, weights: Sequence[float]) -> tuple[int, dict[int, float]]:
    """A pool with so many people, and the weight of each by their id."""
    engine = make_engine(config.database_url, "worker", pool_size=1)
    try:
        with engine.begin() as connection:
            pool_id = add_pool(connection, HUB, name)
            people = {add_owner(connection, HUB, f"{name} {n}"): weight for n, weight in enumerate(weights)}
            for owner_id, weight in people.items():
                put_member(connection, HUB, pool_id, owner_id, weight=weight)
    finally:
        engine.dispose()
    return pool_id, people


def share_out(
    config: HubConfig, pool_id: int, leads: int, clients: int = CLIENTS, available: float = 1.0, seed: int = 1
) -> list[Turn]:  # fmt: skip
    """So many leads by so many clients at once, each lead in a transaction of its own. `available`: how likely each of the pool can
    take a lead, anew for each. The turns come in their order."""
    turns: list[Turn] = []
    faults: list[BaseException] = []
    left = iter(range(leads))
    taking = threading.Lock()
    gate = threading.Barrier(clients)

    def work(number: int) -> None:
        chance = random.Random(seed * 1000 + number)
        try:
            with closing(connect(config.database_url, "worker")) as connection:
                connection.row_factory = dict_row  # type: ignore[assignment]
                gate.wait(_PATIENCE_SECONDS)
                while True:
                    with taking:
                        if next(left, None) is None:
                            return
                    turn = _one(connection, pool_id, chance, available)
                    if turn is not None:
                        turns.append(turn)
        except BaseException as error:  # noqa: BLE001 - told by whoever started the threads
            faults.append(error)
            gate.abort()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE_SECONDS)
    if faults:
        raise faults[0]
    return sorted(turns, key=lambda turn: turn.seq)


def _one(connection: psycopg.Connection[Any], pool_id: int, chance: random.Random, available: float) -> Turn | None:
    with connection.transaction(), connection.cursor() as cursor:
        read = read_routing(cursor, {pool_id}, "UTC")
        state, pool = read.state, read.state.pools[pool_id]
        away = {one.owner_id for one in pool.members if chance.random() >= available}
        until = datetime.now(UTC) + timedelta(hours=1)
        owners = {one.id: replace(one, paused_until=until) if one.id in away else one for one in state.owners.values()}
        decision = decide(
            RoutingFacts(pool_id), RoutingState(owners, state.pools, state.default_pool_id, None, state.now), read.config
        )
        write_ledgers(cursor, [one for one in state.pools.values() if one.touched])
        if decision.owner_id is None:
            return None
        among = tuple(int(one["owner"]) for one in decision.trace["candidates"] if "weight" in one)
        return Turn(pool.seq, decision.owner_id, among)


# --- how quickly


def many_rules(pool_id: int, rules: int = 50) -> dict[str, Any]:
    """The last one applies to what `_facts` says."""
    return {
        "rules": [
            {"id": f"r{n}", "name": f"Rule {n}", "priority": n, "then": [{"pool": str(pool_id)}],
             "when": {"all": [{"fact": "utm_campaign", "op": "eq", "value": f"campaign {n}"},
                              {"fact": "phone", "op": "prefix", "value": "+79"},
                              {"not": {"fact": "language", "op": "eq", "value": "en"}}]}}
            for n in range(rules)
        ]
    }  # fmt: skip


def _facts(campaign: int) -> dict[str, Any]:
    return {"utm_campaign": f"Campaign {campaign}", "phone": "+79123456789", "language": "ru", "source": "1", "channel": "form"}


def decisions(config: RoutingConfig, members: int, times: int) -> float:
    """Milliseconds of processor time that one decision takes, the quickest of five rounds: all rules are asked, all members looked at."""
    owners = {n: OwnerState(n, f"Owner {n}", max_open=1_000_000, open_leads=0) for n in range(1, members + 1)}
    pool = PoolState(1, "Pool", members=[MemberState(n, 1 + n % 3) for n in owners])
    state = RoutingState(owners, {1: pool}, 1, None, datetime.now(UTC))
    facts = RoutingFacts(1, lead=_facts(len(config.rules) - 1))
    found = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            decide(facts, state, config)
        found.append((time.process_time() - began) / times)
    return 1000 * min(found)


# --- once more


def decided(config: HubConfig, admin_url: str, leads: int, seed: int = 1) -> Callable[[], tuple[float, Simulation]]:
    """Decisions of the last thirty days, by rules in force over two pools, with people who come and go and strategies that change; what
    is returned makes them again."""
    first, people = pool_of(config, "Doors", WEIGHTS)
    second, more = pool_of(config, "Roofs", EQUAL)
    engine = make_engine(config.database_url, "worker", pool_size=2)
    body = many_rules(first, 20)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        version = save_version(connection, HUB, body, _ZONE)
        activate_version(connection, HUB, version, _ZONE, now)
    with connect(config.database_url, "worker") as asking, asking.cursor(row_factory=dict_row) as cursor:
        owners = read_routing(cursor, {first, second}, None, lock=False).state.owners
    rules = read_config(body, version, _ZONE)
    chance = random.Random(seed)
    pools = {first: PoolState(first, "Doors", members=[MemberState(one, weight) for one, weight in people.items()]),
             second: PoolState(second, "Roofs", members=[MemberState(one, weight) for one, weight in more.items()])}  # fmt: skip
    # Replaying needs no contact and no lead: what they refer to is not looked at.
    with psycopg.connect(admin_url, autocommit=True) as admin, admin.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        with cursor.copy(
            "COPY assignment (lead_id, at, owner_id, pool_id, kind, trace, config_version, facts, actor) FROM STDIN"
        ) as copy:
            for n in range(leads):
                if n % 500 == 0:
                    pools[second].strategy = "least_open" if n // 500 % 2 else "ledger"
                at = now - timedelta(days=29) + n * timedelta(days=29) / leads
                away = {one for one in owners if chance.random() < 0.4}
                there = {
                    one.id: replace(one, paused_until=at + timedelta(hours=1)) if one.id in away else one
                    for one in owners.values()
                }
                state = RoutingState(there, pools, second, None, at)
                facts = RoutingFacts(second, lead=_facts(chance.randrange(40)))
                out = stored_owners(state)
                made = decide(facts, state, rules)
                copy.write_row(
                    (n + 1, at, made.owner_id, made.pool_id, made.kind, orjson.dumps(made.trace).decode(), version,
                     orjson.dumps(stored_facts(facts, out, state)).decode(), "hub")
                )  # fmt: skip

    def again() -> tuple[float, Simulation]:
        with engine.connect() as connection:
            config_now = checked(connection, body, _ZONE)
            began = time.monotonic()
            found = simulate(connection, HUB, config_now, 30, datetime.now(UTC))
            return time.monotonic() - began, found

    return again


def measure(stage: Stage, leads: int, simulated: int) -> list[Line]:
    hub = stage.hub("bench_route")
    lines = [limit("decide() with 50 rules and 40 members", decisions(read_config(many_rules(1)), 40, 500), 0.3, "ms", 3)]
    for what, weights, available, bar, run in (
        ("equal weights", EQUAL, 1.0, 1.0, None), ("weights", WEIGHTS, 1.0, 1.5, None), ("availability switching", EQUAL, 0.6, 2.0, 3),
        ("weights and switching", WEIGHTS, 0.6, 2.0, 3),
    ):  # fmt: skip
        pool_id, people = pool_of(hub.config, what, weights)
        began = time.monotonic()
        found = fairness(share_out(hub.config, pool_id, leads, available=available), people)
        rate = leads / (time.monotonic() - began)
        title = f"{CLIENTS} workers, {leads:,} leads, 7 members, {what}"
        if what == "equal weights":
            lines.append(limit(f"{title}: most minus fewest leads", found.spread, bar, ""))
        else:
            lines.append(limit(f"{title}: farthest from one's share", found.deviation, bar, "leads", 2))
        if run is not None:
            lines.append(limit("the same: longest run to one person", found.longest, run, ""))
        lines.append(Line("the same: leads", f"{rate:,.0f} /s", "", "", "", None))
    again = decided(hub.config, stage.cluster.url(postgres.ADMIN, "bench_route"), simulated)
    seconds, made = again()
    lines.append(limit(f"simulation of 30 days, {made.leads:,} leads", seconds, 30, "s", 1))
    lines.append(
        Line(
            "the same: decisions that come out as they were",
            f"{100 * made.same / made.leads:.2f} %",
            "",
            "",
            "100 %",
            made.same == made.leads == simulated,
        )
    )
    stage.drop("bench_route")
    return lines
