"""Everybody as the page "People and teams" shows them: at work or away, hours, pools, load; and somebody's absences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from crm_core.access.visibility import select_any
from crm_core.activities.models import Activity
from crm_core.base.errors import NotFound
from crm_core.base.values import Named, named
from crm_core.base.working_time import end_of_shift
from crm_core.calendars.models import WorkCalendar
from crm_core.calendars.weeks import week_json
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead
from crm_core.people.availability import FOREVER, Availability, load_availability
from crm_core.people.models import Absence, Assignment, Owner, Pool, PoolMember, Team

_A_NUMBER = "a number says nothing of anybody"


@dataclass(frozen=True, slots=True)
class AbsenceView:
    id: int
    from_at: datetime
    until_at: datetime
    reason: str
    deputy: Named | None
    running: bool


@dataclass(frozen=True, slots=True)
class PoolShare:
    pool: Named
    weight: float
    paused: bool


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    extension: str
    email: str
    team: Named | None
    active: bool
    duty: bool
    absent_until: datetime | None
    deputy: Named | None  # of the running absence
    paused: bool
    paused_until: datetime | None  # None also while paused: until somebody ends it
    on_shift: bool  # always, for whom no hours were set
    shift_ends: datetime | None
    next_on_shift: datetime | None
    calendar: Named | None
    zone: str  # their own, or the calendar's; "": the hub's
    own_zone: str
    week: dict[str, Any] | None  # their own hours; None: the calendar's
    hours: dict[str, Any] | None  # by which they work; None: always
    languages: list[str]
    skills: list[str]
    regions: list[str]
    max_open: int | None
    max_per_day: int | None
    open_leads: int
    given_today: int  # since midnight in their zone
    overdue: int  # open tasks that are late
    clients: int
    pools: list[PoolShare]
    absences: list[AbsenceView]  # running and planned, by their beginning
    created_at: datetime


def list_people(connection: Connection, now: datetime, hub_zone: str, owner_id: int | None = None) -> list[Person]:
    """The duty person first; or only one. `hub_zone` says when today began for whoever has no zone."""
    there = load_availability(connection, now)
    statement = (
        select_any(
            *Owner.__table__.columns, Team.name.label("team_name"), WorkCalendar.name.label("calendar_name"),
            WorkCalendar.zone.label("calendar_zone"),
            select_any(func.count(), because=_A_NUMBER).select_from(Lead)
            .where(Lead.owner_id == Owner.id, Lead.state == "open").scalar_subquery().label("open_leads"),
            select_any(func.count(), because=_A_NUMBER).select_from(Activity)
            .where(Activity.owner_id == Owner.id, Activity.state == "open", Activity.due_at < now)
            .scalar_subquery().label("overdue"),
            select_any(func.count(), because=_A_NUMBER).select_from(Contact)
            .where(Contact.owner_id == Owner.id, Contact.root_id == Contact.id).scalar_subquery().label("clients"),
            select_any(func.count(Assignment.lead_id.distinct()), because=_A_NUMBER)
            .where(
                Assignment.owner_id == Owner.id, Assignment.at <= now,
                Assignment.at >= func.date_trunc(
                    "day", now, func.coalesce(func.nullif(Owner.zone, ""), WorkCalendar.zone, hub_zone)
                ),
            ).scalar_subquery().label("given"),
            because=_A_NUMBER,
        )
        .outerjoin(Team, Team.id == Owner.team_id)
        .outerjoin(WorkCalendar, WorkCalendar.id == Owner.calendar_id)
        .order_by(Owner.duty.desc(), Owner.id)
    )  # fmt: skip
    if owner_id is not None:
        statement = statement.where(Owner.id == owner_id)
    rows = connection.execute(statement).all()
    ids = [row.id for row in rows]
    pools, absences = _pools(connection, ids), _absences(connection, ids, now)
    return [_person(row, there, pools[row.id], absences[row.id], now) for row in rows]


def get_person(connection: Connection, now: datetime, hub_zone: str, owner_id: int) -> Person:
    found = list_people(connection, now, hub_zone, owner_id)
    if not found:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    return found[0]


def list_absences(connection: Connection, owner_id: int, now: datetime) -> list[AbsenceView]:
    """Running and planned ones, by their beginning. Raises NotFound."""
    if connection.scalar(select(Owner.id).where(Owner.id == owner_id)) is None:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    return _absences(connection, [owner_id], now)[owner_id]


def zone_of(connection: Connection, owner_id: int, hub_zone: str) -> ZoneInfo:
    """In which what is said of somebody's days is meant: their own zone, or the calendar's, or the hub's."""
    own = connection.execute(
        select(Owner.zone, WorkCalendar.zone.label("of_calendar"))
        .outerjoin(WorkCalendar, WorkCalendar.id == Owner.calendar_id)
        .where(Owner.id == owner_id)
    ).one_or_none()
    return ZoneInfo((own and (own.zone or own.of_calendar)) or hub_zone)


def _person(
    row: Any, there: dict[int, Availability], pools: list[PoolShare], absences: list[AbsenceView], now: datetime
) -> Person:
    one = there[row.id]
    deputy = there.get(one.deputy_id) if one.deputy_id is not None else None
    return Person(
        row.id, row.name, row.extension, row.email, named(row.team_id, row.team_name), row.active, row.duty, one.absent_until,
        named(one.deputy_id, deputy.name if deputy else None), one.paused_until is not None,
        None if one.paused_until == FOREVER else one.paused_until, one.on_shift,
        end_of_shift(one.calendar, now) if one.calendar else None, one.next_on_shift,
        named(row.calendar_id, row.calendar_name), row.zone or row.calendar_zone or "", row.zone, row.week,
        week_json(one.calendar.week) if one.calendar else None, row.languages, row.skills, row.regions, row.max_open,
        row.max_per_day, row.open_leads, row.given, row.overdue, row.clients, pools, absences, row.created_at,
    )  # fmt: skip


def _pools(connection: Connection, owner_ids: list[int]) -> dict[int, list[PoolShare]]:
    found: dict[int, list[PoolShare]] = {owner_id: [] for owner_id in owner_ids}
    for row in connection.execute(
        select(PoolMember.owner_id, PoolMember.pool_id, Pool.name, PoolMember.weight, PoolMember.paused)
        .join(Pool, Pool.id == PoolMember.pool_id)
        .where(PoolMember.owner_id.in_(owner_ids))
        .order_by(Pool.is_default.desc(), Pool.id)
    ):
        found[row.owner_id].append(PoolShare(Named(row.pool_id, row.name), row.weight, row.paused))
    return found


def _absences(connection: Connection, owner_ids: list[int], now: datetime) -> dict[int, list[AbsenceView]]:
    found: dict[int, list[AbsenceView]] = {owner_id: [] for owner_id in owner_ids}
    deputy = aliased(Owner)
    for row in connection.execute(
        select(*Absence.__table__.columns, deputy.name.label("deputy_name"))
        .outerjoin(deputy, deputy.id == Absence.deputy_id)
        .where(Absence.owner_id.in_(owner_ids), Absence.until_at > now)
        .order_by(Absence.from_at)
    ):
        found[row.owner_id].append(
            AbsenceView(row.id, row.from_at, row.until_at, row.reason, named(row.deputy_id, row.deputy_name), row.from_at <= now)
        )
    return found
