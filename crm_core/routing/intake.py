"""Gives owners to what a batch made, in the order of its events, under the lock of the pools. The last lock to be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_core.base.copying import copy_rows
from crm_core.base.working_time import end_of_day, today_of
from crm_core.batch.rows import Cursor, update_rows
from crm_core.batch.state import ContactState, LeadState, resolve
from crm_core.batch.subject import Batch, Subject
from crm_core.numbering.queries import load_ranges
from crm_core.routing.conditions import PLAN_REGION
from crm_core.routing.config import RoutingConfig
from crm_core.routing.facts import with_client, with_region
from crm_core.routing.queries import Read, exclusions_of, read_routing
from crm_core.routing.refunds import refund
from crm_core.routing.rules import Decision, PoolState, RoutingFacts, RoutingState, decide
from crm_core.routing.stored import stored_facts, stored_owners

#: What of a client has to be read first, if a rule asks for it.
_OF_CLIENT: Final = frozenset({"is_client", "client_value", "client_days"})


@dataclass(slots=True)
class Ownership:
    """Who is to get an owner, and what was decided."""

    #: In the order of the events: leads that need an owner, and contacts that got one by talking to them.
    given: list[LeadState | tuple[ContactState, int]] = field(default_factory=list)
    #: Leads that a pool shared out before it was told who had talked to the person, and who that was.
    talked_before: list[tuple[LeadState, int]] = field(default_factory=list)
    pools: list[PoolState] = field(default_factory=list)  # whose ledger moved
    conflicts: Mapping[int, frozenset[int]] = field(default_factory=dict)  # by contact: owners who may never have them
    config: RoutingConfig = field(default_factory=RoutingConfig)
    left_out: dict[str, Any] | None = None  # who can take nothing, as the decisions keep it


def _settle(cursor: Cursor, batch: Batch, _now: datetime) -> None:
    """Gives owners, in the order of the events."""
    part = batch.part(Ownership)
    leads = [one for one in part.given if isinstance(one, LeadState) and one.folded_into is None]
    asked = [*leads, *(lead for lead, _ in part.talked_before)]
    zone = batch.steps[0].item.zone if batch.steps else "UTC"
    read = _read_or_hold(cursor, batch, asked, zone)
    if read is not None:
        part.config = read.config
        if read.has_exclusions:
            roots = {lead.contact.root.id for lead in asked}
            part.conflicts = dict(exclusions_of(cursor, {one for one in roots if one is not None}))
        if read.config.asked & _OF_CLIENT:
            _ask_of_clients(cursor, leads)
        if PLAN_REGION in read.config.asked:
            ranges = load_ranges(cursor)
            for lead in leads:
                lead.facts = with_region(lead.facts, ranges.region_of)
    for one in part.given:
        if isinstance(one, tuple):
            contact, owner_id = one[0].root, one[1]
            if contact.owner_id is None and owner_id not in part.conflicts.get(contact.id or 0, ()):
                _own(contact, owner_id)
        elif one.folded_into is None and read is not None:
            _give_owner(one, read, part)
    for one in part.given:
        if isinstance(one, LeadState) and one.folded_into is not None:
            _follow(one)
    for lead, owner_id in part.talked_before:
        if read is not None and lead.folded_into is None:
            _give_to_who_talked(lead, owner_id, read.state)
    part.pools = [pool for pool in read.state.pools.values() if pool.touched] if read else []
    _bind(batch, part.config, zone, _now)


def _read_or_hold(cursor: Cursor, batch: Batch, asked: Sequence[LeadState], zone: str) -> Read | None:
    """What decides, with the pools locked. Where nothing is to be decided, the pools that get a turn back for a merged lead are locked
    all the same: after rows that name them were written it would be too late, two batches would wait for each other."""
    folded = {lead.pool_id for merge in batch.merges for lead in merge.folded}
    pools = {lead.pool_id for lead in asked} | folded
    named = {pool_id for pool_id in pools if pool_id is not None}
    if asked:
        return read_routing(cursor, named, zone)
    if named:
        cursor.execute("SELECT id FROM pool WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (sorted(named),))
    return None


def _bind(batch: Batch, config: RoutingConfig, zone: str, now: datetime) -> None:
    """Whoever was heard of stays with their owner for so long, until the end of that day in the hub's zone."""
    until = bound_until(config, zone, now)
    for contact in batch.all_contacts():
        if contact.owner_id is not None and contact.changed:
            contact.owner_bound_until = until


def bound_until(config: RoutingConfig, zone: str, now: datetime) -> datetime:
    own = ZoneInfo(zone)
    return end_of_day(own, today_of(own, now + config.bound))


def _ask_of_clients(cursor: Cursor, leads: Sequence[LeadState]) -> None:
    """What the client bought for so far, and since when they are known: only where a rule asks."""
    roots = {lead.contact.root.id for lead in leads} - {None}
    cursor.execute(
        "SELECT c.id, coalesce(sum(l.amount), 0)::float8 AS value, extract(day FROM now() - c.created_at)::int AS days,"
        " bool_or(l.state = 'won') AS bought FROM contact c LEFT JOIN lead l ON l.contact_id = c.id AND l.state = 'won'"
        " WHERE c.id = ANY(%s) GROUP BY c.id",
        (list(roots),),
    )
    known = {row["id"]: row for row in cursor.fetchall()}
    for lead in leads:
        row = known.get(lead.contact.root.id)
        lead.facts = with_client(lead.facts, bool(row and row["bought"]), row["value"] if row else 0.0, row["days"] if row else 0)


def _give_owner(lead: LeadState, read: Read, part: Ownership) -> None:
    contact = lead.contact.root
    other = contact.shares_with.root if contact.shares_with is not None else None
    facts = RoutingFacts(
        lead.pool_id, lead.sticky_owner_id, contact.owner_id, lead.answered_by_id, _moment(contact.owner_bound_until),
        contact.company_owner_id, other.owner_id if other is not None else None, other,
        part.conflicts.get(contact.id or 0, frozenset()), lead.facts,
    )  # fmt: skip
    if part.left_out is None or read.state.has_limits:  # else nothing of it moves while leads are given
        part.left_out = stored_owners(read.state)
    decision = decide(facts, read.state, read.config)
    lead.owner_id, lead.pool_id = decision.owner_id, decision.pool_id
    lead.assignment = {
        "owner_id": decision.owner_id, "pool_id": decision.pool_id, "kind": decision.kind, "trace": decision.trace,
        "config_version": read.config.version, "facts": stored_facts(facts, part.left_out, read.state), "actor": "hub",
    }  # fmt: skip
    take_client(contact, decision, read.state)


def take_client(contact: ContactState, decision: Decision, state: RoutingState) -> None:
    """The client goes with their lead if nobody has them, or who had them may not any more."""
    if decision.gets_client and (contact.owner_id is None or decision.frees_client):
        _own(contact, decision.owner_id)
    elif decision.frees_client and (owner := state.owners.get(contact.owner_id or 0)) is not None and not owner.active:
        _own(contact, None)


def _give_to_who_talked(lead: LeadState, owner_id: int, state: RoutingState) -> None:
    """The pool's ledger gets no credit back, as after a merge: it counts what was given."""
    contact = lead.contact.root
    before, owner = lead.owner_id, state.owners[owner_id]
    lead.owner_id = owner_id
    step = {"rule": "answered_the_call", "owner": str(owner.id), "name": owner.name, "verdict": "chosen"}
    lead.assignment = {
        "owner_id": owner_id, "pool_id": None, "kind": "answered", "trace": {"code": "answered_the_call", "steps": [step]},
        "config_version": 0, "facts": {}, "actor": "hub",
    }  # fmt: skip
    if contact.owner_id is None or contact.owner_id == before:
        _own(contact, owner_id)


def _follow(lead: LeadState) -> None:
    """A lead that was merged away in the batch that made it: it is with whoever has the lead that carries on."""
    kept = lead
    while kept.folded_into is not None:
        kept = kept.folded_into
    lead.owner_id, lead.pool_id = kept.owner_id, kept.pool_id
    lead.assignment = {
        "owner_id": lead.owner_id, "pool_id": lead.pool_id, "kind": "sticky", "trace": {"code": "merged", "steps": []},
        "config_version": 0, "facts": {}, "actor": "hub",
    }  # fmt: skip


def _own(contact: ContactState, owner_id: int | None) -> None:
    contact.owner_id, contact.owner_since, contact.changed = owner_id, "now", True
    contact.owner_bound_until = None


def _moment(told: datetime | str | None) -> datetime | None:
    return told if isinstance(told, datetime) else None


def _write(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Ownership)
    assigned = [one for one in part.given if isinstance(one, LeadState) and one.assignment]
    assigned += [lead for lead, _ in part.talked_before if lead.assignment]
    for lead in assigned:
        trace = (lead.assignment or {})["trace"]
        if trace.get("shares_with") is not None:
            trace["shares_with"] = resolve(trace["shares_with"])
    rows = [{"lead_id": lead.id, "at": "now", **(lead.assignment or {})} for lead in assigned]
    copy_rows(cursor, "assignment", rows)
    write_ledgers(cursor, part.pools)
    folded = [lead.id for merge in batch.merges for lead in merge.folded if not lead.created and lead.id is not None]
    refund(cursor, folded, "merged")


def write_ledgers(cursor: Cursor, pools: Sequence[PoolState]) -> None:
    """What picks have moved. The pools are locked."""
    update_rows(cursor, "pool", [{"id": pool.id, "seq": pool.seq} for pool in pools])
    members = [(pool.id, member) for pool in pools for member in pool.members]
    if members:
        cursor.execute(
            "UPDATE pool_member m SET entitled = k.entitled, assigned = k.assigned, last_seq = k.last_seq"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::bigint[], %s::bigint[])"
            "      AS k(pool, owner, entitled, assigned, last_seq)"
            " WHERE m.pool_id = k.pool AND m.owner_id = k.owner",
            (
                [pool_id for pool_id, _ in members],
                [member.owner_id for _, member in members],
                [member.entitled for _, member in members],
                [member.assigned for _, member in members],
                [member.last_seq for _, member in members],
            ),
        )


SUBJECT = Subject("routing", settle=_settle, write=_write)
