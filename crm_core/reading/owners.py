"""Employees with their absences, teams, and pools with their live ledgers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from crm_core.errors import NotFound
from crm_core.models import Absence, Lead, Owner, Pool, PoolMember, Team
from crm_core.reading.values import named, rfc3339


def list_owners(connection: Connection, owner_id: int | None = None) -> list[dict[str, Any]]:
    """Everybody, the duty person first; or only one."""
    absent_until = (
        select(func.max(Absence.until_at))
        .where(Absence.owner_id == Owner.id, Absence.from_at <= func.now(), Absence.until_at > func.now())
        .scalar_subquery()
    )
    open_leads = (
        select(func.count())
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
        {
            "id": str(row.id),
            "name": row.name,
            "extension": row.extension,
            "email": row.email,
            "team": named(row.team_id, row.team_name),
            "active": row.active,
            "duty": row.duty,
            "absent_until": rfc3339(row.absent_until),
            "open_leads": row.open_leads,
            "created_at": rfc3339(row.created_at),
        }
        for row in connection.execute(statement)
    ]


def get_owner(connection: Connection, owner_id: int) -> dict[str, Any]:
    found = list_owners(connection, owner_id)
    if not found:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    return found[0]


def list_teams(connection: Connection, team_id: int | None = None) -> list[dict[str, Any]]:
    statement = (
        select(Team.id, Team.name, func.count(Owner.id).label("owners"))
        .outerjoin(Owner, (Owner.team_id == Team.id) & Owner.active)
        .group_by(Team.id, Team.name)
        .order_by(Team.name)
    )
    if team_id is not None:
        statement = statement.where(Team.id == team_id)
    return [
        {"id": str(row.id), "name": row.name, "owners": row.owners} for row in connection.execute(statement)
    ]


def get_team(connection: Connection, team_id: int) -> dict[str, Any]:
    found = list_teams(connection, team_id)
    if not found:
        raise NotFound("team_unknown", f"There is no team {team_id}.")
    return found[0]


def list_pools(connection: Connection, pool_id: int | None = None) -> list[dict[str, Any]]:
    """Pools, the default one first. A member's deficit is what he is owed: the largest gets the next lead."""
    statement = select(Pool.id, Pool.name, Pool.is_default, Pool.seq).order_by(
        Pool.is_default.desc(), Pool.id
    )
    if pool_id is not None:
        statement = statement.where(Pool.id == pool_id)
    pools: dict[int, dict[str, Any]] = {
        row.id: {
            "id": str(row.id),
            "name": row.name,
            "default": row.is_default,
            "picks": row.seq,
            "members": [],
        }
        for row in connection.execute(statement)
    }
    members = connection.execute(
        select(
            PoolMember.pool_id, PoolMember.owner_id, Owner.name, PoolMember.weight, PoolMember.entitled,
            PoolMember.assigned, PoolMember.paused,
        )
        .join(Owner, Owner.id == PoolMember.owner_id)
        .where(PoolMember.pool_id.in_(pools))
        .order_by((PoolMember.assigned - PoolMember.entitled), PoolMember.last_seq, PoolMember.owner_id)
    )  # fmt: skip
    for row in members:
        pools[row.pool_id]["members"].append(
            {
                "owner": named(row.owner_id, row.name),
                "weight": row.weight,
                "entitled": round(row.entitled, 6),
                "assigned": row.assigned,
                "deficit": round(row.entitled - row.assigned, 6),
                "paused": row.paused,
            }
        )
    return list(pools.values())


def get_pool(connection: Connection, pool_id: int) -> dict[str, Any]:
    found = list_pools(connection, pool_id)
    if not found:
        raise NotFound("pool_unknown", f"There is no pool {pool_id}.")
    return found[0]
