"""The two numbers that the console shows on every page: calls to make, events that need a person."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from crm_core.access import Principal, may, visible_activities
from crm_core.models import Activity, InboundEvent

#: Counted no further than this: a badge says "many" as well, and a flood must not slow every page down.
_MOST = 10_000


def open_counts(connection: Connection, principal: Principal) -> dict[str, int]:
    """{"call_backs","needs_attention"}, only those that the principal may look into. Both from partial indexes."""
    counts: dict[str, int] = {}
    if may(principal, "activities.read"):
        call_backs = (
            select(Activity.id)
            .where(Activity.state == "open", Activity.kind == "call_back", visible_activities(principal))
            .limit(_MOST)
        )
        counts["call_backs"] = connection.scalar(select(func.count()).select_from(call_backs.subquery())) or 0
    if may(principal, "events.read"):
        attention = (
            select(InboundEvent.id)
            .where(InboundEvent.state.in_(("needs_attention", "rejected")))
            .limit(_MOST)
        )
        counts["needs_attention"] = (
            connection.scalar(select(func.count()).select_from(attention.subquery())) or 0
        )
    return counts
