"""Employees with their absences, teams, and pools with their live ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from crm_core.access.visibility import select_any
from crm_core.base.errors import NotFound
from crm_core.base.values import Named, named
from crm_core.leads.models import Lead
from crm_core.people.models import Absence, Owner, Pool, PoolMember, Team


@dataclass(frozen=True, slots=True)
class OwnerView:
    id: int
    name: str
    extension: str
    email: str
    team: Named | None
    active: bool
    duty: bool
    absent_until: datetime | None
    open_leads: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TeamView:
    id: int
    name: str
    owners: int  # active ones


@dataclass(frozen=True, slots=True)
class PoolMemberView:
    owner: Named
    weight: float
    entitled: float
    assigned: int
    deficit: float  # what they are owed; the largest gets the next lead
    paused: bool


@dataclass(frozen=True, slots=True)
class PoolView:
    id: int
    name: str
    default: bool
    picks: int
    members: Sequence[PoolMemberView]


def list_owners(connection: Connection, owner_id: int | None = None) -> list[OwnerView]:
    """Everybody, the duty person first; or only one."""
    absent_until = (
        select(func.max(Absence.until_at))
        .where(Absence.owner_id == Owner.id, Absence.from_at <= func.now(), Absence.until_at > func.now())
        .scalar_subquery()
    )
    open_leads = (
        select_any(func.count(), because="a number says nothing of anybody")
        .select_from(Lead)
        .where(Lead.owner_id == Owner.id, Lead.state == "open")
        .scalar_subquery()
    )
    statement = (
        select(
            Owner.id, Owner.name, Owner.extension, Owner.email, Owner.team_id, Team.name.label("team_name"),
            Owner.active, Owner.duty, absent_until.label("absent_until"), open_leads.label("open_leads"),
            Owner.created_at,
        )
        .outerjoin(Team, Team.id == Owner.team_id)
        .order_by(Owner.duty.desc(), Owner.id)
    )  # fmt: skip
    if owner_id is not None:
        statement = statement.where(Owner.id == owner_id)
    return [
        OwnerView(
            row.id, row.name, row.extension, row.email, named(row.team_id, row.team_name), row.active, row.duty,
            row.absent_until, row.open_leads, row.created_at,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def get_owner(connection: Connection, owner_id: int) -> OwnerView:
    found = list_owners(connection, owner_id)
    if not found:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    return found[0]


def list_teams(connection: Connection, team_id: int | None = None) -> list[TeamView]:
    statement = (
        select(Team.id, Team.name, func.count(Owner.id).label("owners"))
        .outerjoin(Owner, (Owner.team_id == Team.id) & Owner.active)
        .group_by(Team.id, Team.name)
        .order_by(Team.name)
    )
    if team_id is not None:
        statement = statement.where(Team.id == team_id)
    return [TeamView(row.id, row.name, row.owners) for row in connection.execute(statement)]


def get_team(connection: Connection, team_id: int) -> TeamView:
    found = list_teams(connection, team_id)
    if not found:
        raise NotFound("team_unknown", f"There is no team {team_id}.")
    return found[0]


def list_pools(connection: Connection, pool_id: int | None = None) -> list[PoolView]:
    """Pools, the default one first."""
    statement = select(Pool.id, Pool.name, Pool.is_default, Pool.seq).order_by(Pool.is_default.desc(), Pool.id)
    if pool_id is not None:
        statement = statement.where(Pool.id == pool_id)
    pools = connection.execute(statement).all()
    members: dict[int, list[PoolMemberView]] = {row.id: [] for row in pools}
    rows = connection.execute(
        select(
            PoolMember.pool_id, PoolMember.owner_id, Owner.name, PoolMember.weight, PoolMember.entitled,
            PoolMember.assigned, PoolMember.paused,
        )
        .join(Owner, Owner.id == PoolMember.owner_id)
        .where(PoolMember.pool_id.in_(members))
        .order_by((PoolMember.assigned - PoolMember.entitled), PoolMember.last_seq, PoolMember.owner_id)
    )  # fmt: skip
    for row in rows:
        members[row.pool_id].append(
            PoolMemberView(
                Named(row.owner_id, row.name),
                row.weight,
                round(row.entitled, 6),
                row.assigned,
                round(row.entitled - row.assigned, 6),
                row.paused,
            )
        )
    return [PoolView(row.id, row.name, row.is_default, row.seq, members[row.id]) for row in pools]


def get_pool(connection: Connection, pool_id: int) -> PoolView:
    found = list_pools(connection, pool_id)
    if not found:
        raise NotFound("pool_unknown", f"There is no pool {pool_id}.")
    return found[0]
