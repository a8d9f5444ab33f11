"""All that may be done with owners, teams and pools, by whomever and through whichever door; absences are in `absences`.

An owner is never deleted, only retired: history names them. Rows of `pool` are locked last, as the intake does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, ScalarResult, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, cut_off_owner, demand
from crm_core.base import history
from crm_core.base.errors import Conflict, HubError, Invalid, NotFound
from crm_core.people.models import Owner, Pool, PoolMember, Team
from crm_core.people.queries import work_in_hand
from crm_core.people.rules import (
    LONGEST_EMAIL,
    LONGEST_EXTENSION,
    checked_name,
    checked_profile,
    checked_strategy,
    checked_weight,
    short,
)
from crm_core.sources.models import Source

OWNER_ADDED = history.Action("owner.add")
OWNER_CHANGED = history.Action("owner.change")
OWNER_RETIRED = history.Action("owner.retire")
OWNER_ACTIVATED = history.Action("owner.activate")
OWNER_ON_DUTY = history.Action("owner.duty")
TEAM_ADDED = history.Action("team.add")
TEAM_CHANGED = history.Action("team.change")
TEAM_REMOVED = history.Action("team.remove")
POOL_ADDED = history.Action("pool.add")
POOL_CHANGED = history.Action("pool.change")
POOL_REMOVED = history.Action("pool.remove")
MEMBER_PUT = history.Action("pool.member")
MEMBER_REMOVED = history.Action("pool.member_removed")

_RIGHT: Final = "owners.write"
#: What makes somebody the duty person, one at a time: two at once would both find the place free.
_DUTY_LOCK: Final = 0x1EAD_D017


def add_owner(
    connection: Connection,
    principal: Principal,
    name: str,
    *,
    extension: str = "",
    email: str = "",
    team: str = "",
    team_id: int | None = None,
    weight: float = 1.0,
) -> int:
    """Adds an employee to the default pool, owed nothing and owing nothing; returns their id. The team is named by its id, or
    by a name: then it is made if there is none. Raises Invalid, Conflict: an extension belongs to one active owner only.
    """
    demand(principal, _RIGHT)
    name, extension, email = (
        checked_name(name),
        short(extension, "extension", LONGEST_EXTENSION),
        short(email, "email", LONGEST_EMAIL),
    )
    checked_weight(weight)
    if team.strip():
        team_id = _team_named(connection, principal, team)
    statement = insert(Owner).values(name=name, extension=extension, email=email, team_id=team_id).returning(Owner.id)
    owner_id = _unless(connection, statement, _of_owner).one()
    pools = select(Pool.id, text(":owner"), text(":weight")).where(Pool.is_default)
    connection.execute(
        insert(PoolMember).from_select(["pool_id", "owner_id", "weight"], pools), {"owner": owner_id, "weight": weight}
    )
    history.record(connection, principal, OWNER_ADDED, owner_id)
    return owner_id


def change_owner(
    connection: Connection, principal: Principal, owner_id: int, changes: Mapping[str, Any], hub_zone: str = ""
) -> None:
    """`changes` by column: name, extension, email, team_id; calendar_id, zone, week (as `crm_core.calendars.weeks` says, None: the
    calendar's); languages, skills, regions; max_open, max_per_day (None: no limit). Hours and limits of a day of somebody who
    has neither zone nor calendar are meant in `hub_zone`. Raises NotFound, Invalid, Conflict (extension)."""
    demand(principal, _RIGHT)
    owner = locked_owner(connection, owner_id)
    wanted = dict(changes)
    if "name" in wanted:
        wanted["name"] = checked_name(wanted["name"])
    for field, most in (("extension", LONGEST_EXTENSION), ("email", LONGEST_EMAIL)):
        if field in wanted:
            wanted[field] = short(wanted[field], field, most)
    wanted |= checked_profile(wanted)
    after = {field: wanted.get(field, getattr(owner, field)) for field in ("calendar_id", "zone", "week", "max_per_day")}
    if not after["zone"] and after["calendar_id"] is None and (after["week"] is not None or after["max_per_day"] is not None):
        wanted["zone"] = hub_zone
    changed = {field: value for field, value in wanted.items() if getattr(owner, field) != value}
    if not changed:
        return
    statement = update(Owner).where(Owner.id == owner_id).values(**changed).returning(Owner.id)
    _unless(connection, statement, _of_owner)
    history.record(connection, principal, OWNER_CHANGED, owner_id, {"fields": sorted(changed)})


def retire_owner(connection: Connection, principal: Principal, owner_id: int, now: datetime) -> None:
    """They get nothing more. Whoever has work in hand is not retired before it is with somebody else
    (`crm_core.handovers.commands.hand_over`), nor is the duty person before somebody else is it.

    Whoever is retired is out at once: their users are disabled, their tokens revoked, and stay so when the owner is
    activated again. Raises NotFound, Conflict (owner_has_work, owner_on_duty, last_administrator).
    """
    demand(principal, _RIGHT)
    # Leads are given under this lock: what is being given to them is counted, and the next decision knows that they left.
    connection.execute(select(Pool.id).where(Pool.is_default).with_for_update())
    owner = connection.execute(select(*Owner.__table__.columns).where(Owner.id == owner_id).with_for_update()).one_or_none()
    if owner is None:
        raise unknown("owner", owner_id)
    if owner.active:
        _refuse_work_in_hand(connection, owner, now)
    connection.execute(update(Owner).where(Owner.id == owner_id).values(active=False))
    cut_off_owner(connection, principal, owner_id)
    if owner.active:
        history.record(connection, principal, OWNER_RETIRED, owner_id)


def _refuse_work_in_hand(connection: Connection, owner: Any, now: datetime) -> None:
    if owner.duty:
        raise Conflict(
            "owner_on_duty", "They are the duty person, who takes what nobody else can. Put somebody else on duty first."
        )
    work = work_in_hand(connection, owner.id, now)
    if not work:
        return
    facts = {"leads": work.leads, "tasks": work.tasks, "late": work.late, "clients": work.clients, "messages": work.messages}
    has = (
        f"{work.leads} open leads, {work.tasks} tasks and call-backs ({work.late} late), {work.clients} clients,"
        f" {work.messages} unread messages; {work.pools} pools" + (f", extension {owner.extension}" if owner.extension else "")
    )
    raise Conflict(
        "owner_has_work",
        f"{owner.name} still has {has}. Hand everything over to a colleague first: page People and teams, leadhub owner hand-over"
        f" {owner.id} --to ID, or POST /api/v1/owners/{owner.id}/hand-over. Single leads are assigned on their own page.",
        **facts, pools=work.pools, extension=owner.extension or "–",
    )  # fmt: skip


def activate_owner(connection: Connection, principal: Principal, owner_id: int) -> None:
    """They get leads again. Raises NotFound, Conflict if somebody else has their extension by now."""
    demand(principal, _RIGHT)
    if locked_owner(connection, owner_id).active:
        return
    statement = update(Owner).where(Owner.id == owner_id).values(active=True).returning(Owner.id)
    _unless(connection, statement, _of_owner)
    history.record(connection, principal, OWNER_ACTIVATED, owner_id)


def set_duty(connection: Connection, principal: Principal, owner_id: int) -> None:
    """Makes this owner the duty person instead of the present one. Raises NotFound."""
    demand(principal, _RIGHT)
    connection.execute(select(func.pg_advisory_xact_lock(_DUTY_LOCK)))
    if locked_owner(connection, owner_id).duty:
        return
    connection.execute(update(Owner).where(Owner.duty).values(duty=False))
    connection.execute(update(Owner).where(Owner.id == owner_id).values(duty=True))
    history.record(connection, principal, OWNER_ON_DUTY, owner_id)


def add_team(connection: Connection, principal: Principal, name: str) -> int:
    """Raises Invalid, Conflict (name_taken)."""
    demand(principal, _RIGHT)
    statement = insert(Team).values(name=checked_name(name)).returning(Team.id)
    team_id = _unless(connection, statement, _name_taken("team")).one()
    history.record(connection, principal, TEAM_ADDED, team_id)
    return team_id


def rename_team(connection: Connection, principal: Principal, team_id: int, name: str) -> None:
    """Raises NotFound, Invalid, Conflict (name_taken)."""
    demand(principal, _RIGHT)
    found = connection.execute(select(Team.name).where(Team.id == team_id).with_for_update(key_share=True)).one_or_none()
    if found is None:
        raise unknown("team", team_id)
    if found.name == (name := checked_name(name)):
        return
    _unless(connection, update(Team).where(Team.id == team_id).values(name=name).returning(Team.id), _name_taken("team"))
    history.record(connection, principal, TEAM_CHANGED, team_id)


def remove_team(connection: Connection, principal: Principal, team_id: int) -> None:
    """Its people stay, without a team. Raises NotFound."""
    demand(principal, _RIGHT)
    if connection.execute(select(Team.id).where(Team.id == team_id).with_for_update()).one_or_none() is None:
        raise unknown("team", team_id)
    connection.execute(update(Owner).where(Owner.team_id == team_id).values(team_id=None))
    connection.execute(delete(Team).where(Team.id == team_id))
    history.record(connection, principal, TEAM_REMOVED, team_id)


def add_pool(connection: Connection, principal: Principal, name: str) -> int:
    """Raises Invalid, Conflict (name_taken)."""
    demand(principal, _RIGHT)
    statement = insert(Pool).values(name=checked_name(name)).returning(Pool.id)
    pool_id = _unless(connection, statement, _name_taken("pool")).one()
    history.record(connection, principal, POOL_ADDED, pool_id)
    return pool_id


def change_pool(
    connection: Connection,
    principal: Principal,
    pool_id: int,
    name: str | None = None,
    default: bool | None = None,
    strategy: str | None = None,
) -> None:
    """There is always one default pool: it stops being it only when another one becomes it. `strategy` is one of STRATEGIES: how
    it shares out from now on; what it owes everybody stays. Raises NotFound, Invalid, Conflict."""
    demand(principal, _RIGHT)
    pool = _locked_pool(connection, pool_id)
    if default is False and pool.is_default:
        raise Invalid("default_needed", "Make another pool the default one instead.", fields=["default"])
    wanted: dict[str, Any] = {} if name is None else {"name": checked_name(name)}
    wanted |= {"is_default": True} if default else {}
    wanted |= {} if strategy is None else {"strategy": checked_strategy(strategy)}
    changed = {field: value for field, value in wanted.items() if getattr(pool, field) != value}
    if not changed:
        return
    taken = Conflict("name_taken", "There is already a pool of this name, or another default one.", fields=["name"])
    try:
        with connection.begin_nested():
            if "is_default" in changed:
                connection.execute(update(Pool).where(Pool.is_default).values(is_default=False))
            connection.execute(update(Pool).where(Pool.id == pool_id).values(**changed))
    except IntegrityError as error:
        raise taken from error
    fields = sorted("default" if field == "is_default" else field for field in changed)
    history.record(connection, principal, POOL_CHANGED, pool_id, {"fields": fields})


def remove_pool(connection: Connection, principal: Principal, pool_id: int) -> None:
    """Refuses the default pool and one that leads, decisions or sources name: history keeps its words. Raises NotFound, Conflict."""
    demand(principal, _RIGHT)
    if _locked_pool(connection, pool_id).is_default:
        raise Conflict("default_needed", "The default pool stays; make another one the default first.")
    if connection.scalar(select(func.count()).select_from(Source).where(Source.pool_id == pool_id)):
        raise Conflict("pool_in_use", "Sources send their leads to this pool.")
    try:
        with connection.begin_nested():
            connection.execute(delete(PoolMember).where(PoolMember.pool_id == pool_id))
            connection.execute(delete(Pool).where(Pool.id == pool_id))
    except IntegrityError as error:
        raise Conflict("pool_in_use", "Leads went through this pool; empty it instead of removing it.") from error
    history.record(connection, principal, POOL_REMOVED, pool_id)


def put_member(
    connection: Connection, principal: Principal, pool_id: int, owner_id: int, weight: float = 1.0, paused: bool = False
) -> None:
    """Adds the owner to the pool or changes their share. A new one starts owed nothing and owing nothing. Raises NotFound,
    Invalid."""
    demand(principal, _RIGHT)
    checked_weight(weight)
    if connection.scalar(select(Owner.id).where(Owner.id == owner_id)) is None:
        raise unknown("owner", owner_id)
    _locked_pool(connection, pool_id)
    share = {"weight": weight, "paused": paused}
    present = connection.execute(
        select(PoolMember.weight, PoolMember.paused).where(PoolMember.pool_id == pool_id, PoolMember.owner_id == owner_id)
    ).one_or_none()
    if present is not None and present._asdict() == share:
        return
    connection.execute(
        upsert(PoolMember)
        .values(pool_id=pool_id, owner_id=owner_id, **share)
        .on_conflict_do_update(index_elements=[PoolMember.pool_id, PoolMember.owner_id], set_=share)
    )
    history.record(connection, principal, MEMBER_PUT, pool_id, {"owner": str(owner_id)})


def remove_member(connection: Connection, principal: Principal, pool_id: int, owner_id: int) -> None:
    """Raises NotFound."""
    demand(principal, _RIGHT)
    _locked_pool(connection, pool_id)
    found = connection.execute(
        delete(PoolMember).where(PoolMember.pool_id == pool_id, PoolMember.owner_id == owner_id).returning(PoolMember.owner_id)
    ).one_or_none()
    if found is None:
        raise NotFound("member_unknown", "This owner is not in this pool.")
    history.record(connection, principal, MEMBER_REMOVED, pool_id, {"owner": str(owner_id)})


def _team_named(connection: Connection, principal: Principal, name: str) -> int:
    """The team of that name, made if there is none."""
    name = checked_name(name)
    made = connection.execute(upsert(Team).values(name=name).on_conflict_do_nothing().returning(Team.id)).scalar()
    if made is None:
        return connection.execute(select(Team.id).where(Team.name == name)).scalar_one()
    history.record(connection, principal, TEAM_ADDED, made)
    return made


def locked_owner(connection: Connection, owner_id: int) -> Any:
    """Against other changes, not against leads that are given to them meanwhile."""
    row = connection.execute(
        select(*Owner.__table__.columns).where(Owner.id == owner_id).with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise unknown("owner", owner_id)
    return row


def _locked_pool(connection: Connection, pool_id: int) -> Any:
    row = connection.execute(
        select(Pool.id, Pool.name, Pool.is_default, Pool.strategy).where(Pool.id == pool_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise unknown("pool", pool_id)
    return row


def _unless(connection: Connection, statement: Any, refusal: Callable[[IntegrityError], HubError]) -> ScalarResult[int]:
    """What the statement returns; where a constraint is in the way, the refusal instead."""
    try:
        with connection.begin_nested():
            return connection.execute(statement).scalars()
    except IntegrityError as error:
        raise refusal(error) from error


def _of_owner(error: IntegrityError) -> HubError:
    """Either the extension is somebody's, or there is no such team or calendar."""
    if "uq_owner_extension" in str(error.orig):
        return Conflict("extension_taken", "This extension already belongs to another active owner.", fields=["extension"])
    if "fk_owner_calendar_id" in str(error.orig):
        return Invalid("calendar_unknown", "There is no such calendar.", fields=["calendar"])
    return Invalid("team_unknown", "There is no such team.", fields=["team"])


def _name_taken(noun: str) -> Callable[[IntegrityError], HubError]:
    return lambda _: Conflict("name_taken", f"There is already a {noun} of this name.", fields=["name"])


def unknown(noun: str, row_id: int) -> NotFound:
    return NotFound(f"{noun}_unknown", f"There is no {noun} {row_id}.")
