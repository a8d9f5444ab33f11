"""Somebody's card: what they are, when they work, when they are away, and what becomes of their work when they leave."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy import Connection

from crm_core.access import sees_leads_of
from crm_core.access.queries import logins_of
from crm_core.base.errors import Conflict, Invalid
from crm_core.calendars.queries import list_calendars
from crm_core.calendars.weeks import read_week_text, week_json
from crm_core.handovers.commands import hand_over
from crm_core.people import absences, commands
from crm_core.people.queries import list_owners, list_teams, work_in_hand
from crm_core.people.staff_queries import get_person, zone_of
from webhooks.console.people.owners import figure_of, hours_words, state_of, time_there
from webhooks.console.shell import errors
from webhooks.console.shell.form_input import read_number
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered


def card(context: RequestContext, owner_id: int) -> PageAnswer:
    return _page(context, owner_id, None)


def _page(context: RequestContext, owner_id: int, problem: errors.Problem | None) -> str:
    with context.engine.begin() as connection:
        one = get_person(connection, context.now, context.config.timezone, owner_id)
        sees = sees_leads_of(context.principal, owner_id)
        values: dict[str, Any] = {
            "work": work_in_hand(connection, owner_id, context.now) if sees else None,
            "calendars": [(str(row.id), row.name) for row in list_calendars(connection)],
            "teams": [(str(row.id), row.name) for row in list_teams(connection)],
            "colleagues": [(str(row.id), row.name) for row in list_owners(connection) if row.active and row.id != owner_id],
            "logins": logins_of(connection).get(owner_id, []) if context.may("users.read") else [],
        }
    typed = dict(request.form) if problem else {}
    return context.page(
        "people/owner.html",
        one=one,
        state=state_of(one),
        there=lambda at: time_there(context, one, at),
        figure=figure_of(context),
        own_hours=hours_words(context, one) if one.week is not None else "",
        hours=hours_words(context, one),
        typed=typed,
        problem=problem,
        sees=sees,
        hub_zone=context.config.timezone,
        can_write=context.may("owners.write"),
        can_assign=context.may("leads.assign"),
        **values,
    )


def change(context: RequestContext, owner_id: int) -> PageAnswer:
    try:
        changes = _changes()
        with context.engine.begin() as connection:
            commands.change_owner(connection, context.principal, owner_id, changes, context.config.timezone)
    except (Invalid, Conflict) as error:
        return _page(context, owner_id, errors.problem_of(context, error)), 422 if isinstance(error, Invalid) else 409
    return context.go("owner", "owner_changed", owner_id=owner_id)


def _changes() -> dict[str, Any]:
    """What the form holds; a field that it does not hold stays."""
    changes: dict[str, Any] = {}
    for name in ("name", "extension", "email", "zone"):
        if name in request.form:
            changes[name] = entered(name, 300)
    for name in ("languages", "skills", "regions"):
        if name in request.form:
            changes[name] = entered(name, 2000).split(",")
    for name in ("max_open", "max_per_day"):
        if name in request.form:
            changes[name] = _number(name, "limit_out_of_range")
    for name, column in (("team", "team_id"), ("calendar", "calendar_id")):
        if name in request.form:
            changes[column] = _number(name, f"{name}_unknown")
    if "hours" in request.form:
        hours = entered("hours", 1000)
        changes["week"] = week_json(read_week_text(hours)) if hours else None
    return changes


def _number(name: str, code: str) -> int | None:
    text = entered(name, 18)
    if text and not (text.isascii() and text.isdecimal()):
        raise Invalid(code, "A whole number is needed, or nothing.", fields=[name])
    return int(text) if text else None


def plan(context: RequestContext, owner_id: int) -> PageAnswer:
    try:
        with context.engine.begin() as connection:
            starts = _moment(context, connection, owner_id, "from") if entered("from", 30) else context.now
            until = _moment(context, connection, owner_id, "until")
            absences.plan_absence(
                connection, context.principal, owner_id, starts, until, context.now, entered("reason", 200),
                _number("deputy", "deputy_unknown"),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _page(context, owner_id, errors.problem_of(context, error)), 422 if isinstance(error, Invalid) else 409
    return context.go("owner", "owner_absent", owner_id=owner_id)


def cancel(context: RequestContext, owner_id: int, absence_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        absences.cancel_absence(connection, context.principal, owner_id, absence_id, context.now)
    return context.go("owner", "owner_changed", owner_id=owner_id)


def pause(context: RequestContext, owner_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        until = _moment(context, connection, owner_id, "until") if entered("until", 30) else None
        absences.pause_owner(connection, context.principal, owner_id, context.now, until)
    return context.go("owner", "owner_changed", owner_id=owner_id)


def resume(context: RequestContext, owner_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        absences.resume_owner(connection, context.principal, owner_id, context.now)
    return context.go("owner", "owner_changed", owner_id=owner_id)


def duty(context: RequestContext, owner_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        commands.set_duty(connection, context.principal, owner_id)
    return context.go("owner", "owner_changed", owner_id=owner_id)


def hand_over_all(context: RequestContext, owner_id: int) -> PageAnswer:
    try:
        successor_id = _number("to", "owner_unknown")
        if successor_id is None:
            raise Invalid("owner_unknown", "Choose a colleague.", fields=["to"])
        with context.engine.begin() as connection:
            hand_over(connection, context.principal, owner_id, successor_id, entered("why", 1000), context.now)
    except (Invalid, Conflict) as error:
        return _page(context, owner_id, errors.problem_of(context, error)), 422 if isinstance(error, Invalid) else 409
    return context.go("owner", "owner_handed_over", owner_id=owner_id)


def put_member(context: RequestContext, pool_id: int, owner_id: int) -> PageAnswer:
    try:
        weight = read_number(entered("weight", 20))
    except ValueError as error:
        raise Invalid("weight_out_of_range", "The weight must be a number.", fields=["weight"]) from error
    with context.engine.begin() as connection:
        commands.put_member(connection, context.principal, pool_id, owner_id, weight, bool(entered("paused", 3)))
    return context.go("owner", "owner_changed", owner_id=owner_id)


def pool_strategy(context: RequestContext, pool_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        commands.change_pool(connection, context.principal, pool_id, strategy=entered("strategy", 40))
    return context.go("owners", "pool_changed")


def _moment(context: RequestContext, connection: Connection, owner_id: int, name: str) -> datetime:
    """A browser's datetime-local names no zone: it is meant where the person is."""
    try:
        return datetime.fromisoformat(entered(name, 30)).replace(tzinfo=zone_of(connection, owner_id, context.config.timezone))
    except ValueError as error:
        raise Invalid("time_unreadable", "Choose the day and the time.", fields=[name]) from error
