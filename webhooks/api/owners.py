"""Employees who own leads, and their teams. An employee is never deleted, only made inactive: history names them."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import AliasChoices, AwareDatetime, Field

from crm_core.handovers.commands import hand_over
from crm_core.people import absences, commands
from crm_core.people.queries import get_team, list_teams
from crm_core.people.staff_queries import get_person, list_absences, list_people
from webhooks.api.parameters import RowId, Text, Time
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Page, Shape


class PoolShare(Shape):
    pool: Named
    weight: float
    paused: bool


class Owner(Shape):
    id: Id
    name: str
    extension: str
    email: str
    team: Named | None
    active: bool
    duty: bool
    absent_until: AwareDatetime | None
    deputy: Named | None = Field(description="who covers the running absence")
    paused: bool = Field(description="pools leave them out")
    paused_until: AwareDatetime | None = Field(description="null also while paused: until somebody ends it")
    on_shift: bool = Field(description="always true for whom no hours were set")
    next_on_shift: AwareDatetime | None
    calendar: Named | None
    zone: str = Field(description="their own or the calendar's; empty: the hub's")
    week: dict[str, Any] | None = Field(description="their own hours; null: the calendar's")
    hours: dict[str, Any] | None = Field(description="by which they work; null: always")
    languages: list[str]
    skills: list[str]
    regions: list[str]
    max_open: int | None
    max_per_day: int | None
    open_leads: int
    given_today: int = Field(description="leads given to them since midnight in their zone")
    pools: list[PoolShare]
    created_at: AwareDatetime


class Absence(Shape):
    id: Id
    from_at: AwareDatetime = Field(validation_alias=AliasChoices("from_at", "from"), serialization_alias="from")
    until_at: AwareDatetime = Field(validation_alias=AliasChoices("until_at", "until"), serialization_alias="until")
    reason: str
    deputy: Named | None
    running: bool


class Team(Shape):
    id: Id
    name: str
    owners: int


class HandedOver(Shape):
    clients: int
    leads: int = Field(description="open ones")
    tasks: int = Field(description="open ones, call-backs among them")
    messages: int = Field(description="of colleagues, not read yet")


class OwnerPage(Page[Owner]):
    pass


class AbsencePage(Page[Absence]):
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
    deputy: RowId | None = Field(None, description="who covers this absence")
    paused: bool | None = Field(None, description="true: pools leave them out until somebody ends it; false ends it")
    paused_until: Time | None = Field(None, description="pools leave them out until then; null ends it")
    calendar: RowId | None = Field(None, description="null: none; with no hours of their own they are always there")
    zone: Text | None = Field(None, max_length=60, description="IANA; empty: the calendar's")
    week: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], list[tuple[Text, Text]]] | None = Field(
        None, description='hours of their own, {"mon": [["09:00", "18:00"]]}; null: the calendar\'s'
    )
    languages: list[Text] | None = Field(None, max_length=50, description="ISO 639: ru, en")
    skills: list[Text] | None = Field(None, max_length=50)
    regions: list[Text] | None = Field(None, max_length=50)
    max_open: int | None = Field(None, ge=0, le=100_000, description="open leads; pools give no more; null: no limit")
    max_per_day: int | None = Field(None, ge=0, le=100_000, description="leads a day of theirs; null: no limit")


class AbsenceBody(Body):
    from_: Time | None = Field(None, alias="from", description="now by default")
    until: Time
    deputy: RowId | None = None
    reason: Text = Field("", max_length=200, description="shown to colleagues")


class HandOverBody(Body):
    to: RowId = Field(description="the colleague who takes everything")
    why: Text = Field(min_length=1, max_length=1000)


class TeamBody(Body):
    name: Text = Field(min_length=1, max_length=200)


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_people(connection, ask.now, ask.config.timezone), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_person(connection, ask.now, ask.config.timezone, ask.id("owner"))


def _add(ask: Ask) -> object:
    body = cast(OwnerBody, ask.body)
    with ask.engine.begin() as connection:
        owner_id = commands.add_owner(
            connection, ask.principal, body.name, extension=body.extension, email=body.email, team_id=body.team,
            weight=body.weight,
        )  # fmt: skip
        return get_person(connection, ask.now, ask.config.timezone, owner_id)


def _change(ask: Ask) -> object:
    owner_id = ask.id("owner")
    body = cast(OwnerPatch, ask.body)
    with ask.engine.begin() as connection:
        commands.change_owner(connection, ask.principal, owner_id, _columns(body), ask.config.timezone)
        if "absent_until" in body.model_fields_set:
            if body.absent_until is None:
                absences.set_present(connection, ask.principal, owner_id, ask.now)
            else:
                absences.set_absent(connection, ask.principal, owner_id, body.absent_until, ask.now, deputy_id=body.deputy)
        if body.paused or body.paused_until is not None:
            absences.pause_owner(connection, ask.principal, owner_id, ask.now, body.paused_until)
        elif body.paused is False or "paused_until" in body.model_fields_set:
            absences.resume_owner(connection, ask.principal, owner_id, ask.now)
        if body.active is not None:
            if body.active:
                commands.activate_owner(connection, ask.principal, owner_id)
            else:
                commands.retire_owner(connection, ask.principal, owner_id, ask.now)
        if body.duty:
            commands.set_duty(connection, ask.principal, owner_id)
        return get_person(connection, ask.now, ask.config.timezone, owner_id)


def _columns(body: OwnerPatch) -> dict[str, Any]:
    columns: dict[str, Any] = body.model_dump(
        include={"name", "extension", "email", "zone", "languages", "skills", "regions"}, exclude_none=True
    )
    # Of these, null means something.
    columns |= body.model_dump(include={"week", "max_open", "max_per_day"}, exclude_unset=True)
    renamed = {"team": "team_id", "calendar": "calendar_id"}
    return columns | {renamed[name]: getattr(body, name) for name in renamed if name in body.model_fields_set}


def _list_absences(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_absences(connection, ask.id("owner"), ask.now), "next": None}


def _plan_absence(ask: Ask) -> object:
    owner_id = ask.id("owner")
    body = cast(AbsenceBody, ask.body)
    with ask.engine.begin() as connection:
        absence_id = absences.plan_absence(
            connection, ask.principal, owner_id, body.from_ or ask.now, body.until, ask.now, body.reason, body.deputy
        )
        return next(one for one in list_absences(connection, owner_id, ask.now) if one.id == absence_id)


def _cancel_absence(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        absences.cancel_absence(connection, ask.principal, ask.id("owner"), ask.id("absence", "absence"), ask.now)


def _hand_over(ask: Ask) -> object:
    body = cast(HandOverBody, ask.body)
    with ask.engine.begin() as connection:
        return hand_over(connection, ask.principal, ask.id("owner"), body.to, body.why, ask.now)


def _retire(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.retire_owner(connection, ask.principal, ask.id("owner"), ask.now)


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
    Route("GET", "/owners/<id>/absences", "owners.read", _list_absences, "Running and planned absences", AbsencePage),
    Route("POST", "/owners/<id>/absences", "owners.write", _plan_absence, "Plan an absence", Absence,
          body=AbsenceBody, status=201),
    Route("DELETE", "/owners/<id>/absences/<absence>", "owners.write", _cancel_absence,
          "Cancel a planned absence, or end the running one", None, status=204),
    Route("POST", "/owners/<id>/hand-over", "leads.assign", _hand_over,
          "Hand over clients, open leads and tasks to a colleague", HandedOver, body=HandOverBody),
    Route("DELETE", "/owners/<id>", "owners.write", _retire, "Retire an employee who has no work in hand", None, status=204),
    Route("GET", "/teams", "owners.read", _list_teams, "Teams by name", TeamPage),
    Route("POST", "/teams", "owners.write", _add_team, "Add a team", Team, body=TeamBody, status=201),
    Route("GET", "/teams/<id>", "owners.read", _get_team, "One team", Team),
    Route("PATCH", "/teams/<id>", "owners.write", _rename_team, "Rename a team", Team, body=TeamBody),
    Route("DELETE", "/teams/<id>", "owners.write", _remove_team, "Remove a team; its people stay", None, status=204),
)  # fmt: skip
