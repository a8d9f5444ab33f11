"""Who owns a new lead: sticky owner, else the pool's entitlement ledger, else the duty person. Pure.

The ledger is the "carpool" rule: every lead credits each member who could take it with his share of the weight; the
largest deficit gets it. Whoever is absent earns nothing, so he is neither punished nor flooded when he returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

AssignmentKind = Literal["sticky", "pool", "cover", "duty", "nobody", "manual", "answered"]


@dataclass(frozen=True, slots=True)
class OwnerState:
    id: int
    name: str
    extension: str = ""
    active: bool = True
    absent_until: datetime | None = None  # None: present

    def excluded(self) -> str | None:
        """Why he cannot take a lead now, or None."""
        if not self.active:
            return "inactive"
        if self.absent_until is not None:
            return f"absent until {self.absent_until.isoformat(timespec='minutes')}"
        return None


@dataclass(slots=True)
class MemberState:
    """One row of a pool's ledger. The only mutable part of routing: a pick moves it."""

    owner_id: int
    weight: float = 1.0
    entitled: float = 0.0
    assigned: int = 0
    last_seq: int = 0
    paused: bool = False


@dataclass(slots=True)
class PoolState:
    id: int
    name: str
    seq: int = 0
    members: list[MemberState] = field(default_factory=list)
    touched: bool = False  # a pick moved it, it must be written back


@dataclass(frozen=True, slots=True)
class RoutingState:
    """All that a decision may look at. Owners by id; pools by id."""

    owners: Mapping[int, OwnerState]
    pools: Mapping[int, PoolState]
    default_pool_id: int
    duty_id: int | None


@dataclass(frozen=True, slots=True)
class RoutingFacts:
    pool_id: int | None = None  # the source's pool; None: the default
    lead_owner_id: int | None = None  # owner of an earlier lead of this contact
    contact_owner_id: int | None = None
    answered_by_id: int | None = None  # who talked to the caller


@dataclass(frozen=True, slots=True)
class Decision:
    owner_id: int | None
    pool_id: int | None
    kind: AssignmentKind
    trace: dict[str, Any]  # {"code","steps":[…],"candidates":[{"owner","name","verdict",…}]}


def decide(facts: RoutingFacts, state: RoutingState) -> Decision:
    """Decides, and moves the pool's ledger if the pool was asked. Same facts and state give the same decision and trace."""
    steps: list[dict[str, Any]] = []
    sticky = (
        ("answered_the_call", facts.answered_by_id, "answered"),
        ("owner_of_the_earlier_lead", facts.lead_owner_id, "sticky"),
        ("owner_of_the_contact", facts.contact_owner_id, "sticky"),
    )
    covering: OwnerState | None = None
    for code, owner_id, kind in sticky:
        owner = state.owners.get(owner_id) if owner_id is not None else None
        if owner is None:
            continue
        excluded = owner.excluded()
        steps.append({"rule": code, "owner": str(owner.id), "name": owner.name, "verdict": excluded or "chosen"})
        if excluded is None:
            return Decision(owner.id, None, kind, {"code": code, "steps": steps})  # type: ignore[arg-type]
        if owner.active and covering is None:
            covering = owner  # he stays the client's owner; somebody covers this lead
    pool = state.pools.get(facts.pool_id or state.default_pool_id) or state.pools[state.default_pool_id]
    picked, candidates = _pick(pool, state.owners)
    trace: dict[str, Any] = {"steps": steps, "pool": pool.name, "candidates": candidates}
    if picked is not None:
        trace["code"] = "covers_for_absent_owner" if covering else "largest_deficit"
        if covering:
            trace["covers_for"] = {"owner": str(covering.id), "name": covering.name}
        return Decision(picked, pool.id, "cover" if covering else "pool", trace)
    duty = state.owners.get(state.duty_id) if state.duty_id is not None else None
    if duty is not None and duty.active:
        trace["code"] = "nobody_eligible_duty_person"
        return Decision(duty.id, pool.id, "duty", trace)
    trace["code"] = "nobody_eligible"
    return Decision(None, pool.id, "nobody", trace)


def _pick(pool: PoolState, owners: Mapping[int, OwnerState]) -> tuple[int | None, list[dict[str, Any]]]:
    candidates: list[dict[str, Any]] = []
    eligible: list[MemberState] = []
    for member in pool.members:
        owner = owners.get(member.owner_id)
        excluded = "unknown" if owner is None else owner.excluded()
        excluded = excluded or ("paused in this pool" if member.paused else None) or ("weight 0" if member.weight <= 0 else None)
        candidates.append({"owner": str(member.owner_id), "name": owner.name if owner else "", "verdict": excluded or "eligible"})
        if excluded is None:
            eligible.append(member)
    if not eligible:
        return None, candidates
    total = sum(member.weight for member in eligible)
    for member in eligible:
        member.entitled += member.weight / total
    chosen = min(eligible, key=lambda m: (-round(m.entitled - m.assigned, 9), m.last_seq, m.owner_id))
    pool.seq += 1
    pool.touched = True
    chosen.last_seq = pool.seq
    by_owner = {str(member.owner_id): member for member in eligible}
    for candidate in candidates:
        member_or_none = by_owner.get(candidate["owner"])
        if member_or_none is not None:
            candidate["deficit"] = round(member_or_none.entitled - member_or_none.assigned, 3)
            candidate["verdict"] = "chosen" if member_or_none is chosen else "smaller deficit or later turn"
    chosen.assigned += 1
    return chosen.owner_id, candidates
