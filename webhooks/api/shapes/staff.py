"""Sources, employees, teams and pools."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from webhooks.api.shapes.base import Id, Named, Page, Shape


class Source(Shape):
    id: Id
    name: str
    connector: str
    channel: str
    state: Literal["active", "paused"]
    line: str
    pool: Id | None
    allowed_hosts: list[str]
    url: str | None = Field(description="null for connectors that fetch, and for roles that may not see it")
    created_at: AwareDatetime
    last_event_at: AwareDatetime | None


class SourceAlias(Shape):
    alias: str = Field(description="service:id")
    created_at: AwareDatetime


class SourceCard(Source):
    settings: dict[str, Any] | None


class NewSource(SourceCard):
    secret: str = Field("", description="only where the hub made one for the provider, only this once")


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


class PoolMember(Shape):
    owner: Named
    weight: float
    entitled: float
    assigned: int
    deficit: float = Field(description="what he is owed; the largest gets the next lead")
    paused: bool


class Pool(Shape):
    id: Id
    name: str
    default: bool
    picks: int
    members: list[PoolMember]


class SourcePage(Page):
    items: list[Source]


class AliasPage(Page):
    items: list[SourceAlias]


class OwnerPage(Page):
    items: list[Owner]


class TeamPage(Page):
    items: list[Team]


class PoolPage(Page):
    items: list[Pool]
