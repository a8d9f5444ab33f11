"""Who gets the lead: sticky first, then the pool's ledger, then the duty person; and how fair the ledger is."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from crm_core.routing.rules import MemberState, OwnerState, PoolState, RoutingFacts, RoutingState, decide

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


def state(owners: list[OwnerState], weights: dict[int, float], duty: int | None = None) -> RoutingState:
    pool = PoolState(1, "Default", members=[MemberState(o, w) for o, w in weights.items()])
    return RoutingState({o.id: o for o in owners}, {1: pool}, 1, duty)


def people(count: int) -> list[OwnerState]:
    return [OwnerState(n, f"Owner {n}") for n in range(1, count + 1)]


def test_sticky_owner_gets_it_when_he_is_there() -> None:
    decision = decide(RoutingFacts(contact_owner_id=2), state(people(3), {1: 1, 2: 1, 3: 1}))
    assert (decision.owner_id, decision.kind, decision.trace["code"]) == (2, "sticky", "owner_of_the_contact")


def test_pool_covers_when_the_sticky_owner_is_absent() -> None:
    owners = [OwnerState(1, "A"), OwnerState(2, "B", absent_until=UNTIL)]
    decision = decide(RoutingFacts(contact_owner_id=2), state(owners, {1: 1, 2: 1}))
    assert (decision.owner_id, decision.kind) == (1, "cover")
    assert decision.trace["covers_for"] == {"owner": "2", "name": "B"}
    absent = next(c for c in decision.trace["candidates"] if c["owner"] == "2")
    assert (absent["verdict"], absent["until"]) == ("absent", "2026-06-01T00:00+00:00")


def test_pool_takes_over_when_the_sticky_owner_has_left() -> None:
    owners = [OwnerState(1, "A"), OwnerState(2, "B", active=False)]
    assert decide(RoutingFacts(contact_owner_id=2), state(owners, {1: 1, 2: 1})).kind == "pool"


def test_duty_person_gets_it_visibly_when_nobody_is_eligible() -> None:
    owners = [OwnerState(1, "A", active=False), OwnerState(9, "Duty")]
    decision = decide(RoutingFacts(), state(owners, {1: 1}, duty=9))
    assert (decision.owner_id, decision.kind, decision.trace["code"]) == (9, "duty", "nobody_eligible_duty_person")


def test_nobody_gets_it_when_there_is_no_duty_person_either() -> None:
    decision = decide(RoutingFacts(), state([], {}))
    assert (decision.owner_id, decision.kind) == (None, "nobody")


@pytest.mark.parametrize("member", [MemberState(1, 0.0), MemberState(1, 1.0, paused=True)])
def test_member_is_skipped_when_paused_or_without_weight(member: MemberState) -> None:
    one = RoutingState({1: OwnerState(1, "A")}, {1: PoolState(1, "P", members=[member])}, 1, None)
    assert decide(RoutingFacts(), one).owner_id is None


def _worst(weights: dict[int, float], leads: int, eligible: object) -> tuple[float, int]:
    """(worst |assigned - entitled| ever seen, longest run to one member)."""
    worst, longest, run, last = 0.0, 0, 0, None
    current = state(people(len(weights)), weights)
    pool = current.pools[1]
    for n in range(leads):
        away = eligible(n)  # type: ignore[operator]
        owners = {o.id: OwnerState(o.id, o.name, active=o.id not in away) for o in current.owners.values()}
        decision = decide(RoutingFacts(), RoutingState(owners, current.pools, 1, None))
        run = run + 1 if decision.owner_id == last else 1
        last, longest = decision.owner_id, max(longest, run)
        worst = max(worst, *(abs(m.entitled - m.assigned) for m in pool.members))
    return worst, longest


def test_every_share_is_within_one_lead_when_weights_are_equal() -> None:
    worst, longest = _worst(dict.fromkeys(range(1, 8), 1.0), 2000, lambda n: ())
    assert worst < 1
    assert longest == 1


def test_every_share_is_within_one_lead_when_weights_differ() -> None:
    worst, _ = _worst(dict(zip(range(1, 8), (1.0, 1, 2, 3, 5, 1, 2), strict=True)), 3000, lambda n: ())
    assert worst < 1


def test_nobody_is_flooded_when_he_returns_from_a_long_absence() -> None:
    worst, longest = _worst(dict.fromkeys(range(1, 8), 1.0), 3000, lambda n: (3,) if 500 <= n < 2500 else ())
    assert worst < 1
    assert longest <= 2


def test_unfairness_stays_bounded_when_availability_is_random() -> None:
    rng = random.Random(7)
    worst, _ = _worst(dict.fromkeys(range(1, 8), 1.0), 3000, lambda n: tuple(o for o in range(1, 8) if rng.random() < 0.4))
    assert worst <= 2


def test_decision_and_trace_are_the_same_when_facts_and_state_are_the_same() -> None:
    one, two = (state(people(5), dict.fromkeys(range(1, 6), 1.0), duty=1) for _ in range(2))
    assert [decide(RoutingFacts(), one) for _ in range(9)] == [decide(RoutingFacts(), two) for _ in range(9)]


def test_fifty_workers_stay_as_fair_as_promised() -> None:
    rng = random.Random(11)
    fifty = range(1, 51)
    equal = state(people(50), dict.fromkeys(fifty, 1.0))
    for _ in range(2000):
        decide(RoutingFacts(), equal)
    counts = [member.assigned for member in equal.pools[1].members]
    assert max(counts) - min(counts) <= 1
    weights = {owner: rng.choice((0.5, 1.0, 1.0, 2.0, 3.0, 5.0)) for owner in fifty}
    worst, longest = _worst(weights, 2000, lambda n: ())
    assert worst < 1.5
    assert longest <= 3
    worst, longest = _worst(weights, 2000, lambda n: tuple(o for o in fifty if random.Random(f"{o} {n // 20}").random() < 0.4))
    assert worst <= 2
    assert longest <= 3


def test_after_three_in_a_row_somebody_else_has_a_turn_and_large_shares_stay_large() -> None:
    def taken(weights: dict[int, float], count: int) -> list[int]:
        given = state(people(len(weights)), weights)
        return [decide(RoutingFacts(), given).owner_id or 0 for _ in range(count)]

    nine = taken({1: 9, 2: 1}, 100)
    farthest = max(abs(nine[:n].count(1) - 0.9 * n) for n in range(1, 101))
    assert farthest < 1.5, "a share is kept: nine of ten are theirs, in a row or not"
    there = state(people(2), {1: 5, 2: 1})
    row = [decide(RoutingFacts(), there).owner_id for _ in range(3)]
    assert row == [1, 1, 2]
    # Alone for a while: the turns say that they had many, and the colleague who comes back owes nothing and is owed nothing.
    alone = state([OwnerState(1, "A"), OwnerState(2, "B", active=False)], {1: 5, 2: 1})
    for _ in range(4):
        decide(RoutingFacts(), alone)
    back = RoutingState({one.id: one for one in people(2)}, alone.pools, 1, None)
    decision = decide(RoutingFacts(), back)
    assert decision.owner_id == 2
    verdicts = {one["owner"]: (one["verdict"], one.get("in_a_row")) for one in decision.trace["candidates"]}
    assert verdicts == {"1": ("several_in_a_row", 4), "2": ("chosen", None)}


def test_new_member_and_new_weight_begin_without_a_flood_or_a_jump() -> None:
    """Identity case 76: neither what was before somebody came, nor what their weight was, is made up for."""
    given = state(people(4), {1: 1, 2: 1, 3: 1})
    pool = given.pools[1]
    for _ in range(300):
        decide(RoutingFacts(), given)
    pool.members.append(MemberState(4, 1))
    taken = [decide(RoutingFacts(), given).owner_id for _ in range(40)]
    assert all(abs(taken[:n].count(4) - n / 4) <= 1 for n in range(1, 41))
    pool.members[0].weight = 3
    taken = [decide(RoutingFacts(), given).owner_id for _ in range(60)]
    assert all(
        abs(taken[:n].count(one) - n * share) <= 1.5 for n in range(1, 61) for one, share in ((1, 0.5), (2, 1 / 6), (4, 1 / 6))
    )
