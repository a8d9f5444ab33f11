"""Sources, employees, teams and pools."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from webhooks.api.schemas.base import Id, Named, Page, Shape


class SourceError(Shape):
    code: str
    message: str


class SourceStatus(Shape):
    code: Literal[
        "works", "not_understood", "not_authentic", "silent", "refuses", "unreachable", "not_read", "unusable", "paused",
        "waiting", "unchecked",
    ] = Field(description="how it does, as every page and command says it")  # fmt: skip
    trouble: bool = Field(description="a person has something to do about it")
    since: AwareDatetime | None
    count: int = Field(description="events that wait for a person because of it")
    silent_seconds: float | None
    usual_seconds: float | None = Field(description="between two events, when something usually comes")
    error: SourceError | None
    words: str = Field(description="one English sentence")


class SourceFinding(Shape):
    name: str
    ok: bool
    message: str


class SourceCheck(Shape):
    ok: bool
    error: SourceError | None
    advice: list[str] = Field(description="what usually helps")
    findings: list[SourceFinding]


class Source(Shape):
    id: Id
    name: str
    connector: str
    channel: str
    state: Literal["active", "paused"] = Field(description="what a person decided; `status` says how it does")
    status: SourceStatus
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
    check: SourceCheck | None = Field(None, description="of a mailbox that was just added or changed: what trying it brought")


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


class SourcePage(Page[Source]):
    pass


class AliasPage(Page[SourceAlias]):
    pass


class OwnerPage(Page[Owner]):
    pass


class TeamPage(Page[Team]):
    pass


class PoolPage(Page[Pool]):
    pass
