"""How fairly a pool shares: what each member is owed and was given, who is left out now and why, the longest run to one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, Literal

from sqlalchemy import Connection, select

from crm_core.base.errors import NotFound
from crm_core.base.paging import AnyRow
from crm_core.base.values import Named
from crm_core.people.availability import Availability, load_availability
from crm_core.people.models import Assignment, Owner, Pool, PoolMember

#: How many of the last decisions are looked through for runs.
LAST_PICKS: Final = 500

LeftOut = Literal["inactive", "absent", "paused", "paused_in_pool", "weight_0", "off_shift", "max_open", "max_per_day"]


@dataclass(frozen=True, slots=True)
class LedgerMember:
    owner: Named
    weight: float
    paused: bool
    entitled: float
    assigned: int
    deficit: float  # what they are owed; the largest gets the next lead
    left_out: LeftOut | None  # None: they can get the next lead


@dataclass(frozen=True, slots=True)
class PoolLedger:
    id: int
    name: str
    default: bool
    picks: int
    strategy: str  # see crm_core.people.rules.STRATEGIES
    members: list[LedgerMember]  # whoever is owed most first
    next: Named | None
    #: Jain's index of what was given by what was owed: 1 is perfectly fair, 1/n one person got all. None before the first pick.
    fairness: float | None
    longest_run: int  # leads in a row to one person, among the last 500
    longest_run_owner: Named | None


def left_out(one: Availability, weight: float, paused: bool) -> LeftOut | None:
    """The first reason for which a pool passes somebody over, or None."""
    reasons: tuple[tuple[LeftOut, bool], ...] = (
        ("inactive", not one.active),
        ("absent", one.absent_until is not None),
        ("paused", one.paused_until is not None),
        ("paused_in_pool", paused),
        ("weight_0", weight <= 0),
        ("off_shift", not one.on_shift),
        ("max_open", one.max_open is not None and (one.open_leads or 0) >= one.max_open),
        ("max_per_day", one.max_per_day is not None and (one.given_today or 0) >= one.max_per_day),
    )
    return next((reason for reason, holds in reasons if holds), None)


def fairness(given_by_owed: list[float]) -> float | None:
    """Jain, Chiu and Hawe (1984): the square of the sum over n times the sum of squares."""
    squares = sum(one * one for one in given_by_owed)
    return sum(given_by_owed) ** 2 / (len(given_by_owed) * squares) if squares else None


def pool_ledgers(connection: Connection, now: datetime, pool_id: int | None = None) -> list[PoolLedger]:
    """All pools, the default one first; or only one."""
    there = load_availability(connection, now)
    statement = select(Pool.id, Pool.name, Pool.is_default, Pool.seq, Pool.strategy).order_by(Pool.is_default.desc(), Pool.id)
    if pool_id is not None:
        statement = statement.where(Pool.id == pool_id)
    return [_ledger(connection, row, there) for row in connection.execute(statement).all()]


def pool_ledger(connection: Connection, now: datetime, pool_id: int) -> PoolLedger:
    found = pool_ledgers(connection, now, pool_id)
    if not found:
        raise NotFound("pool_unknown", f"There is no pool {pool_id}.")
    return found[0]


def _ledger(connection: Connection, pool: AnyRow, there: dict[int, Availability]) -> PoolLedger:
    rows = connection.execute(
        select(PoolMember.owner_id, Owner.name, PoolMember.weight, PoolMember.paused, PoolMember.entitled, PoolMember.assigned)
        .join(Owner, Owner.id == PoolMember.owner_id)
        .where(PoolMember.pool_id == pool.id)
        .order_by(PoolMember.assigned - PoolMember.entitled, PoolMember.last_seq, PoolMember.owner_id)
    ).all()
    members = [
        LedgerMember(
            Named(row.owner_id, row.name), row.weight, row.paused, round(row.entitled, 6), row.assigned,
            round(row.entitled - row.assigned, 6), left_out(there[row.owner_id], row.weight, row.paused),
        )
        for row in rows
    ]  # fmt: skip
    # Whoever was owed less than a whole lead so far says nothing of fairness yet.
    fair = fairness([one.assigned / one.entitled for one in members if one.entitled >= 1])
    longest, owner_id = _longest_run(connection, pool.id)
    names = {one.owner.id: one.owner for one in members}
    return PoolLedger(
        pool.id, pool.name, pool.is_default, pool.seq, pool.strategy, members,
        next((one.owner for one in members if one.left_out is None), None),
        None if fair is None else round(fair, 4), longest, names.get(owner_id) if owner_id is not None else None,
    )  # fmt: skip


def _longest_run(connection: Connection, pool_id: int) -> tuple[int, int | None]:
    given = connection.execute(
        select(Assignment.owner_id)
        .where(Assignment.pool_id == pool_id, Assignment.kind.in_(("pool", "cover")))
        .order_by(Assignment.id.desc())
        .limit(LAST_PICKS)
    ).scalars()
    runs = [(len(list(run)), owner_id) for owner_id, run in groupby(given)]
    return max(runs, key=lambda run: run[0], default=(0, None))
