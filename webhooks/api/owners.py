"""Employees who own leads, and their teams. An employee is never deleted, only made inactive: history names them."""

from __future__ import annotations

from typing import Any, cast

from pydantic import AwareDatetime, Field

from crm_core.base.values import Text
from crm_core.people import commands
from crm_core.people.queries import get_owner, get_team, list_owners, list_teams
from webhooks.api.parameters import RowId, Time
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Page, Shape


class Owner(Shape):
    id: Id
    name: str
    extension: str
    email: str
    team: Named | None
    active: bool
    duty: bool
    absent_until: AwareDatetime | None
    open_leads: int
    created_at: AwareDatetime


class Team(Shape):
    id: Id
    name: str
    owners: int


class OwnerPage(Page[Owner]):
    pass


class TeamPage(Page[Team]):
    pass


class OwnerBody(Body):
    name: Text = Field(min_length=1, max_length=200)
    extension: Text = Field("", max_length=30)
    email: Text = Field("", max_length=254)
    team: RowId | None = None
    weight: float = Field(1.0, ge=0, le=1000, allow_inf_nan=False, description="share in the default pool")


class OwnerPatch(Body):
    name: Text | None = Field(None, min_length=1, max_length=200)
    extension: Text | None = Field(None, max_length=30)
    email: Text | None = Field(None, max_length=254)
    team: RowId | None = Field(None, description="null: no team")
    active: bool | None = None
    duty: bool | None = Field(None, description="true makes them the duty person instead of the present one")
    absent_until: Time | None = Field(None, description="null: they are here")


class TeamBody(Body):
    name: Text = Field(min_length=1, max_length=200)


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_owners(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_owner(connection, ask.id("owner"))


def _add(ask: Ask) -> object:
    body = cast(OwnerBody, ask.body)
    with ask.engine.begin() as connection:
        owner_id = commands.add_owner(
            connection, ask.principal, body.name, extension=body.extension, email=body.email, team_id=body.team,
            weight=body.weight,
        )  # fmt: skip
        return get_owner(connection, owner_id)


def _change(ask: Ask) -> object:
    owner_id = ask.id("owner")
    body = cast(OwnerPatch, ask.body)
    with ask.engine.begin() as connection:
        commands.change_owner(connection, ask.principal, owner_id, _columns(body))
        if "absent_until" in body.model_fields_set:
            if body.absent_until is None:
                commands.set_present(connection, ask.principal, owner_id, ask.now)
            else:
                commands.set_absent(connection, ask.principal, owner_id, body.absent_until, ask.now)
        if body.active is not None:
            (commands.activate_owner if body.active else commands.retire_owner)(connection, ask.principal, owner_id)
        if body.duty:
            commands.set_duty(connection, ask.principal, owner_id)
        return get_owner(connection, owner_id)


def _columns(body: OwnerPatch) -> dict[str, Any]:
    columns: dict[str, Any] = body.model_dump(include={"name", "extension", "email"}, exclude_none=True)
    if "team" in body.model_fields_set:
        columns["team_id"] = body.team
    return columns


def _retire(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.retire_owner(connection, ask.principal, ask.id("owner"))


def _list_teams(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_teams(connection), "next": None}


def _get_team(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_team(connection, ask.id("team"))


def _add_team(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        team_id = commands.add_team(connection, ask.principal, cast(TeamBody, ask.body).name)
        return get_team(connection, team_id)


def _rename_team(ask: Ask) -> object:
    team_id = ask.id("team")
    with ask.engine.begin() as connection:
        commands.rename_team(connection, ask.principal, team_id, cast(TeamBody, ask.body).name)
        return get_team(connection, team_id)


def _remove_team(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.remove_team(connection, ask.principal, ask.id("team"))


ROUTES = (
    Route("GET", "/owners", "owners.read", _list, "Employees, the duty person first", OwnerPage),
    Route("POST", "/owners", "owners.write", _add, "Add an employee; they join the default pool", Owner,
          body=OwnerBody, status=201),
    Route("GET", "/owners/<id>", "owners.read", _get, "One employee", Owner),
    Route("PATCH", "/owners/<id>", "owners.write", _change, "Change an employee, their absence or duty", Owner,
          body=OwnerPatch),
    Route("DELETE", "/owners/<id>", "owners.write", _retire, "Make an employee inactive", None, status=204),
    Route("GET", "/teams", "owners.read", _list_teams, "Teams by name", TeamPage),
    Route("POST", "/teams", "owners.write", _add_team, "Add a team", Team, body=TeamBody, status=201),
    Route("GET", "/teams/<id>", "owners.read", _get_team, "One team", Team),
    Route("PATCH", "/teams/<id>", "owners.write", _rename_team, "Rename a team", Team, body=TeamBody),
    Route("DELETE", "/teams/<id>", "owners.write", _remove_team, "Remove a team; its people stay", None, status=204),
)  # fmt: skip
