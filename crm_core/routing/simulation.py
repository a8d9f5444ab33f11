"""What other rules would have made of the last days: each stored decision is made again from what it saw, and nothing is written.

The pools' ledgers are those of the stored decisions, plus what the other rules would have given differently since: so the rules that
decided then decide the same again, whatever else moved the ledgers meanwhile (a new member, a turn that was given back). How a pool
shared out then, who was in it and what they could (skills, languages, regions) is read out of the stored decisions too; what none of them
shows yet is as it is today.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from crm_core.access import Principal, demand
from crm_core.base.database import dict_cursor
from crm_core.base.errors import Invalid
from crm_core.batch.rows import Cursor
from crm_core.numbering.queries import load_ranges
from crm_core.people.availability import load_availability
from crm_core.routing.conditions import PLAN_REGION
from crm_core.routing.config import RoutingConfig, read_config
from crm_core.routing.facts import with_region
from crm_core.routing.queries import owner_state
from crm_core.routing.rules import NO_RULES, MemberState, OwnerState, PoolState, RoutingState, decide
from crm_core.routing.stored import facts_from, owner_from

MOST_DAYS: Final = 366
_CHUNK: Final = 2000
_SHOWN: Final = 100
_NOTHING: Final = 1e-7  # a difference of two ledgers that is one of rounding


@dataclass(frozen=True, slots=True)
class RuleCount:
    id: str
    name: str
    decided: int  # leads that it would have been the first to apply to
    applied: int  # leads to which it would have applied at all
    shadowed_by: tuple[str, ...]  # of a rule that never comes first: what is always before it


@dataclass(frozen=True, slots=True)
class Load:
    owner: int | None
    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class MovedLead:
    lead: int
    before: int | None
    after: int | None
    rule: str


@dataclass(frozen=True, slots=True)
class Simulation:
    days: int
    leads: int  # decisions that could be made again
    same: int  # with the same owner and kind
    moved: int
    unmatched: int  # no rule applied: as without rules
    nobody: int  # would wait for an owner
    loads: tuple[Load, ...]
    rules: tuple[RuleCount, ...]
    dead: tuple[str, ...]  # rules that applied to nothing
    shadowed: tuple[str, ...]  # rules that applied, and never first
    first_moved: tuple[MovedLead, ...]


def simulate(connection: Connection, principal: Principal, config: RoutingConfig, days: int, now: datetime) -> Simulation:
    """Raises Forbidden, Invalid (days)."""
    demand(principal, "routing.write")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("number_out_of_range", f"days is a whole number from 1 to {MOST_DAYS}.", fields=["days"])
    with dict_cursor(connection) as cursor:
        return _Replay(cursor, config).run(days, now - timedelta(days=days))


@dataclass(slots=True)
class _Ledger:
    """One pool: what was stored last of each member, and by how much the replay differs from it."""

    name: str
    strategy: str
    members: dict[int, MemberState]
    differs: dict[int, float] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    in_a_row: int = 0  # as the stored decision told it, if it mattered

    def state(self, pool_id: int) -> PoolState:
        members = [
            MemberState(
                one.owner_id, one.weight, one.entitled - one.assigned + self.differs.get(one.owner_id, 0.0), 0,
                self.turns.get(one.owner_id, one.last_seq), one.paused,
            )
            for one in self.members.values()
        ]  # fmt: skip
        seq = max((one.last_seq for one in members), default=0)
        return PoolState(pool_id, self.name, seq, members, self.strategy, in_a_row=self.in_a_row)  # type: ignore[arg-type]


class _Pools(Mapping[int, PoolState]):
    """Made when they are asked for: most decisions ask one or none."""

    def __init__(self, ledgers: Mapping[int, _Ledger]) -> None:
        self._ledgers, self.made = ledgers, dict[int, PoolState]()

    def __getitem__(self, pool_id: int) -> PoolState:
        if pool_id not in self.made:
            self.made[pool_id] = self._ledgers[pool_id].state(pool_id)
        return self.made[pool_id]

    def __contains__(self, pool_id: object) -> bool:
        return pool_id in self._ledgers

    def __iter__(self) -> Iterator[int]:
        return iter(self._ledgers)

    def __len__(self) -> int:
        return len(self._ledgers)


class _Replay:
    def __init__(self, cursor: Cursor, config: RoutingConfig) -> None:
        self._cursor, self._config = cursor, config
        self._owners = {one.id: owner_state(one) for one in load_availability(cursor).values()}
        self._seen: dict[bytes, dict[int, OwnerState]] = {}
        self._ledgers: dict[int, _Ledger] = {}
        self._versions: dict[int, RoutingConfig] = {}
        cursor.execute("SELECT id, name, strategy FROM pool")
        for row in cursor.fetchall():
            self._ledgers[row["id"]] = _Ledger(row["name"], row["strategy"], {})
        cursor.execute(
            "SELECT pool_id, owner_id, weight, entitled, assigned, last_seq, paused FROM pool_member ORDER BY owner_id"
        )
        for row in cursor.fetchall():
            pool_id = row.pop("pool_id")
            self._ledgers[pool_id].members[row["owner_id"]] = MemberState(**row)

    def run(self, days: int, since: datetime) -> Simulation:
        before, after, decided, applied = Counter[int | None](), Counter[int | None](), Counter[str](), Counter[str]()
        leads = same = moved = unmatched = nobody = 0
        first_moved: list[MovedLead] = []
        ahead: dict[str, Counter[str]] = {rule.id: Counter() for rule in self._config.rules}
        for row in self._rows(since):
            leads += 1
            told = self._with_region(row)
            facts = facts_from(told)
            found = [rule.id for rule in self._config.rules if rule.test(facts.lead)]
            applied.update(found)
            decided.update(found[:1])
            for later in found[1:]:
                ahead[later][found[0]] += 1
            unmatched += not found
            owner_id, kind = self._again(row)
            before[row["owner_id"]] += 1
            after[owner_id] += 1
            nobody += kind == "nobody"
            same += (owner_id, kind) == (row["owner_id"], row["kind"])
            if owner_id != row["owner_id"]:
                moved += 1
                if len(first_moved) < _SHOWN:
                    first_moved.append(MovedLead(row["lead_id"], row["owner_id"], owner_id, found[0] if found else ""))
        everybody = sorted(before.keys() | after.keys(), key=lambda owner_id: (-after[owner_id], owner_id or 0))
        names = {owner_id: owner.name for owner_id, owner in self._owners.items()}
        return Simulation(
            days, leads, same, moved, unmatched, nobody,
            tuple(Load(one, names.get(one or 0, ""), before[one], after[one]) for one in everybody),
            tuple(
                RuleCount(rule.id, rule.name, decided[rule.id], applied[rule.id],
                          tuple(sorted(ahead[rule.id])) if applied[rule.id] and not decided[rule.id] else ())
                for rule in self._config.rules
            ),
            tuple(rule.id for rule in self._config.rules if not applied[rule.id]),
            tuple(rule.id for rule in self._config.rules if applied[rule.id] and not decided[rule.id]),
            tuple(first_moved),
        )  # fmt: skip

    def _with_region(self, row: dict[str, Any]) -> dict[str, Any]:
        """What the lead was known by; the region of its number as well where these rules ask for it and those of then did not."""
        told: dict[str, Any] = row["facts"]
        lead = told.get("lead", {})
        if (
            PLAN_REGION in self._config.asked
            and PLAN_REGION not in lead
            and PLAN_REGION not in self._version(row["config_version"]).asked
        ):
            row["facts"] = told = {**told, "lead": with_region(lead, load_ranges(self._cursor).region_of)}
        return told

    def _rows(self, since: datetime) -> Iterator[dict[str, Any]]:
        """What the hub decided itself, in the order in which the pools were asked."""
        last = 0
        while True:
            self._cursor.execute(
                "SELECT id, lead_id, at, owner_id, kind, trace, facts, config_version FROM assignment"
                " WHERE id > %s AND at >= %s AND actor = 'hub' AND facts <> '{}' ORDER BY id LIMIT %s",
                (last, since, _CHUNK),
            )
            rows = self._cursor.fetchall()
            yield from rows
            if len(rows) < _CHUNK:
                return
            last = rows[-1]["id"]

    def _again(self, row: Mapping[str, Any]) -> tuple[int | None, str]:
        stored = _asked(row["trace"])
        shared_out = row["kind"] not in ("sticky", "answered") and (row["kind"] != "cover" or "pool" in row["trace"])
        for ledger in self._ledgers.values():
            ledger.in_a_row = 0
        for pool_id, candidates in stored.items():
            self._take_snapshot(pool_id, candidates)
            if shared_out and pool_id in self._ledgers:
                self._ledgers[pool_id].strategy = _strategy_then(row["trace"], candidates, self._ledgers[pool_id].strategy)
        pools = _Pools(self._ledgers)
        told = row["facts"]
        owners = self._owners_then(told.get("out", {}), stored)
        owners |= self._abilities_then(row, stored, owners) if shared_out else {}
        state = RoutingState(owners, pools, told.get("default", 0), told.get("duty"), row["at"])
        decision = decide(facts_from(told), state, self._config)
        self._compare(stored, pools)
        return decision.owner_id, decision.kind

    def _take_snapshot(self, pool_id: int, candidates: list[dict[str, Any]]) -> None:
        """The pool as it stood before it was asked: who was in it, and what each was owed."""
        ledger = self._ledgers.get(pool_id)
        if ledger is None:
            return
        total = sum(one["weight"] for one in candidates if "weight" in one)
        known, ledger.members = ledger.members, {}
        ledger.in_a_row = max((one.get("in_a_row", 0) for one in candidates), default=0)
        for one in candidates:
            owner_id = int(one["owner"])
            last = known.get(owner_id) or MemberState(owner_id)
            if "weight" in one:
                last = MemberState(owner_id, one["weight"], one["deficit"] - one["weight"] / total, 0, one["turn"])
            else:
                last = replace(last, paused=one["verdict"] == "paused_in_pool")
                if one["verdict"] == "no_weight":
                    last = replace(last, weight=0.0)
                elif last.weight == 0:
                    last = replace(last, weight=1.0)
            ledger.members[owner_id] = last

    def _owners_then(self, out: Mapping[str, Any], stored: Mapping[int, list[dict[str, Any]]]) -> dict[int, OwnerState]:
        key = orjson.dumps(out)
        found = self._seen.get(key)
        if found is None:
            if len(self._seen) > 1000:
                self._seen.clear()
            found = self._seen[key] = {one.id: owner_from(one, out.get(str(one.id))) for one in self._owners.values()}
        counted = {int(one["owner"]): one["open"] for each in stored.values() for one in each if "open" in one}
        if not counted:
            return found
        return found | {owner_id: replace(found[owner_id], open_leads=n) for owner_id, n in counted.items() if owner_id in found}

    def _abilities_then(
        self, row: Mapping[str, Any], stored: Mapping[int, list[dict[str, Any]]], owners: Mapping[int, OwnerState]
    ) -> dict[int, OwnerState]:
        """Whoever was left out for a skill, a language or a region had it not, and who was not had it, whatever they have today."""
        rule_id = (row["trace"].get("rule") or {}).get("id")
        rule = next((one for one in self._version(row["config_version"]).rules if one.id == rule_id), None)
        found: dict[int, OwnerState] = {}
        for target in rule.targets if rule is not None else ():
            wanted = {name: tuple(getattr(target, name)) for name in _ABILITIES}
            if not any(wanted.values()):
                continue
            for one in stored.get(target.pool_id or 0, ()):
                owner = found.get(int(one["owner"])) or owners.get(int(one["owner"]))
                if owner is not None:
                    found[owner.id] = _able(owner, wanted, one)
        return found

    def _version(self, version: int) -> RoutingConfig:
        """The rules of a stored decision. Those that are asked about may be a draft without a number."""
        if version == 0:
            return NO_RULES
        if version not in self._versions:
            row = self._cursor.execute("SELECT body FROM routing_version WHERE version = %s", (version,)).fetchone()
            self._versions[version] = read_config(row["body"] if row else {}, version)
        return self._versions[version]

    def _compare(self, stored: Mapping[int, list[dict[str, Any]]], pools: _Pools) -> None:
        """By how much each ledger of the replay differs from the one that was, from now on."""
        for pool_id in stored.keys() | pools.made.keys():
            ledger = self._ledgers.get(pool_id)
            if ledger is None:
                continue
            made = pools[pool_id]
            was = {int(one["owner"]): one for one in stored.get(pool_id, ()) if "weight" in one}
            actual_pick = next((owner for owner, one in was.items() if one["verdict"] == "chosen"), None)
            top = max((one.last_seq for one in ledger.members.values()), default=0) + 1
            for member in made.members:
                known = ledger.members[member.owner_id]
                told = was.get(member.owner_id)
                if told is not None:
                    turn = top if member.owner_id == actual_pick else told["turn"]
                    deficit = told["deficit"] - (member.owner_id == actual_pick)
                    ledger.members[member.owner_id] = replace(known, entitled=deficit, assigned=0, last_seq=turn)
                    known = ledger.members[member.owner_id]
                differs = member.entitled - member.assigned - (known.entitled - known.assigned)
                if abs(differs) > _NOTHING:
                    ledger.differs[member.owner_id] = differs
                else:
                    ledger.differs.pop(member.owner_id, None)
                if member.last_seq != known.last_seq and differs_in_order(member.last_seq, known.last_seq, top):
                    ledger.turns[member.owner_id] = member.last_seq
                else:
                    ledger.turns.pop(member.owner_id, None)


def differs_in_order(replayed: int, known: int, top: int) -> bool:
    """Whether one was served last in only one of the two; two that were both just served are equal whatever the number."""
    return (replayed >= top) != (known >= top) or (replayed < top and known < top)


#: What a target may ask for, and the verdict over who lacks it, in the order in which they are asked.
_ABILITIES: Final = {"skills": "no_skill", "languages": "no_language", "regions": "no_region"}
#: Verdicts over somebody whose abilities were not asked for.
_NOT_ASKED: Final = frozenset(
    {"unknown", "paused_in_pool", "no_weight", "conflict_with_client", "inactive", "absent", "paused", "off_shift", "max_open",
     "max_per_day", "not_asked"}
)  # fmt: skip


def _able(owner: OwnerState, wanted: Mapping[str, tuple[str, ...]], one: Mapping[str, Any]) -> OwnerState:
    """The owner as this verdict over a target that wanted so much shows them."""
    if one["verdict"] in _NOT_ASKED:
        return owner
    changes: dict[str, tuple[str, ...]] = {}
    for name, lacking in _ABILITIES.items():
        has: tuple[str, ...] = getattr(owner, name)
        if one["verdict"] == lacking:
            needed = {text.casefold() for text in one["needs"]}
            changes[name] = tuple(text for text in has if text.casefold() not in needed)
            break
        known = {text.casefold() for text in has}
        if name == "skills":
            changes[name] = (*has, *(text for text in wanted[name] if text not in known))
        elif wanted[name] and not known.intersection(wanted[name]):
            changes[name] = (*has, wanted[name][0])
    return replace(owner, **changes)  # type: ignore[arg-type]


def _strategy_then(trace: Mapping[str, Any], candidates: list[dict[str, Any]], known: str) -> str:
    """How the pool shared out when it was asked: the trace shows it."""
    if trace["code"] == "waits_to_be_taken":
        return "claim"
    if trace["code"] == "told_to_all":
        return "broadcast"
    weighed = [one for one in candidates if "weight" in one]
    if weighed:
        return "least_open" if "open" in weighed[0] else "ledger"
    return known if known in ("ledger", "least_open") else "ledger"  # asked, and nobody could: no tray


def _asked(trace: Mapping[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """Candidates by the pool that was asked; of who was only shown as not asked there is nothing to take."""
    found: dict[int, list[dict[str, Any]]] = {}
    for one in trace.get("candidates", ()):
        if one.get("verdict") != "not_asked" and "pool" in one:
            found.setdefault(int(one["pool"]), []).append(one)
    shown = {int(one["pool"]) for one in trace.get("candidates", ()) if one.get("verdict") == "not_asked" and "pool" in one}
    return {pool_id: candidates for pool_id, candidates in found.items() if pool_id not in shown}
