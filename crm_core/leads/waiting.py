"""Leads that nobody could take when they came: who is there, and given out, oldest first, as soon as somebody can.

A lead that waits to be taken by hand (a pool that claims) waits for people and is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, text, update

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.database import dict_cursor
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead
from crm_core.notifications.commands import notify
from crm_core.people.models import Assignment
from crm_core.routing.intake import bound_until, write_ledgers
from crm_core.routing.queries import Read, exclusions_of, read_routing
from crm_core.routing.rules import Decision, RoutingFacts, decide
from crm_core.routing.stored import facts_from, stored_facts, stored_owners

GIVEN = history.Action("lead.give", touch="assignment")

#: What one look gives out at most: a transaction that holds the pools is short.
AT_ONCE: Final = 100

#: Waiting, but not for somebody to take it: the pool itself says that it does.
_WAITING: Final = (
    " FROM lead l LEFT JOIN pool p ON p.id = l.pool_id"
    " WHERE l.owner_id IS NULL AND l.state = 'open' AND coalesce(p.strategy, 'ledger') NOT IN ('claim', 'broadcast')"
)
_ROWS: Final = (
    "SELECT l.id, l.contact_id, l.pool_id, l.line, l.source_id, l.channel, l.received_at, c.owner_id AS contact_owner_id,"
    " c.owner_bound_until, a.facts, ARRAY(SELECT (trace->>'before')::bigint FROM assignment WHERE lead_id = l.id"
    "  AND kind = 'returned') AS gave_back FROM lead l JOIN contact c ON c.id = l.contact_id"
    "  LEFT JOIN LATERAL (SELECT facts FROM assignment WHERE lead_id = l.id AND kind <> 'returned'"
    "   AND trace->>'code' NOT LIKE 'deadline%%' ORDER BY id DESC LIMIT 1) a ON true"
    " WHERE l.id = ANY(%s) AND l.owner_id IS NULL AND l.state = 'open' ORDER BY l.received_at, l.id"
)


@dataclass(frozen=True, slots=True)
class WaitingLeads:
    """Leads without anybody, of one source."""

    source_id: int
    source_name: str
    count: int
    oldest: datetime


def waiting_leads(connection: Connection) -> list[WaitingLeads]:
    """By source, the longest waiting first; nothing about people."""
    rows = connection.execute(
        text(
            "SELECT l.source_id, s.name, count(*) AS n, min(l.received_at) AS oldest"
            f"{_WAITING.replace(' WHERE', ' JOIN source s ON s.id = l.source_id WHERE')} GROUP BY 1, 2 ORDER BY 4"
        )
    )
    return [WaitingLeads(row.source_id, row.name, row.n, row.oldest) for row in rows]


def give_waiting(connection: Connection, principal: Principal, now: datetime, zone: str, most: int = AT_ONCE) -> int:
    """Gives what waits to whoever can take it now, the oldest first, by the rules that are active now; returns how many leads.

    Nothing is locked where nobody can take anything. Raises Forbidden.
    """
    demand(principal, "leads.assign")
    ids = list(connection.scalars(text(f"SELECT l.id{_WAITING} ORDER BY l.received_at, l.id LIMIT :most"), {"most": most}))
    if not ids:
        return 0
    with dict_cursor(connection) as cursor:
        rows = cursor.execute(_ROWS, (ids,)).fetchall()
        pools = {row["pool_id"] for row in rows if row["pool_id"] is not None}
        look = read_routing(cursor, pools, zone, lock=False)
        takeable = [row for row in rows if decide(_facts(row, {}), look.state, look.config).owner_id is not None]
        if not takeable:
            return 0
        # In the order of the intake: contacts, leads, pools.
        contacts = sorted({row["contact_id"] for row in takeable})
        cursor.execute("SELECT id FROM contact WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", (contacts,))
        cursor.execute("SELECT id FROM lead WHERE id = ANY(%s) ORDER BY id FOR UPDATE", ([row["id"] for row in takeable],))
        rows = cursor.execute(_ROWS, ([row["id"] for row in takeable],)).fetchall()
        read = read_routing(cursor, pools, zone)
        conflicts = exclusions_of(cursor, contacts) if read.has_exclusions else {}
        given = 0
        for row in rows:
            given += _give(connection, principal, row, read, conflicts, zone, now)
        write_ledgers(cursor, [pool for pool in read.state.pools.values() if pool.touched])
    return given


def _facts(row: Mapping[str, Any], conflicts: Mapping[int, frozenset[int]]) -> RoutingFacts:
    """What was known when it came, with what has become of its client since."""
    then = facts_from(row["facts"] or {})
    gave_back = frozenset(row["gave_back"])  # it does not come back to them by itself
    return replace(
        then, pool_id=then.pool_id if row["facts"] else row["pool_id"], contact_owner_id=row["contact_owner_id"],
        bound_until=row["owner_bound_until"], answered_by_id=None, conflicts=conflicts.get(row["contact_id"], frozenset()) | gave_back,
        lead=then.lead or {"source": str(row["source_id"]), "channel": row["channel"], "received": row["received_at"].isoformat()},
    )  # fmt: skip


def _give(
    connection: Connection, principal: Principal, row: Mapping[str, Any], read: Read,
    conflicts: Mapping[int, frozenset[int]], zone: str, now: datetime,
) -> int:  # fmt: skip
    facts = _facts(row, conflicts)
    left_out = stored_owners(read.state)
    decision = decide(facts, read.state, read.config)
    if decision.owner_id is None:
        return 0
    trace = {**decision.trace, "waited_since": row["received_at"].isoformat(timespec="seconds")}
    if trace.get("shares_with") is None:
        trace.pop("shares_with", None)
    lead_id, owner_id = row["id"], decision.owner_id
    connection.execute(
        update(Lead).where(Lead.id == lead_id).values(owner_id=owner_id, pool_id=decision.pool_id, version=Lead.version + 1)
    )
    connection.execute(
        insert(Assignment).values(
            lead_id=lead_id, owner_id=owner_id, pool_id=decision.pool_id, kind=decision.kind, trace=trace,
            config_version=read.config.version, facts=stored_facts(facts, left_out, read.state), actor=principal.actor,
        )
    )  # fmt: skip
    _take_client(connection, row, decision, read, zone, now)
    connection.execute(
        text("UPDATE activity SET owner_id = :owner WHERE lead_id = :lead AND state = 'open' AND owner_id IS NULL"),
        {"owner": owner_id, "lead": lead_id},
    )
    told = {"owner": str(owner_id), "before": None, "code": decision.trace["code"]}
    history.record(
        connection, principal, GIVEN, lead_id, {"owner": str(owner_id), "pool": _id(decision.pool_id)},
        history.Touch(row["contact_id"], now, lead_id=lead_id, data=told),
    )  # fmt: skip
    notify(connection, "lead_given", [owner_id], lead_id, now)
    return 1


def _take_client(
    connection: Connection, row: Mapping[str, Any], decision: Decision, read: Read, zone: str, now: datetime
) -> None:
    if decision.gets_client and (row["contact_owner_id"] is None or decision.frees_client):
        connection.execute(
            update(Contact)
            .where(Contact.id == row["contact_id"])
            .values(owner_id=decision.owner_id, owner_since=now, owner_bound_until=bound_until(read.config, zone, now),
                    version=Contact.version + 1)
        )  # fmt: skip


def _id(row_id: int | None) -> str | None:
    return None if row_id is None else str(row_id)


def counted(waiting: Sequence[WaitingLeads]) -> tuple[int, datetime | None]:
    """All of them, and since when the oldest waits."""
    return sum(one.count for one in waiting), min((one.oldest for one in waiting), default=None)
