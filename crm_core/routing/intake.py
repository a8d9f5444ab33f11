"""Gives owners to what a batch made, in the order of its events, under the lock of the pools. The last lock to be taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from crm_core.batch.rows import Cursor, insert_rows, update_rows
from crm_core.batch.state import ContactState, LeadState
from crm_core.batch.subject import Batch, Subject
from crm_core.routing.queries import OWNERS_SQL
from crm_core.routing.rules import MemberState, OwnerState, PoolState, RoutingFacts, RoutingState, decide


@dataclass(slots=True)
class Ownership:
    """Who is to get an owner, and what was decided."""

    #: In the order of the events: leads that need an owner, and contacts that got one by talking to them.
    given: list[LeadState | tuple[ContactState, int]] = field(default_factory=list)
    #: Leads that a pool shared out before it was told who had talked to the person, and who that was.
    talked_before: list[tuple[LeadState, int]] = field(default_factory=list)
    pools: list[PoolState] = field(default_factory=list)  # whose ledger moved


def read_routing(cursor: Cursor, pool_ids: Iterable[int]) -> RoutingState:
    """Locks the pools (and the default one) by id and reads their ledgers and everybody's availability."""
    cursor.execute(
        "SELECT id, name, is_default, seq FROM pool WHERE id = ANY(%s) OR is_default ORDER BY id FOR UPDATE", (list(pool_ids),)
    )
    rows = cursor.fetchall()
    pools = {row["id"]: PoolState(row["id"], row["name"], row["seq"]) for row in rows}
    default = next(row["id"] for row in rows if row["is_default"])
    cursor.execute(
        "SELECT pool_id, owner_id, weight, entitled, assigned, last_seq, paused FROM pool_member"
        " WHERE pool_id = ANY(%s) ORDER BY owner_id",
        (list(pools),),
    )
    for row in cursor.fetchall():
        pools[row["pool_id"]].members.append(
            MemberState(row["owner_id"], row["weight"], row["entitled"], row["assigned"], row["last_seq"], row["paused"])
        )
    cursor.execute(OWNERS_SQL)
    owners, duty = {}, None
    for row in cursor.fetchall():
        owners[row["id"]] = OwnerState(row["id"], row["name"], row["extension"], row["active"], row["absent_until"])
        duty = row["id"] if row["duty"] else duty
    return RoutingState(owners, pools, default, duty)


def _settle(cursor: Cursor, batch: Batch, _now: datetime) -> None:
    """Gives owners, in the order of the events."""
    part = batch.part(Ownership)
    leads = [one for one in part.given if isinstance(one, LeadState) and one.folded_into is None]
    asked = [*leads, *(lead for lead, _ in part.talked_before)]
    state = read_routing(cursor, {lead.pool_id for lead in asked if lead.pool_id is not None}) if asked else None
    for one in part.given:
        if isinstance(one, tuple):
            contact, owner_id = one[0].root, one[1]
            if contact.owner_id is None:
                _own(contact, owner_id)
        elif one.folded_into is None and state is not None:
            _give_owner(one, state)
    for one in part.given:
        if isinstance(one, LeadState) and one.folded_into is not None:
            _follow(one)
    for lead, owner_id in part.talked_before:
        if state is not None and lead.folded_into is None:
            _give_to_who_talked(lead, owner_id, state)
    part.pools = [pool for pool in state.pools.values() if pool.touched] if state else []


def _give_owner(lead: LeadState, state: RoutingState) -> None:
    contact = lead.contact.root
    owner_id = contact.owner_id
    if owner_id is None and contact.shares_with is not None:
        owner_id = contact.shares_with.root.owner_id
    decision = decide(RoutingFacts(lead.pool_id, lead.sticky_owner_id, owner_id, lead.answered_by_id), state)
    lead.owner_id, lead.pool_id = decision.owner_id, decision.pool_id
    lead.assignment = {
        "owner_id": decision.owner_id, "pool_id": decision.pool_id, "kind": decision.kind, "trace": decision.trace,
        "actor": "hub",
    }  # fmt: skip
    # Whoever approached a client first owns him; cover and duty hold the lead, not the client.
    if contact.owner_id is None and decision.kind in ("pool", "answered", "sticky"):
        _own(contact, decision.owner_id)


def _give_to_who_talked(lead: LeadState, owner_id: int, state: RoutingState) -> None:
    """The pool's ledger gets no credit back, as after a merge: it counts what was given."""
    contact = lead.contact.root
    before, owner = lead.owner_id, state.owners[owner_id]
    lead.owner_id = owner_id
    step = {"rule": "answered_the_call", "owner": str(owner.id), "name": owner.name, "verdict": "chosen"}
    lead.assignment = {
        "owner_id": owner_id, "pool_id": None, "kind": "answered", "trace": {"code": "answered_the_call", "steps": [step]},
        "actor": "hub",
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
        "actor": "hub",
    }  # fmt: skip


def _own(contact: ContactState, owner_id: int | None) -> None:
    contact.owner_id, contact.owner_since, contact.changed = owner_id, "now", True


def _write(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Ownership)
    assigned = [one for one in part.given if isinstance(one, LeadState) and one.assignment]
    assigned += [lead for lead, _ in part.talked_before if lead.assignment]
    rows = [{"lead_id": lead.id, "at": "now", **(lead.assignment or {})} for lead in assigned]
    insert_rows(cursor, "assignment", rows)
    pools = part.pools
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
