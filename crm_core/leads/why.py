"""Why a lead is where it is: its events with their reasons, every assignment with its trace, its contact's merges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, cast, or_, select
from sqlalchemy.orm import aliased

from crm_core.access import Principal
from crm_core.access.visibility import select_any
from crm_core.base.errors import Invalid, NotFound
from crm_core.base.values import Named, named
from crm_core.contacts.models import Contact, MergeEvent
from crm_core.leads.models import Lead
from crm_core.leads.queries import get_lead
from crm_core.people.models import Assignment, Owner, Pool
from crm_core.routing.asked import AskedRule, asked_rules
from crm_core.routing.config import RoutingConfig, read_config
from crm_core.routing.models import RoutingVersion
from crm_core.sources.models import InboundEvent, Source

_Sharing = aliased(Contact, name="sharing")
#: Whoever had the client, or talked to them, has the lead whatever the rules say.
_WITHOUT_RULES = frozenset({"sticky", "answered"})
_MOST_EVENTS = 500  # of one lead; more would be an attack, and the events list has them all


@dataclass(frozen=True, slots=True)
class WhyEvent:
    uid: str
    channel: str
    source: Named
    received_at: datetime
    outcome: str | None
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AssignmentView:
    id: int
    at: datetime
    kind: str
    owner: Named | None
    pool: Named | None
    actor: str
    trace: Mapping[str, Any]
    config_version: int  # of the rules that it was decided by; 0: there were none
    shares_with: Named | None  # the client because of whose number it is where it is
    refunded_at: datetime | None  # the pool got its turn back
    rules: Sequence[AskedRule]  # that were asked, the one that applied last; none where a client's owner had them anyway


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What stood between a lead and one colleague when it was last given: one code, with its values."""

    lead: int
    owner: Named
    is_owner: bool
    code: str
    step: str  # the right by which they were considered, "" where a pool was asked
    values: Mapping[str, Any]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class MergeView:
    id: int
    winner: int
    loser: int
    actor: str
    evidence: Mapping[str, Any]
    at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Why:
    lead: int
    events: Sequence[WhyEvent]
    assignments: Sequence[AssignmentView]
    merges: Sequence[MergeView]


def why(connection: Connection, principal: Principal, lead_id: int, zone: ZoneInfo) -> Why:
    """Everything that was decided about a lead, oldest first: its events, its assignments, its contact's merges. `zone` is the
    hub's: in it the rules' weekdays and times are read."""
    lead = get_lead(connection, principal, lead_id)
    return Why(
        lead.id,
        _events_of(connection, lead_id),
        _assignments_of(connection, lead_id, zone),
        _merges_of(connection, lead.contact.id),
    )


def why_not(connection: Connection, principal: Principal, lead_id: int, owner_id: int) -> WhyNot:
    """Why this colleague did not get it, by the last decision about the lead. NotFound for a lead that the principal may not see,
    and for an unknown owner."""
    lead = get_lead(connection, principal, lead_id)
    owner = connection.execute(select(Owner.id, Owner.name).where(Owner.id == owner_id)).one_or_none()
    if owner is None:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    named_owner = Named(owner.id, owner.name)
    row = connection.execute(
        select_any(
            Assignment.at,
            Assignment.trace,
            Assignment.facts,
            Assignment.kind,
            Pool.name.label("pool_name"),
            because="the lead was seen",
        )
        .outerjoin(Pool, Pool.id == Assignment.pool_id)
        .where(Assignment.lead_id == lead_id)
        .order_by(Assignment.id.desc())
        .limit(1)
    ).one_or_none()
    is_owner = lead.owner is not None and lead.owner.id == owner_id
    if row is None:
        return WhyNot(lead_id, named_owner, is_owner, "not_known", "", {}, None)
    code, step, values = _verdict_on(row, owner_id)
    return WhyNot(lead_id, named_owner, is_owner, code, step, values, row.at)


def _verdict_on(row: Any, owner_id: int) -> tuple[str, str, dict[str, Any]]:
    """A step that they were considered at, else their place in the pool, else what kept them from leads altogether."""
    trace, wanted = row.trace, str(owner_id)
    for one in (*trace.get("steps", ()), *trace.get("candidates", ())):
        if one.get("owner") == wanted:
            values = {name: value for name, value in one.items() if name not in ("owner", "name", "rule", "verdict")}
            return str(one.get("verdict", "")), str(one.get("rule", "")), values
    left_out = row.facts.get("out", {}).get(wanted)
    if left_out is not None:
        return (
            str(left_out["verdict"]),
            "",
            {name: value for name, value in left_out.items() if name not in ("verdict", "deputy")},
        )
    if trace.get("candidates"):
        return "not_in_pool", "", {"pool_name": row.pool_name or trace.get("pool", "")}
    return "not_needed", "", {}


def _events_of(connection: Connection, lead_id: int) -> list[WhyEvent]:
    rows = connection.execute(
        select(
            InboundEvent.uid, InboundEvent.channel, InboundEvent.source_id, Source.name.label("source_name"),
            InboundEvent.received_at, InboundEvent.outcome, InboundEvent.reason,
        )
        .join(Source, Source.id == InboundEvent.source_id)
        .where(or_(InboundEvent.lead_id == lead_id, InboundEvent.id == select_any(
            Lead.event_id, because="the lead was seen").where(Lead.id == lead_id).scalar_subquery()))
        .order_by(InboundEvent.id)
        .limit(_MOST_EVENTS)
    )  # fmt: skip
    return [
        WhyEvent(row.uid, row.channel, Named(row.source_id, row.source_name), row.received_at, row.outcome, row.reason)
        for row in rows
    ]


def _assignments_of(connection: Connection, lead_id: int, zone: ZoneInfo) -> list[AssignmentView]:
    rows = connection.execute(
        select_any(
            Assignment.id, Assignment.at, Assignment.kind, Assignment.actor, Assignment.trace, Assignment.owner_id,
            Owner.name.label("owner_name"), Assignment.pool_id, Pool.name.label("pool_name"), Assignment.config_version,
            Assignment.refunded_at, Assignment.facts, _Sharing.id.label("shares_with_id"), _Sharing.name.label("shares_with_name"),
            because="the lead was seen",
        )
        .outerjoin(Owner, Owner.id == Assignment.owner_id)
        .outerjoin(Pool, Pool.id == Assignment.pool_id)
        .outerjoin(_Sharing, _Sharing.id == cast(Assignment.trace["shares_with"].astext, BigInteger))
        .where(Assignment.lead_id == lead_id)
        .order_by(Assignment.id)
    ).all()  # fmt: skip
    configs = _configs(connection, (row.config_version for row in rows), zone)
    return [
        AssignmentView(
            row.id,
            row.at,
            row.kind,
            named(row.owner_id, row.owner_name),
            named(row.pool_id, row.pool_name),
            row.actor,
            row.trace,
            row.config_version,
            named(row.shares_with_id, row.shares_with_name),
            row.refunded_at,
            asked_rules(configs[row.config_version], row.facts.get("lead", {}))
            if row.config_version in configs and row.kind not in _WITHOUT_RULES
            else (),
        )
        for row in rows
    ]


def _configs(connection: Connection, versions: Iterable[int], zone: ZoneInfo) -> dict[int, RoutingConfig]:
    """Versions never change: what was decided by one is read by it."""
    rows = connection.execute(
        select(RoutingVersion.version, RoutingVersion.body).where(RoutingVersion.version.in_(set(versions) - {0}))
    )
    found: dict[int, RoutingConfig] = {}
    for row in rows:
        with suppress(Invalid):  # of a time when rules could say what they can not today
            found[row.version] = read_config(row.body, row.version, zone)
    return found


def _merges_of(connection: Connection, root_id: int) -> list[MergeView]:
    members = select_any(Contact.id, because="the lead was seen").where(Contact.root_id == root_id)
    rows = connection.execute(
        select_any(
            MergeEvent.id, MergeEvent.winner_id, MergeEvent.loser_id, MergeEvent.actor, MergeEvent.evidence,
            MergeEvent.at, MergeEvent.undone_at, because="the lead was seen",
        )
        .where(or_(MergeEvent.winner_id.in_(members), MergeEvent.loser_id.in_(members)))
        .order_by(MergeEvent.id)
    )  # fmt: skip
    return [MergeView(row.id, row.winner_id, row.loser_id, row.actor, row.evidence, row.at, row.undone_at) for row in rows]
