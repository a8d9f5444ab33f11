"""Who owns a new lead: whoever has the client, else the first rule that applies, else the pool's entitlement ledger, else the
duty person; else it waits. Pure.

The ledger is the "carpool" rule: every lead credits each member who could take it with their share of the weight; the largest
deficit gets it. Whoever is absent earns nothing, so they are neither punished nor flooded when they return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from crm_core.base.frozen import frozen
from crm_core.routing.config import RoutingConfig, Target

AssignmentKind = Literal["sticky", "rule", "pool", "cover", "duty", "tray", "nobody", "manual", "answered", "claimed", "returned"]
Strategy = Literal["ledger", "least_open", "claim", "broadcast"]

#: Why somebody is left out, one code with its values: {"verdict": "absent", "until": "…"}.
Verdict = dict[str, Any]

NO_RULES = RoutingConfig()


@frozen
class OwnerState:
    """One employee at the moment of the decision. Counts are None where no limit asks for them."""

    id: int
    name: str
    extension: str = ""
    active: bool = True
    absent_until: datetime | None = None  # None: present
    deputy_id: int | None = None  # of the absence
    paused_until: datetime | None = None
    on_shift: bool = True
    next_on_shift: datetime | None = None
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    max_open: int | None = None
    open_leads: int | None = None
    max_per_day: int | None = None
    given_today: int | None = None

    def away(self) -> Verdict | None:
        """Why they cannot work on a lead now, or None. Limits are not among it: nobody loses their client to a limit."""
        if not self.active:
            return {"verdict": "inactive"}
        if self.absent_until is not None:
            return {"verdict": "absent", "until": _told(self.absent_until)}
        if self.paused_until is not None:
            return {"verdict": "paused", "until": _told(self.paused_until)}
        if not self.on_shift:
            return {"verdict": "off_shift", **({"until": _told(self.next_on_shift)} if self.next_on_shift else {})}
        return None

    def full(self, given: int = 0) -> Verdict | None:
        """Which of their limits is reached; `given` leads came to them since the counts were read."""
        if self.max_open is not None and (self.open_leads or 0) + given >= self.max_open:
            return {"verdict": "max_open", "have": (self.open_leads or 0) + given, "most": self.max_open}
        if self.max_per_day is not None and (self.given_today or 0) + given >= self.max_per_day:
            return {"verdict": "max_per_day", "have": (self.given_today or 0) + given, "most": self.max_per_day}
        return None

    def excluded(self, given: int = 0) -> Verdict | None:
        """Why a pool gives them nothing now, or None."""
        return self.away() or self.full(given)


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
    strategy: Strategy = "ledger"
    touched: bool = False  # a pick moved it, it must be written back
    in_a_row: int | None = None  # leads that whoever was served last got one after the other; None: as the turns say

    def row_of(self, member: MemberState) -> int:
        """How many of the pool's leads this member got one after the other, up to now."""
        if member.last_seq == 0 or any(one.last_seq > member.last_seq for one in self.members):
            return 0
        if self.in_a_row is not None:
            return self.in_a_row
        return member.last_seq - max((one.last_seq for one in self.members if one is not member), default=0)


@dataclass(frozen=True, slots=True)
class RoutingState:
    """All that a decision may look at. Owners by id; pools by id."""

    owners: Mapping[int, OwnerState]
    pools: Mapping[int, PoolState]
    default_pool_id: int
    duty_id: int | None
    now: datetime | None = None  # None: nobody waits for a shift
    #: How many leads each has got since the counts of `owners` were read. Moves, like the ledgers.
    given: dict[int, int] = field(default_factory=dict)

    @property
    def has_limits(self) -> bool:
        """True if a lead given to somebody may leave them out of the next decision."""
        return any(owner.max_open is not None or owner.max_per_day is not None for owner in self.owners.values())


@frozen
class RoutingFacts:
    pool_id: int | None = None  # the source's pool; None: the default
    lead_owner_id: int | None = None  # owner of an earlier lead of this contact
    contact_owner_id: int | None = None
    answered_by_id: int | None = None  # who talked to the caller
    bound_until: datetime | None = None  # of the contact's owner; None: without an end
    company_owner_id: int | None = None  # owner of the company that the contact belongs to
    shared_owner_id: int | None = None  # owner of the client with whom this one shares a number
    shares_with: Any = None  # that client, an id or what becomes one
    conflicts: frozenset[int] = frozenset()  # owners who may never have this client
    lead: Mapping[str, Any] = field(default_factory=dict)  # what rules ask for: conditions.FACTS


@frozen
class Decision:
    owner_id: int | None
    pool_id: int | None
    kind: AssignmentKind
    trace: dict[str, Any]  # {"code","steps":[…],"candidates":[{"owner","name","verdict",…}]}
    #: The client's owner left for good, or their time has run out: whoever gets the lead gets the client.
    frees_client: bool = False

    @property
    def gets_client(self) -> bool:
        """Whoever approached a client first has them; cover and duty hold the lead, not the client."""
        return self.owner_id is not None and self.kind in ("pool", "rule", "answered", "sticky")


def decide(facts: RoutingFacts, state: RoutingState, config: RoutingConfig = NO_RULES) -> Decision:
    """Decides, and moves the pool's ledger if the pool was asked. Same facts, state and config give the same decision and trace."""
    return _Deciding(facts, state, config).decide()


class _Deciding:
    """One decision on its way; what it has looked at so far is its trace."""

    def __init__(self, facts: RoutingFacts, state: RoutingState, config: RoutingConfig) -> None:
        self.facts, self.state, self.config = facts, state, config
        self.steps: list[dict[str, Any]] = []
        self.candidates: list[dict[str, Any]] = []
        self.covering: OwnerState | None = None  # stays the client's owner; somebody covers this lead
        self.frees_client = False
        self.rule = config.match(facts.lead) if config.rules else None

    def decide(self) -> Decision:
        answered = self._answered()
        if answered is not None:
            return answered
        kept = self._whose_client()
        if kept is not None:
            return kept
        pool: PoolState | None = None
        for target in self._targets():
            decision, pool = self._ask(target, pool)
            if decision is not None:
                return decision
        return self._last_resort(pool)

    def _answered(self) -> Decision | None:
        owner = self._owner(self.facts.answered_by_id)
        if owner is None:
            return None
        # Pause and hours say who is given leads; this one has talked to the client already.
        away = self._conflict(owner) or (owner.away() if not owner.active or owner.absent_until else None)
        self._step("answered_the_call", owner, away or {"verdict": "chosen"})
        return self._made("answered", "answered_the_call", owner) if away is None else None

    def _whose_client(self) -> Decision | None:
        """Sticky: the client's owner, the company's, that of who shares the number, that of the earlier lead. The first who may have
        the client is who keeps it; where they are away, their deputy or one of the next covers."""
        facts = self.facts
        wanted = (
            ("owner_of_the_contact", facts.contact_owner_id),
            ("owner_of_the_company", facts.company_owner_id),
            ("shares_a_number", facts.shared_owner_id),
            ("owner_of_the_earlier_lead", facts.lead_owner_id),
        )
        found: Decision | None = None
        seen: set[int] = set()
        for code, owner_id in wanted:
            owner = self._owner(owner_id)
            if owner is None or owner.id in seen:
                continue
            seen.add(owner.id)
            if found is not None:
                self._step(code, owner, {"verdict": "comes_after"})
                continue
            found = self._keep(code, owner)
        if found is not None:
            self._name_the_pool()
        return found

    def _keep(self, code: str, owner: OwnerState) -> Decision | None:
        """This one gets it, or somebody who covers; or None, and why stands in the trace."""
        away = self._conflict(owner) or owner.away()
        is_gone = not owner.active or owner.id in self.facts.conflicts
        if code == "owner_of_the_contact":
            if is_gone:
                self.frees_client = True
            elif self.rule is not None and self._binding_has_ended():
                self.frees_client = True
                self._step(code, owner, {"verdict": "binding_ended", "until": _told(self.facts.bound_until)})
                return None
        if away is None:
            if self.covering is None:
                self._step(code, owner, {"verdict": "chosen"})
                return self._made("sticky", code, owner)
            self._step(code, owner, {"verdict": "covers"})
            return self._made("cover", "covers_for_absent_owner", owner)
        if self.covering is None and not is_gone and self._starts_soon(owner):
            self._step(code, owner, {**away, "verdict": "starts_soon"})
            return self._made("sticky", "waits_for_shift", owner, next=_told(owner.next_on_shift))
        self._step(code, owner, away)
        if is_gone or self.covering is not None:
            return None
        self.covering = owner
        deputy = self._owner(owner.deputy_id) if owner.absent_until is not None else None
        if deputy is None:
            return None
        away = self._conflict(deputy) or deputy.away()
        self._step("deputy", deputy, away or {"verdict": "covers"})
        return self._made("cover", "deputy_covers", deputy) if away is None else None

    def _binding_has_ended(self) -> bool:
        until, now = self.facts.bound_until, self.state.now
        return until is not None and now is not None and until <= now

    def _starts_soon(self, owner: OwnerState) -> bool:
        now = self.state.now
        return (
            owner.active and owner.absent_until is None and owner.paused_until is None and now is not None
            and owner.next_on_shift is not None and owner.next_on_shift - now <= self.config.wait_for_shift
        )  # fmt: skip

    def _targets(self) -> tuple[Target, ...]:
        if self.rule is not None:
            return self.rule.targets
        wanted = self.facts.pool_id
        return (Target(wanted if wanted in self.state.pools else self.state.default_pool_id),)

    def _ask(self, target: Target, before: PoolState | None) -> tuple[Decision | None, PoolState | None]:
        """A decision if the target can take it, and the pool that was asked last."""
        if target.owner_id is not None:
            owner = self._owner(target.owner_id)
            if owner is None:
                return None, before
            left_out = self._left_out(owner, target)
            self._step("rule", owner, left_out or {"verdict": "chosen"})
            if left_out is not None:
                return None, before
            return self._made("cover" if self.covering else "rule", self._code("rule"), owner), before
        pool = self.state.pools.get(target.pool_id or 0)
        if pool is None:
            return None, before
        if pool.strategy in ("claim", "broadcast"):
            self._look_over(pool, target)
            code = "waits_to_be_taken" if pool.strategy == "claim" else "told_to_all"
            return self._made("tray", code, None, pool), pool
        picked = self._pick(pool, target)
        if picked is None:
            return None, pool
        return self._made("cover" if self.covering else "pool", self._code(pool.strategy), picked, pool), pool

    def _code(self, what: str) -> str:
        return (
            "covers_for_absent_owner" if self.covering else {"ledger": "largest_deficit", "rule": "named_by_rule"}.get(what, what)
        )

    def _last_resort(self, pool: PoolState | None) -> Decision:
        duty = self._owner(self.state.duty_id)
        if duty is not None:
            # Being on duty means outside of the hours as well.
            away = self._conflict(duty) or (duty.away() if not duty.active or duty.absent_until or duty.paused_until else None)
            self._step("duty", duty, away or {"verdict": "chosen"})
            if away is None:
                return self._made("duty", "nobody_eligible_duty_person", duty, pool)
        own = self.covering
        if own is not None and own.absent_until is None and own.paused_until is None and own.next_on_shift is not None:
            self.covering = None  # better with its own owner in the morning than with nobody
            return self._made("sticky", "waits_for_shift", own, next=_told(own.next_on_shift))
        return self._made("nobody", "nobody_eligible", None, pool)

    def _pick(self, pool: PoolState, target: Target) -> OwnerState | None:
        shown = self._look_over(pool, target)
        eligible = [(member, one) for member, one in shown if one["verdict"] == "eligible"]
        if not eligible:
            return None
        total = sum(member.weight for member, _ in eligible)
        for member, one in eligible:
            member.entitled += member.weight / total
            one["deficit"] = round(member.entitled - member.assigned, 9)
            one["weight"], one["turn"] = member.weight, member.last_seq
        if pool.strategy == "least_open":
            for member, one in eligible:
                one["open"] = (self.state.owners[member.owner_id].open_leads or 0) + self.state.given.get(member.owner_id, 0)
        rank = _by_open if pool.strategy == "least_open" else _by_deficit
        chosen, best = min(eligible, key=rank)
        rested = _after_a_row(pool, eligible, (chosen, best)) if pool.strategy == "ledger" else None
        if rested is not None:
            chosen, best = rested
        first = rank((chosen, best))
        for member, one in eligible:
            if one is not best and one["verdict"] == "eligible":
                theirs = rank((member, one))
                # Owed less (or has more open), served more recently, or behind in the list where all else is equal.
                one["verdict"] = ("smaller_deficit" if pool.strategy == "ledger" else "more_open") if theirs[0] != first[0] else (
                    "later_turn" if theirs[1] != first[1] else "later_in_list")  # fmt: skip
        best["verdict"] = "chosen"
        pool.seq += 1
        pool.touched = True
        chosen.last_seq = pool.seq
        chosen.assigned += 1
        return self.state.owners[chosen.owner_id]

    def _look_over(self, pool: PoolState, target: Target) -> list[tuple[MemberState, dict[str, Any]]]:
        """Every member with "eligible" or why not, also in the trace."""
        shown = []
        for member in pool.members:
            owner = self.state.owners.get(member.owner_id)
            one: dict[str, Any] = {
                "owner": str(member.owner_id),
                "name": owner.name if owner is not None else "",
                "pool": str(pool.id),
            }
            if owner is None:
                one["verdict"] = "unknown"
            elif member.paused:
                one["verdict"] = "paused_in_pool"
            elif member.weight <= 0:
                one["verdict"] = "no_weight"
            else:
                one.update(self._left_out(owner, target) or _ELIGIBLE)
            shown.append((member, one))
        self.candidates += [one for _, one in shown]
        return shown

    def _left_out(self, owner: OwnerState, target: Target) -> Verdict | None:
        excluded = self._conflict(owner) or owner.excluded(self.state.given.get(owner.id, 0))
        if excluded is not None:
            return excluded
        if target.skills and (missing := [one for one in target.skills if one not in _folded(owner.skills)]):
            return {"verdict": "no_skill", "needs": missing}
        if target.languages and not set(target.languages) & _folded(owner.languages):
            return {"verdict": "no_language", "needs": list(target.languages)}
        if target.regions and not set(target.regions) & _folded(owner.regions):
            return {"verdict": "no_region", "needs": list(target.regions)}
        return None

    def _name_the_pool(self) -> None:
        """Who else was there: the pool that a new client would have gone to, none of whom was asked."""
        target = self._targets()[0]
        pool = self.state.pools.get(target.pool_id or 0)
        if pool is not None:
            for _, one in self._look_over(pool, target):
                if one["verdict"] == "eligible":
                    one["verdict"] = "not_asked"

    def _owner(self, owner_id: int | None) -> OwnerState | None:
        return self.state.owners.get(owner_id) if owner_id is not None else None

    def _conflict(self, owner: OwnerState) -> Verdict | None:
        return {"verdict": "conflict_with_client"} if owner.id in self.facts.conflicts else None

    def _step(self, rule: str, owner: OwnerState, verdict: Verdict) -> None:
        self.steps.append({"rule": rule, "owner": str(owner.id), "name": owner.name, **verdict})

    def _made(
        self, kind: AssignmentKind, code: str, owner: OwnerState | None, pool: PoolState | None = None, **more: Any
    ) -> Decision:
        trace: dict[str, Any] = {"code": code, "steps": self.steps, "candidates": self.candidates, **more}
        if pool is not None:
            trace["pool"] = pool.name
        if self.rule is not None:
            trace["rule"] = {"id": self.rule.id, "name": self.rule.name}
        if self.covering is not None:
            trace["covers_for"] = {"owner": str(self.covering.id), "name": self.covering.name}
        if code == "shares_a_number":
            trace["shares_with"] = self.facts.shares_with
        if owner is not None:
            self.state.given[owner.id] = self.state.given.get(owner.id, 0) + 1
        return Decision(
            owner.id if owner is not None else None, pool.id if pool is not None else None, kind, trace, self.frees_client
        )


_ELIGIBLE: Verdict = {"verdict": "eligible"}

_Pair = tuple[MemberState, dict[str, Any]]


def _by_deficit(pair: _Pair) -> tuple[float, int, int]:
    member, shown = pair
    return -shown["deficit"], member.last_seq, member.owner_id


def _by_open(pair: _Pair) -> tuple[float, int, int]:
    member, shown = pair
    return shown["open"], member.last_seq, member.owner_id


#: So many leads of a pool one after the other, and a colleague has a turn, if that leaves nobody so far from their share.
_MOST_IN_A_ROW = 3
_FARTHEST = 1.0


def _after_a_row(pool: PoolState, eligible: list[_Pair], best: _Pair) -> _Pair | None:
    """Who gets it instead of somebody who had several in a row, which weights make when few are there; None: nobody does. Where
    somebody's share itself is so large, they go on getting their share."""
    member, shown = best
    row = pool.row_of(member)
    if row < _MOST_IN_A_ROW or len(eligible) == 1:
        return None
    shown["in_a_row"] = row
    other = min((pair for pair in eligible if pair[0] is not member), key=_by_deficit)
    if shown["deficit"] > _FARTHEST or other[1]["deficit"] - 1 < -_FARTHEST:
        return None
    shown["verdict"] = "several_in_a_row"
    return other


def _folded(texts: tuple[str, ...]) -> set[str]:
    return {text.casefold() for text in texts}


def _told(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="minutes")
