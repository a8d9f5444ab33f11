"""How soon whom is to be answered, who waits, and how soon everybody was: policies, marks of leads, figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Connection, bindparam, select, text
from sqlalchemy.orm import aliased

from crm_core.access import Principal, demand
from crm_core.access.visibility import select_visible
from crm_core.base.errors import Invalid, NotFound
from crm_core.base.values import Named, named
from crm_core.deadlines.facts import REACHED
from crm_core.deadlines.models import DeadlinePolicy
from crm_core.leads.models import Lead
from crm_core.people.models import Owner, Pool
from crm_core.sources.models import Source

#: How an open lead stands: its client waits; and it will be late soon; or is.
Waiting = Literal["waiting", "soon", "late"]
WAITING: Final[tuple[str, ...]] = get_args(Waiting)
By = Literal["source", "owner", "hour"]
BY: Final[tuple[str, ...]] = get_args(By)

#: What a list asks of the open wait `d` of the open lead `l`. One clause for marks and filters, so that they never disagree.
_WAITS: Final = f"d.state = 'open' AND l.state = 'open' AND d.due_at IS NOT NULL AND NOT {REACHED}"
_STANDS: Final[dict[str, str]] = {
    "waiting": "true",
    "soon": "d.due_at > :deadline_now AND coalesce(d.warned_at, d.warn_at) <= :deadline_now",
    "late": "d.due_at <= :deadline_now",
}


@dataclass(frozen=True, slots=True)
class PolicyView:
    id: int
    source: Named | None  # None: of any
    pool: Named | None
    warn_minutes: float | None  # of working time, since the inquiry was received
    breach_minutes: float
    escalate_minutes: float | None
    reassign_minutes: float | None  # since its owner got the lead
    max_hops: int
    head: Named | None  # None: the heads of sales
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """The client of an open lead waits for an answer."""

    lead_id: int
    started_at: datetime
    due_at: datetime
    standing: Waiting
    hops: int


@dataclass(frozen=True, slots=True)
class WaitView:
    """One wait of a lead's client, over or not."""

    id: int
    state: str  # open | answered | ended
    started_at: datetime
    due_at: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    escalated_at: datetime | None
    hops: int
    answered_at: datetime | None
    answered_by: Named | None
    answer: str  # call | got_through | message | by_hand, "" where nobody answered
    working_seconds: float | None
    ended_code: str


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Waits that began in a time, of one source, person or hour. Seconds are None where nothing was answered."""

    source: Named | None
    owner: Named | None
    hour: int | None  # in the hub's zone
    inquiries: int
    answered: int
    waiting: int
    unanswered: int  # closed without an answer
    late: int
    median_seconds: float | None  # of working time
    p90_seconds: float | None
    median_wall_seconds: float | None
    p90_wall_seconds: float | None


_Head = aliased(Owner)


def list_policies(connection: Connection, policy_id: int | None = None) -> list[PolicyView]:
    """Those that count now, the general one first; or only one."""
    statement = (
        select(
            *DeadlinePolicy.__table__.columns, Source.name.label("source_name"), Pool.name.label("pool_name"),
            _Head.name.label("head_name"),
        )
        .outerjoin(Source, Source.id == DeadlinePolicy.source_id)
        .outerjoin(Pool, Pool.id == DeadlinePolicy.pool_id)
        .outerjoin(_Head, _Head.id == DeadlinePolicy.head_id)
        .where(DeadlinePolicy.removed_at.is_(None))
        .order_by(DeadlinePolicy.source_id.is_not(None), DeadlinePolicy.pool_id.is_not(None), DeadlinePolicy.id)
    )  # fmt: skip
    if policy_id is not None:
        statement = statement.where(DeadlinePolicy.id == policy_id)
    return [
        PolicyView(
            row.id, named(row.source_id, row.source_name), named(row.pool_id, row.pool_name), row.warn_minutes,
            row.breach_minutes, row.escalate_minutes, row.reassign_minutes, row.max_hops, named(row.head_id, row.head_name),
            row.created_at,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def get_policy(connection: Connection, policy_id: int) -> PolicyView:
    """Raises NotFound."""
    found = list_policies(connection, policy_id)
    if not found:
        raise NotFound("deadline_unknown", f"There is no deadline {policy_id}.")
    return found[0]


def narrowed_to(standing: Waiting, now: datetime) -> ColumnElement[bool]:
    """For a list of leads: those whose client waits so."""
    ids = text(f"SELECT d.lead_id FROM deadline d JOIN lead l ON l.id = d.lead_id WHERE {_WAITS} AND {_STANDS[standing]}")
    return Lead.id.in_(ids.bindparams(bindparam("deadline_now", now)) if standing != "waiting" else ids)


def marks(connection: Connection, principal: Principal, lead_ids: Collection[int], now: datetime) -> dict[int, Mark]:
    """Of these leads those whose client waits for an answer, by id; nothing of leads that the principal may not see."""
    if not lead_ids:
        return {}
    seen = list(connection.scalars(select_visible(Lead, principal, Lead.id).where(Lead.id.in_(lead_ids), Lead.state == "open")))
    rows = connection.execute(
        text(
            "SELECT d.lead_id, d.started_at, d.due_at, d.hops,"
            f" CASE WHEN {_STANDS['late']} THEN 'late' WHEN {_STANDS['soon']} THEN 'soon' ELSE 'waiting' END AS standing"
            f" FROM deadline d JOIN lead l ON l.id = d.lead_id WHERE d.lead_id = ANY(:ids) AND {_WAITS}"
        ),
        {"ids": seen, "deadline_now": now},
    )
    return {row.lead_id: Mark(row.lead_id, row.started_at, row.due_at, row.standing, row.hops) for row in rows}


def waits_of(connection: Connection, principal: Principal, lead_id: int) -> list[WaitView]:
    """All waits of a lead's client, the latest first. Raises NotFound for a lead that the principal may not see."""
    if connection.scalar(select_visible(Lead, principal, Lead.id).where(Lead.id == lead_id)) is None:
        raise NotFound("lead_unknown", f"There is no lead {lead_id}.")
    rows = connection.execute(
        text(
            "SELECT d.*, o.name AS by_name FROM deadline d LEFT JOIN owner o ON o.id = d.answered_by WHERE d.lead_id = :lead"
            " AND d.ended_code NOT IN ('no_policy', 'superseded') ORDER BY d.started_at DESC, d.id DESC"
        ),
        {"lead": lead_id},
    )
    return [
        WaitView(
            row.id, row.state, row.started_at, row.due_at, row.warned_at, row.breached_at, row.escalated_at, row.hops,
            row.answered_at, named(row.answered_by, row.by_name), row.answer, row.working_seconds, row.ended_code,
        )
        for row in rows
    ]  # fmt: skip


#: Whose a wait is: of a late one who had it when it became late, else who answered, else who has it.
_WHOSE: Final = "CASE WHEN d.breached_at IS NOT NULL THEN d.breached_owner_id ELSE coalesce(d.answered_by, d.owner_id) END"
_KEYS: Final[dict[str, tuple[str, str]]] = {
    "source": ("l.source_id", "LEFT JOIN source n ON n.id = k.key"),
    "owner": (_WHOSE, "LEFT JOIN owner n ON n.id = k.key"),
    "hour": ("extract(hour FROM d.started_at AT TIME ZONE :zone)::bigint", ""),
}


def response_times(
    connection: Connection, principal: Principal, by: By, since: datetime | None, until: datetime | None, zone: str
) -> list[ResponseTimes]:
    """First answers to inquiries that were received from `since` until before `until`, each wait once. `zone` is the hub's.
    Raises Forbidden, Invalid."""
    demand(principal, "deadlines.read")
    if by not in BY:
        raise Invalid("by_unknown", f"Figures go by: {', '.join(BY)}.", fields=["by"])
    key, names = _KEYS[by]
    wall = "extract(epoch FROM d.answered_at - d.started_at)"

    def quantile(share: float, what: str) -> str:
        return f"percentile_cont({share}) WITHIN GROUP (ORDER BY {what}) FILTER (WHERE d.state = 'answered')"

    rows = connection.execute(
        text(
            f"SELECT k.*{', n.name' if names else ''} FROM (SELECT {key} AS key, count(*) AS inquiries,"
            "  count(*) FILTER (WHERE d.state = 'answered') AS answered, count(*) FILTER (WHERE d.state = 'open') AS waiting,"
            "  count(*) FILTER (WHERE d.state = 'ended') AS unanswered, count(*) FILTER (WHERE d.breached_at IS NOT NULL) AS late,"
            f"  {quantile(0.5, 'd.working_seconds')} AS median, {quantile(0.9, 'd.working_seconds')} AS p90,"
            f"  {quantile(0.5, wall)} AS median_wall, {quantile(0.9, wall)} AS p90_wall"
            " FROM deadline d JOIN lead l ON l.id = d.lead_id WHERE d.policy_id IS NOT NULL"
            "  AND d.ended_code NOT IN ('no_policy', 'superseded', 'merged', 'spam')"
            "  AND d.started_at >= coalesce(CAST(:since AS timestamptz), '-infinity')"
            "  AND d.started_at < coalesce(CAST(:until AS timestamptz), 'infinity')"
            f" GROUP BY 1) k {names} ORDER BY {'k.key' if by == 'hour' else 'k.inquiries DESC, k.key'}"
        ),
        {"since": since, "until": until, **({"zone": zone} if by == "hour" else {})},
    )
    return [_times(row, by) for row in rows]


def _times(row: Any, by: By) -> ResponseTimes:
    who = named(row.key, row.name) if by != "hour" else None
    return ResponseTimes(
        who if by == "source" else None, who if by == "owner" else None, int(row.key) if by == "hour" else None, row.inquiries,
        row.answered, row.waiting, row.unanswered, row.late, _number(row.median), _number(row.p90), _number(row.median_wall),
        _number(row.p90_wall),
    )  # fmt: skip


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def count_breaches(connection: Connection) -> int:
    """How many waits were ever late."""
    return int(connection.scalar(text("SELECT count(*) FROM deadline WHERE breached_at IS NOT NULL")) or 0)


def late_now(connection: Connection, principal: Principal, now: datetime, most: int) -> int:
    """How many of the leads that the principal sees are late, counted no further than `most` and one."""
    some = select_visible(Lead, principal, Lead.id).where(Lead.state == "open", narrowed_to("late", now)).limit(most + 1)
    found: Sequence[int] = connection.scalars(some).all()
    return len(found)
