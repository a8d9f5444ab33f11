"""Handing a lead to an owner, or giving it to a pool that picks one. The decision is stored with its reason."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from crm_core.access import Principal, demand
from crm_core.activities.models import Activity
from crm_core.base import history, reasons
from crm_core.base.database import dict_cursor
from crm_core.base.errors import Conflict, Invalid
from crm_core.base.paging import AnyRow
from crm_core.contacts.models import Contact
from crm_core.leads.locking import hold_lead
from crm_core.leads.models import Lead
from crm_core.notifications.commands import notify
from crm_core.people.models import Assignment, Owner, Pool
from crm_core.routing.intake import write_ledgers
from crm_core.routing.queries import exclusions_of, read_routing
from crm_core.routing.rules import Decision, RoutingFacts, decide

ASSIGNED = history.Action("lead.assign", touch="assignment")


def assign_lead(
    connection: Connection,
    principal: Principal,
    lead_id: int,
    why: str,
    now: datetime,
    owner_id: int | None = None,
    pool_id: int | None = None,
    version: int | None = None,
) -> None:
    """Exactly one of `owner_id` and `pool_id`. The client goes with his lead if he was the former owner's or nobody's.

    Whose it is already keeps it, and nothing happens. Raises Forbidden, NotFound, Conflict (old `version`), Invalid (no reason,
    unknown or inactive owner, unknown pool).
    """
    demand(principal, "leads.assign")
    why = reasons.needed(why)
    if (owner_id is None) == (pool_id is None):
        raise Invalid("owner_or_pool", "Name either an owner or a pool.", fields=["owner", "pool"])
    lead = hold_lead(connection, principal, lead_id, version)
    if owner_id is not None and owner_id == lead.owner_id:
        return
    if owner_id is not None:
        decision = _to_owner(connection, owner_id)
    else:
        assert pool_id is not None
        decision = _to_pool(connection, pool_id)
    trace = decision.trace | {"why": why, "by": principal.actor, "before": _id(lead.owner_id)}
    give_to(connection, principal, ASSIGNED, lead, decision.owner_id, decision.pool_id, decision.kind, trace, now, why)


def give_to(
    connection: Connection, principal: Principal, action: history.Action, lead: AnyRow, owner_id: int | None, pool_id: int | None,
    kind: str, trace: dict[str, Any], now: datetime, why: str = "",
) -> None:  # fmt: skip
    """A held lead changes hands: the lead, the decision, tasks and client that go along, history, and those whom it concerns."""
    connection.execute(
        update(Lead).where(Lead.id == lead.id).values(owner_id=owner_id, pool_id=pool_id, version=Lead.version + 1)
    )
    connection.execute(
        insert(Assignment).values(
            lead_id=lead.id, owner_id=owner_id, pool_id=pool_id, kind=kind, trace=trace, actor=principal.actor, at=now
        )
    )
    _take_along(connection, lead.contact_id, lead.id, lead.owner_id, owner_id, now)
    before, after = _id(lead.owner_id), _id(owner_id)
    history.record(
        connection, principal, action, lead.id, {"owner": after, "pool": _id(pool_id), "before": before},
        history.Touch(
            lead.contact_id, now, lead_id=lead.id, text=why, data={"owner": after, "before": before, "code": trace["code"]}
        ),
    )  # fmt: skip
    if owner_id is not None and owner_id != principal.owner_id:
        notify(connection, "lead_given", [owner_id], lead.id, now)
    if lead.owner_id is not None and lead.owner_id not in (owner_id, principal.owner_id):
        notify(connection, "lead_taken_away", [lead.owner_id], lead.id, now)


def pick_from(connection: Connection, pool_id: int | None, contact_id: int, without: Collection[int]) -> Decision:
    """Whom the pool picks beside these, who had the lead, and beside whoever may not have the client, a root; counted in its ledger.
    Nobody where none of them can take it. `pool_id` None: the default pool."""
    with dict_cursor(connection) as cursor:
        read = read_routing(cursor, {pool_id} if pool_id is not None else set(), None)
        barred = exclusions_of(cursor, [contact_id]).get(contact_id, frozenset()) if read.has_exclusions else frozenset()
        facts = RoutingFacts(pool_id=pool_id, conflicts=barred.union(without))
        decision = decide(facts, read.state)
        write_ledgers(cursor, [pool for pool in read.state.pools.values() if pool.touched])
    for one in (*decision.trace["steps"], *decision.trace["candidates"]):
        if one.get("verdict") == "conflict_with_client" and int(one["owner"]) not in barred:
            one["verdict"] = "had_it"
    return decision


def _to_owner(connection: Connection, owner_id: int) -> Decision:
    # Locked, so that they do not leave between this look and the end of the transaction.
    active = connection.scalar(select(Owner.active).where(Owner.id == owner_id).with_for_update(read=True, key_share=True))
    if active is None:
        raise Invalid("owner_unknown", "There is no such owner.", fields=["owner"])
    if not active:
        raise Invalid("owner_inactive", "This owner is no longer active.", fields=["owner"])
    return Decision(owner_id, None, "manual", {"code": "by_hand", "steps": []})


def _to_pool(connection: Connection, pool_id: int) -> Decision:
    """The pool's ledger decides, as for a new lead, and counts it."""
    if connection.execute(select(Pool.id).where(Pool.id == pool_id)).scalar_one_or_none() is None:
        raise Invalid("pool_unknown", "There is no such pool.", fields=["pool"])
    with dict_cursor(connection) as cursor:
        read = read_routing(cursor, {pool_id}, None)
        decision = decide(RoutingFacts(pool_id=pool_id), read.state)
        if decision.owner_id is None and decision.kind != "tray":
            raise Conflict("nobody_eligible", "Nobody of this pool can take a lead now, and there is no duty person.")
        write_ledgers(cursor, [pool for pool in read.state.pools.values() if pool.touched])
    return decision


def _take_along(
    connection: Connection,
    contact_id: int,
    lead_id: int,
    before: int | None,
    after: int | None,
    now: datetime,
) -> None:
    """The former owner's open tasks of this lead, and the client himself unless he is a third person's."""
    root_id = select(Contact.root_id).where(Contact.id == contact_id).scalar_subquery()
    connection.execute(
        update(Contact)
        .where(Contact.id == root_id, Contact.owner_id.is_(None) | Contact.owner_id.is_not_distinct_from(before))
        .where(Contact.owner_id.is_distinct_from(after))
        .values(owner_id=after, owner_since=now, version=Contact.version + 1)
    )
    connection.execute(
        update(Activity)
        .where(
            Activity.lead_id == lead_id,
            Activity.state == "open",
            Activity.owner_id.is_not_distinct_from(before),
        )
        .values(owner_id=after)
    )


def _id(row_id: int | None) -> Any:
    return None if row_id is None else str(row_id)
