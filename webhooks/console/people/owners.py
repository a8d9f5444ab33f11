"""Owners: who there is, who is away until when, who is new."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from crm_core.access import audit, sees_leads_of
from crm_core.base.errors import Invalid
from crm_core.people import owners as people
from crm_core.people.queries import OwnerView, list_owners
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import Answer, Desk, entered


def index(desk: Desk) -> Answer:
    return _page(desk, {}, "")


def _page(desk: Desk, typed: dict[str, str], problem: str) -> str:
    with desk.engine.begin() as connection:
        items = list_owners(connection)
    opens = {item.id for item in items if sees_leads_of(desk.principal, item.id)}
    return desk.page("people/owners.html", items=items, state_of=_state, opens=opens, entered=typed, problem=problem, can_write=desk.may("owners.write"))


def _state(owner: OwnerView) -> str:
    if not owner.active:
        return "inactive"
    return "absent" if owner.absent_until else "present"


def add(desk: Desk) -> Answer:
    typed = {name: entered(name, 254) for name in ("name", "extension", "email", "team")}
    try:
        with desk.engine.begin() as connection:
            owner_id = people.add_owner(
                connection, typed["name"], typed["extension"], typed["email"], typed["team"]
            )
            _note(desk, connection, "owner.add", owner_id)
    except Invalid as error:
        return _page(desk, typed, errors.detail_of(desk, error)), 422
    return desk.go("owners", "owner_added")


def absent(desk: Desk, owner_id: int) -> Answer:
    until = _in_hub_zone(desk, entered("until", 30))
    with desk.engine.begin() as connection:
        people.set_absent(connection, owner_id, until, entered("reason", 200))
        _note(desk, connection, "owner.absent", owner_id)
    return desk.go("owners", "owner_absent")


def present(desk: Desk, owner_id: int) -> Answer:
    with desk.engine.begin() as connection:
        people.set_present(connection, owner_id)
        _note(desk, connection, "owner.present", owner_id)
    return desk.go("owners", "owner_present")


def active(desk: Desk, owner_id: int) -> Answer:
    wanted = entered("active", 3) == "yes"
    with desk.engine.begin() as connection:
        people.set_active(connection, owner_id, wanted, desk.principal)
        _note(desk, connection, "owner.activate" if wanted else "owner.deactivate", owner_id)
    return desk.go("owners", "owner_changed")


def _in_hub_zone(desk: Desk, text: str) -> datetime:
    """A browser's datetime-local names no zone: it is meant where the hub is."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=desk.config.zone)
    except ValueError as error:
        raise Invalid("time_unreadable", "Choose the day and the time of the return.", fields=["until"]) from error


def _note(desk: Desk, connection: Connection, action: str, owner_id: int) -> None:
    audit(connection, desk.principal, action, f"owner:{owner_id}")
