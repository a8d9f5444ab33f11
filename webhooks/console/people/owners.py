"""People and teams: who there is, who is at work, how full they are; and how fairly pools share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import request

from crm_core.access import sees_leads_of
from crm_core.access.queries import logins_of
from crm_core.base.errors import Conflict, Invalid
from crm_core.calendars.weeks import DAYS, RUSSIAN_DAYS, read_week, week_text
from crm_core.people import absences, commands
from crm_core.people.pool_ledger import pool_ledgers
from crm_core.people.queries import list_teams
from crm_core.people.rules import STRATEGIES
from crm_core.people.staff_queries import Person, list_people
from webhooks.console.shell import clock, errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered


def index(context: RequestContext) -> PageAnswer:
    return _page(context, {}, None)


def _page(context: RequestContext, typed: dict[str, str], problem: errors.Problem | None) -> str:
    team, left = request.args.get("team", ""), request.args.get("state") == "left"
    with context.engine.begin() as connection:
        everybody = list_people(connection, context.now, context.config.timezone)
        teams = list_teams(connection)
        pools = pool_ledgers(connection, context.now)
        logins = logins_of(connection) if context.may("users.read") else {}
    shown = [one for one in everybody if one.active is not left and (not team or (one.team and str(one.team.id) == team))]
    working = [one for one in everybody if one.active]
    return context.page(
        "people/owners.html",
        items=shown,
        working=len(working),
        left=len(everybody) - len(working),
        away=sum(one.absent_until is not None for one in working),
        ready=sum(state_of(one) == "present" for one in working),
        shows_left=left,
        state_of=state_of,
        hours_of=lambda one: hours_words(context, one),
        there=lambda one, at: time_there(context, one, at),
        figure=figure_of(context),
        opens={one.id for one in shown if sees_leads_of(context.principal, one.id)},
        logins=logins,
        teams=[(str(one.id), one.name) for one in teams],
        team=team,
        pools=pools,
        strategies=STRATEGIES,
        entered=typed,
        problem=problem,
        can_write=context.may("owners.write"),
    )


def state_of(one: Person) -> str:
    """The one word for somebody now."""
    if not one.active:
        return "inactive"
    if one.absent_until is not None:
        return "absent"
    if one.paused:
        return "paused"
    return "present" if one.on_shift else "off_shift"


def hours_words(context: RequestContext, one: Person) -> str:
    """As `read_week_text` reads them; "" for whoever has none."""
    if one.hours is None:
        return ""
    return week_text(read_week(one.hours), RUSSIAN_DAYS if context.language.locale == "ru" else DAYS)


def time_there(context: RequestContext, one: Person, at: datetime) -> str:
    """How late it is then where the person is, if that is another time than the page's."""
    zone = ZoneInfo(one.zone or context.config.timezone)
    if at.astimezone(zone).utcoffset() == at.astimezone(context.config.zone).utcoffset():
        return ""
    return context.language("owner.there", time=clock.short(at, context.now, zone, context.language))


def figure_of(context: RequestContext) -> Callable[[float], str]:
    """Shares with at most two places, whole ones without."""
    return lambda value: context.language.number(int(value) if value == int(value) else round(value, 2))


def add(context: RequestContext) -> PageAnswer:
    typed = {name: entered(name, 254) for name in ("name", "extension", "email", "team")}
    try:
        with context.engine.begin() as connection:
            commands.add_owner(
                connection,
                context.principal,
                typed["name"],
                extension=typed["extension"],
                email=typed["email"],
                team=typed["team"],
            )
    except (Invalid, Conflict) as error:
        return _page(context, typed, errors.problem_of(context, error)), 422 if isinstance(error, Invalid) else 409
    return context.go("owners", "owner_added")


def absent(context: RequestContext, owner_id: int) -> PageAnswer:
    until = _in_hub_zone(context, entered("until", 30))
    with context.engine.begin() as connection:
        absences.set_absent(connection, context.principal, owner_id, until, context.now, entered("reason", 200))
    return context.go("owners", "owner_absent")


def present(context: RequestContext, owner_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        absences.set_present(connection, context.principal, owner_id, context.now)
    return context.go("owners", "owner_present")


def active(context: RequestContext, owner_id: int) -> PageAnswer:
    wanted = entered("active", 3) == "yes"
    with context.engine.begin() as connection:
        if wanted:
            commands.activate_owner(connection, context.principal, owner_id)
        else:
            commands.retire_owner(connection, context.principal, owner_id, context.now)
    return context.go("owners", "owner_changed")


def _in_hub_zone(context: RequestContext, text: str) -> datetime:
    """A browser's datetime-local names no zone: it is meant where the hub is."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=context.config.zone)
    except ValueError as error:
        raise Invalid("time_unreadable", "Choose the day and the time of the return.", fields=["until"]) from error
