"""Rules of routing in versions: the active one, drafts, what one would have made of the last days, into force and back. And which
employee may never have which client."""

from __future__ import annotations

from typing import Any, cast

from pydantic import AwareDatetime, Field

from crm_core.routing import commands
from crm_core.routing.queries import list_excluded_owners
from crm_core.routing.simulation import simulate
from crm_core.routing.versions import active_version, get_version, list_versions
from webhooks.api.parameters import RowId, Text
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Page, Shape


class RoutingVersion(Shape):
    version: int = Field(description="0: nothing was set")
    state: str = Field(description="draft, active or retired")
    author: str
    note: str
    created_at: AwareDatetime | None
    activated_at: AwareDatetime | None
    retired_at: AwareDatetime | None
    body: dict[str, Any] = Field(description="settings, ranges and rules, see docs/routing.md")


class RoutingVersionPage(Page[RoutingVersion]):
    pass


class RuleCount(Shape):
    id: str
    name: str
    decided: int = Field(description="leads that it would have been the first to apply to")
    applied: int = Field(description="leads to which it would have applied at all")
    shadowed_by: list[str] = Field(description="of a rule that never comes first: what is always before it")


class Load(Shape):
    owner: Id | None
    name: str
    before: int
    after: int


class MovedLead(Shape):
    lead: Id
    before: Id | None
    after: Id | None
    rule: str


class Simulation(Shape):
    days: int
    leads: int = Field(description="decisions that could be made again")
    same: int = Field(description="with the same owner in the same way")
    moved: int
    unmatched: int = Field(description="no rule applied")
    nobody: int = Field(description="would wait for an owner")
    loads: list[Load]
    rules: list[RuleCount]
    dead: list[str] = Field(description="rules that applied to nothing")
    shadowed: list[str] = Field(description="rules that applied, and never first")
    first_moved: list[MovedLead] = Field(description="a hundred of them")


class ExcludedOwner(Shape):
    owner: Named
    why: str = Field(description="empty for whoever may not assign leads")
    by: str = Field(description="who said it, as `user:1`")
    at: AwareDatetime


class ExcludedOwnerPage(Page[ExcludedOwner]):
    pass


class RoutingBody(Body):
    body: dict[str, Any] = Field(description="settings, ranges and rules, see docs/routing.md")
    note: Text = Field("", max_length=500)


class SimulateBody(Body):
    days: int = Field(30, ge=1, le=366)


class ExcludeBody(Body):
    owner: RowId
    why: Text = Field(description="kept with the client; 1 to 1000 characters")


def _active(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return active_version(connection)


def _put(ask: Ask) -> object:
    body = cast(RoutingBody, ask.body)
    with ask.engine.begin() as connection:
        version = commands.save_version(connection, ask.principal, body.body, ask.config.zone, body.note)
        commands.activate_version(connection, ask.principal, version, ask.config.zone, ask.now)
        return active_version(connection)


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_versions(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_version(connection, ask.id("version"))


def _add(ask: Ask) -> object:
    body = cast(RoutingBody, ask.body)
    with ask.engine.begin() as connection:
        version = commands.save_version(connection, ask.principal, body.body, ask.config.zone, body.note)
        return get_version(connection, version)


def _simulate(ask: Ask) -> object:
    version = ask.id("version")
    with ask.engine.begin() as connection:
        config = commands.checked(connection, get_version(connection, version).body, ask.config.zone)
        return simulate(connection, ask.principal, config, cast(SimulateBody, ask.body).days, ask.now)


def _activate(ask: Ask) -> object:
    version = ask.id("version")
    with ask.engine.begin() as connection:
        commands.activate_version(connection, ask.principal, version, ask.config.zone, ask.now)
        return get_version(connection, version)


def _excluded(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_excluded_owners(connection, ask.principal, ask.id("contact")), "next": None}


def _exclude(ask: Ask) -> None:
    body = cast(ExcludeBody, ask.body)
    with ask.engine.begin() as connection:
        commands.exclude_owner(connection, ask.principal, ask.id("contact"), body.owner, body.why, ask.now)


def _allow(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.allow_owner(connection, ask.principal, ask.id("contact"), ask.id("owner", "owner"))


ROUTES = (
    Route("GET", "/routing", "routing.read", _active, "The rules that are in force", RoutingVersion),
    Route("GET", "/routing/versions", "routing.read", _list, "Versions of the rules, newest first", RoutingVersionPage),
    Route("POST", "/routing/versions", "routing.write", _add, "Save rules as a draft", RoutingVersion, body=RoutingBody, status=201),
    Route("GET", "/routing/versions/<id>", "routing.read", _get, "One version of the rules", RoutingVersion),
    Route("POST", "/routing/versions/<id>/simulate", "routing.write", _simulate,
          "What this version would have made of the last days; writes nothing", Simulation, body=SimulateBody),
    Route("POST", "/routing/versions/<id>/activate", "routing.write", _activate,
          "Put a version into force, also one that was before", RoutingVersion),
    Route("PUT", "/routing", "routing.write", _put, "Put rules into force at once, as a new version", RoutingVersion, body=RoutingBody),
    Route("GET", "/contacts/<id>/excluded-owners", "contacts.read", _excluded, "Employees who may never have this client",
          ExcludedOwnerPage),
    Route("POST", "/contacts/<id>/excluded-owners", "leads.assign", _exclude, "Keep a client and an employee apart for ever", None,
          body=ExcludeBody, status=204),
    Route("DELETE", "/contacts/<id>/excluded-owners/<owner>", "leads.assign", _allow, "Take that back", None, status=204),
)  # fmt: skip
