"""Employees with their absences, teams, and pools with their live ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from crm_core.access.visibility import select_any
from crm_core.activities.models import Activity
from crm_core.base.errors import NotFound
from crm_core.base.values import Named, named
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead
from crm_core.mentions.models import Mention
from crm_core.people.models import Absence, Owner, Pool, PoolMember, Team

_A_NUMBER: Final = "a number says nothing of anybody"


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
    strategy: str  # see crm_core.people.rules.STRATEGIES
    members: Sequence[PoolMemberView]


@dataclass(frozen=True, slots=True)
class WorkInHand:
    """What would be nobody's if an owner left now. Pools alone are no work."""

    leads: int  # open ones
    tasks: int  # open ones, call-backs among them
    late: int  # of the tasks
    clients: int
    messages: int  # of colleagues, not read yet
    pools: int

    def __bool__(self) -> bool:
        return bool(self.leads or self.tasks or self.clients or self.messages)


@dataclass(frozen=True, slots=True)
class WorkOfNobody:
    """An inactive owner who still has something in hand."""

    owner: Named
    leads: int
    clients: int
    tasks: int


def work_in_hand(connection: Connection, owner_id: int, now: datetime) -> WorkInHand:
    tasks = (Activity.owner_id == owner_id, Activity.state == "open")

    def count(model: Any, *where: Any) -> Any:
        return select_any(func.count(), because=_A_NUMBER).select_from(model).where(*where).scalar_subquery()

    return WorkInHand(
        *connection.execute(
            select_any(
                count(Lead, Lead.owner_id == owner_id, Lead.state == "open"),
                count(Activity, *tasks),
                count(Activity, *tasks, Activity.due_at < now),
                count(Contact, Contact.owner_id == owner_id, Contact.root_id == Contact.id),
                count(Mention, Mention.owner_id == owner_id, Mention.read_at.is_(None)),
                count(PoolMember, PoolMember.owner_id == owner_id),
                because=_A_NUMBER,
            )
        ).one()
    )


def work_of_nobody(connection: Connection) -> list[WorkOfNobody]:
    """Inactive owners with open leads, clients or open tasks: none on a hub whose owners were retired with this version."""

    def count(model: Any, *where: Any) -> Any:
        return (
            select_any(func.count(), because=_A_NUMBER).select_from(model).where(model.owner_id == Owner.id, *where)
            .scalar_subquery()
        )  # fmt: skip

    leads, clients = count(Lead, Lead.state == "open"), count(Contact, Contact.root_id == Contact.id)
    tasks = count(Activity, Activity.state == "open")
    rows = connection.execute(
        select_any(Owner.id, Owner.name, leads.label("leads"), clients.label("clients"), tasks.label("tasks"), because=_A_NUMBER)
        .where(~Owner.active)
        .order_by(Owner.id)
    )
    return [
        WorkOfNobody(Named(row.id, row.name), row.leads, row.clients, row.tasks)
        for row in rows
        if row.leads or row.clients or row.tasks
    ]


def list_owners(connection: Connection, owner_id: int | None = None) -> list[OwnerView]:
    """Everybody, the duty person first; or only one."""
    absent_until = (
        select(func.max(Absence.until_at))
        .where(Absence.owner_id == Owner.id, Absence.from_at <= func.now(), Absence.until_at > func.now())
        .scalar_subquery()
    )
    open_leads = (
        select_any(func.count(), because=_A_NUMBER)
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
    statement = select(Pool.id, Pool.name, Pool.is_default, Pool.seq, Pool.strategy).order_by(Pool.is_default.desc(), Pool.id)
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
    return [PoolView(row.id, row.name, row.is_default, row.seq, row.strategy, members[row.id]) for row in pools]


def get_pool(connection: Connection, pool_id: int) -> PoolView:
    found = list_pools(connection, pool_id)
    if not found:
        raise NotFound("pool_unknown", f"There is no pool {pool_id}.")
    return found[0]
