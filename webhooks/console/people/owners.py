"""Owners: who there is, who is away until when, who is new."""

from __future__ import annotations

from datetime import datetime

from crm_core.access import sees_leads_of
from crm_core.base.errors import Conflict, Invalid
from crm_core.people import absences, commands
from crm_core.people.queries import OwnerView, list_owners
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered


def index(context: RequestContext) -> PageAnswer:
    return _page(context, {}, None)


def _page(context: RequestContext, typed: dict[str, str], problem: errors.Problem | None) -> str:
    with context.engine.begin() as connection:
        items = list_owners(connection)
    opens = {item.id for item in items if sees_leads_of(context.principal, item.id)}
    return context.page(
        "people/owners.html",
        items=items,
        state_of=_state,
        opens=opens,
        entered=typed,
        problem=problem,
        can_write=context.may("owners.write"),
    )


def _state(owner: OwnerView) -> str:
    if not owner.active:
        return "inactive"
    return "absent" if owner.absent_until else "present"


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
