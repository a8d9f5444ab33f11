"""Changing employees, teams and pools by hand, beyond what `crm_core.people.owners` does for every door."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.people.models import Owner, Pool, PoolMember, Team
from crm_core.sources.models import Source


def change_owner(connection: Connection, owner_id: int, changes: dict[str, Any]) -> None:
    """`changes` by column: name, extension, email, team_id. Raises NotFound, Invalid (team), Conflict (extension)."""
    if not changes:
        return
    try:
        with connection.begin_nested():
            found = connection.execute(
                update(Owner).where(Owner.id == owner_id).values(**changes).returning(Owner.id)
            ).one_or_none()
    except IntegrityError as error:
        if "uq_owner_extension" in str(error.orig):
            raise Conflict(
                "extension_taken",
                "This extension already belongs to another active owner.",
                fields=["extension"],
            ) from error
        raise Invalid("team_unknown", "There is no such team.", fields=["team"]) from error
    if found is None:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")


def add_team(connection: Connection, name: str) -> int:
    try:
        with connection.begin_nested():
            return connection.execute(insert(Team).values(name=name).returning(Team.id)).scalar_one()
    except IntegrityError as error:
        raise Conflict("name_taken", "There is already a team of this name.", fields=["name"]) from error


def rename_team(connection: Connection, team_id: int, name: str) -> None:
    try:
        with connection.begin_nested():
            found = connection.execute(update(Team).where(Team.id == team_id).values(name=name).returning(Team.id)).one_or_none()
    except IntegrityError as error:
        raise Conflict("name_taken", "There is already a team of this name.", fields=["name"]) from error
    if found is None:
        raise NotFound("team_unknown", f"There is no team {team_id}.")


def remove_team(connection: Connection, team_id: int) -> None:
    """Its people stay, without a team."""
    connection.execute(update(Owner).where(Owner.team_id == team_id).values(team_id=None))
    found = connection.execute(delete(Team).where(Team.id == team_id).returning(Team.id)).one_or_none()
    if found is None:
        raise NotFound("team_unknown", f"There is no team {team_id}.")


def add_pool(connection: Connection, name: str) -> int:
    try:
        with connection.begin_nested():
            return connection.execute(insert(Pool).values(name=name).returning(Pool.id)).scalar_one()
    except IntegrityError as error:
        raise Conflict("name_taken", "There is already a pool of this name.", fields=["name"]) from error


def change_pool(connection: Connection, pool_id: int, name: str | None, default: bool | None) -> None:
    """There is always one default pool: it stops being it only when another one becomes it."""
    pool = connection.execute(select(Pool.id, Pool.is_default).where(Pool.id == pool_id).with_for_update()).one_or_none()
    if pool is None:
        raise NotFound("pool_unknown", f"There is no pool {pool_id}.")
    if default is False and pool.is_default:
        raise Invalid("default_needed", "Make another pool the default one instead.", fields=["default"])
    try:
        with connection.begin_nested():
            if name is not None:
                connection.execute(update(Pool).where(Pool.id == pool_id).values(name=name))
            if default and not pool.is_default:
                connection.execute(update(Pool).where(Pool.is_default).values(is_default=False))
                connection.execute(update(Pool).where(Pool.id == pool_id).values(is_default=True))
    except IntegrityError as error:
        raise Conflict("name_taken", "There is already a pool of this name, or another default one.", fields=["name"]) from error


def remove_pool(connection: Connection, pool_id: int) -> None:
    """Refuses the default pool and one that leads, decisions or sources name: history keeps its words."""
    pool = connection.execute(select(Pool.id, Pool.is_default).where(Pool.id == pool_id).with_for_update()).one_or_none()
    if pool is None:
        raise NotFound("pool_unknown", f"There is no pool {pool_id}.")
    if pool.is_default:
        raise Conflict("default_needed", "The default pool stays; make another one the default first.")
    if connection.scalar(select(func.count()).select_from(Source).where(Source.pool_id == pool_id)):
        raise Conflict("pool_in_use", "Sources send their leads to this pool.")
    try:
        with connection.begin_nested():
            connection.execute(delete(PoolMember).where(PoolMember.pool_id == pool_id))
            connection.execute(delete(Pool).where(Pool.id == pool_id))
    except IntegrityError as error:
        raise Conflict("pool_in_use", "Leads went through this pool; empty it instead of removing it.") from error


def put_member(connection: Connection, pool_id: int, owner_id: int, weight: float, paused: bool) -> None:
    """Adds the owner to the pool or changes his share. A new one starts owed nothing and owing nothing."""
    pool = connection.execute(select(Pool.id).where(Pool.id == pool_id).with_for_update()).one_or_none()
    if pool is None:
        raise NotFound("pool_unknown", f"There is no pool {pool_id}.")
    if connection.scalar(select(Owner.id).where(Owner.id == owner_id)) is None:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    connection.execute(
        upsert(PoolMember)
        .values(pool_id=pool_id, owner_id=owner_id, weight=weight, paused=paused)
        .on_conflict_do_update(
            index_elements=[PoolMember.pool_id, PoolMember.owner_id],
            set_={"weight": weight, "paused": paused},
        )
    )


def remove_member(connection: Connection, pool_id: int, owner_id: int) -> None:
    connection.execute(select(Pool.id).where(Pool.id == pool_id).with_for_update())
    found = connection.execute(
        delete(PoolMember).where(PoolMember.pool_id == pool_id, PoolMember.owner_id == owner_id).returning(PoolMember.owner_id)
    ).one_or_none()
    if found is None:
        raise NotFound("member_unknown", "This owner is not in this pool.")
