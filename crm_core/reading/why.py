"""Why a lead is where it is: its events with their reasons, every assignment with its trace, its contact's merges."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, or_, select

from crm_core.access import Principal
from crm_core.models import Assignment, Contact, InboundEvent, Lead, MergeEvent, Owner, Pool, Source
from crm_core.reading.leads import get_lead
from crm_core.reading.values import named, rfc3339

_MOST_EVENTS = 500  # of one lead; more would be an attack, and the events list has them all


def why(connection: Connection, principal: Principal, lead_id: int) -> dict[str, Any]:
    """Everything that was decided about a lead, oldest first: its events, its assignments, its contact's merges."""
    lead = get_lead(connection, principal, lead_id)
    return {
        "lead": lead["id"],
        "events": _events_of(connection, lead_id),
        "assignments": _assignments_of(connection, lead_id),
        "merges": _merges_of(connection, int(lead["contact"]["id"])),
    }


def _events_of(connection: Connection, lead_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(
            InboundEvent.uid, InboundEvent.channel, InboundEvent.source_id, Source.name.label("source_name"),
            InboundEvent.received_at, InboundEvent.outcome, InboundEvent.reason,
        )
        .join(Source, Source.id == InboundEvent.source_id)
        .where(or_(InboundEvent.lead_id == lead_id, InboundEvent.id == select(Lead.event_id).where(
            Lead.id == lead_id).scalar_subquery()))
        .order_by(InboundEvent.id)
        .limit(_MOST_EVENTS)
    )  # fmt: skip
    return [
        {
            "id": row.uid,
            "channel": row.channel,
            "source": named(row.source_id, row.source_name),
            "received_at": rfc3339(row.received_at),
            "outcome": row.outcome,
            "reason": row.reason,
        }
        for row in rows
    ]


def _assignments_of(connection: Connection, lead_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(
            Assignment.id, Assignment.at, Assignment.kind, Assignment.actor, Assignment.trace, Assignment.owner_id,
            Owner.name.label("owner_name"), Assignment.pool_id, Pool.name.label("pool_name"),
        )
        .outerjoin(Owner, Owner.id == Assignment.owner_id)
        .outerjoin(Pool, Pool.id == Assignment.pool_id)
        .where(Assignment.lead_id == lead_id)
        .order_by(Assignment.id)
    )  # fmt: skip
    return [
        {
            "id": str(row.id),
            "at": rfc3339(row.at),
            "kind": row.kind,
            "owner": named(row.owner_id, row.owner_name),
            "pool": named(row.pool_id, row.pool_name),
            "actor": row.actor,
            "trace": row.trace,
        }
        for row in rows
    ]


def _merges_of(connection: Connection, root_id: int) -> list[dict[str, Any]]:
    members = select(Contact.id).where(Contact.root_id == root_id)
    rows = connection.execute(
        select(MergeEvent)
        .with_only_columns(
            MergeEvent.id, MergeEvent.winner_id, MergeEvent.loser_id, MergeEvent.actor, MergeEvent.evidence,
            MergeEvent.at, MergeEvent.undone_at,
        )
        .where(or_(MergeEvent.winner_id.in_(members), MergeEvent.loser_id.in_(members)))
        .order_by(MergeEvent.id)
    )  # fmt: skip
    return [
        {
            "id": str(row.id),
            "winner": str(row.winner_id),
            "loser": str(row.loser_id),
            "actor": row.actor,
            "evidence": row.evidence,
            "at": rfc3339(row.at),
            "undone_at": rfc3339(row.undone_at),
        }
        for row in rows
    ]
