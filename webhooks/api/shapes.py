"""What the API answers, as models: the source of the OpenAPI description and of the tests that hold answers against it.

Read models give dictionaries; these are not on the way of an answer.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Id = str


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Named(_Shape):
    id: Id
    name: str


class Form(_Shape):
    id: str
    name: str


class LeadContact(_Shape):
    id: Id
    name: str
    phones: list[str] = Field(description="E.164")
    emails: list[str]
    company: str


class Attribution(BaseModel):
    """utm_source and whatever other marks there were, beside the fixed keys."""

    model_config = ConfigDict(extra="allow")

    page_url: str
    referrer: str
    click_ids: dict[str, Any]
    client_ids: dict[str, Any]


class Spam(_Shape):
    score: float
    reasons: list[Any]


class Lead(_Shape):
    id: Id
    state: Literal["open", "won", "lost", "closed"]
    stage: str
    title: str
    line: str
    channel: Literal["form", "call", "mail"]
    source: Named
    form: Form | None
    received_at: AwareDatetime
    created_at: AwareDatetime
    last_touch_at: AwareDatetime
    closed_at: AwareDatetime | None
    contact: LeadContact
    owner: Named | None
    pool: Named | None
    message: str
    fields: dict[str, Any] = Field(description="everything that was sent and not mapped")
    attribution: Attribution
    touches: int
    repeat_of: Id | None
    lost_reason: str
    spam: Spam
    version: int


class WhyEvent(_Shape):
    id: Id
    channel: str
    source: Named
    received_at: AwareDatetime
    outcome: str | None
    reason: dict[str, Any]


class WhyAssignment(_Shape):
    id: Id
    at: AwareDatetime
    kind: str
    owner: Named | None
    pool: Named | None
    actor: str
    trace: dict[str, Any]


class WhyMerge(_Shape):
    id: Id
    winner: Id
    loser: Id
    actor: str
    evidence: dict[str, Any]
    at: AwareDatetime
    undone_at: AwareDatetime | None


class Why(_Shape):
    lead: Id
    events: list[WhyEvent]
    assignments: list[WhyAssignment]
    merges: list[WhyMerge]


class Contact(_Shape):
    id: Id
    name: str
    company: str
    phones: list[str]
    emails: list[str]
    owner: Named | None
    owner_since: AwareDatetime | None
    created_at: AwareDatetime
    last_seen_at: AwareDatetime
    version: int


class IdentifierOf(_Shape):
    kind: str
    value: str
    display: str
    strength: Literal["strong", "weak", "shared", "blocked"]
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    retired_at: AwareDatetime | None


class LeadOf(_Shape):
    id: Id
    state: str
    stage: str
    title: str
    received_at: AwareDatetime
    owner: Named | None


class ContactCard(Contact):
    merged: list[Id] = Field(description="contacts that were merged into this one")
    identifiers: list[IdentifierOf]
    leads: list[LeadOf]


class TouchCall(_Shape):
    id: Id
    phase: str
    outcome: str | None
    remote: str
    owner: Named | None
    talk_seconds: float | None
    recording: str


class TouchMail(_Shape):
    id: Id
    subject: str
    from_: str = Field(alias="from")


class Touch(_Shape):
    id: Id
    kind: str
    direction: str
    at: AwareDatetime
    source: Named | None
    lead: Id | None
    event: Id | None
    actor: str
    title: str
    text: str
    data: dict[str, Any]
    call: TouchCall | None
    mail: TouchMail | None


class Suggestion(_Shape):
    id: Id
    state: Literal["open", "same", "different"]
    a: Named
    b: Named
    why: dict[str, Any]
    at: AwareDatetime


class Call(_Shape):
    id: Id
    key: str
    source: Named
    direction: str
    phase: str
    outcome: str | None
    remote: str
    our_number: str
    extension: str
    owner: Named | None
    contact: Named | None
    lead: Id | None
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    talk_seconds: float | None
    recording: str


class Activity(_Shape):
    id: Id
    kind: str
    state: Literal["open", "done", "cancelled"]
    title: str
    due_at: AwareDatetime
    owner: Named | None
    contact: Named | None
    lead: Id | None
    call: Id | None
    phone: str
    missed: int
    tried: int
    created_at: AwareDatetime
    closed_at: AwareDatetime | None


class EventError(_Shape):
    code: str | None
    message: str | None
    path: str | None


class Event(_Shape):
    id: Id
    source: Named
    channel: str
    received_at: AwareDatetime
    state: Literal["waiting", "working", "done", "needs_attention", "rejected"]
    outcome: Literal["created", "attached", "repeat", "auto", "spam", "test", "ignored", "dismissed"] | None
    reason: dict[str, Any]
    lead: Id | None
    attempts: int
    error: EventError | None
    redeliveries: int
    size: int = Field(description="bytes")
    sha256: str
    unclaimed: bool
    done_at: AwareDatetime | None


class EventCard(Event):
    contact: Id | None
    provider_key: str | None
    replayed: int


class ReplayChange(_Shape):
    event: Id
    before: str
    after: str
    lead: str | None
    reason: Any


class ReplayReport(_Shape):
    selected: int
    replayed: int
    dry_run: bool
    truncated: bool
    before: dict[str, int]
    after: dict[str, int]
    changes: list[ReplayChange]


class LedgerRow(_Shape):
    source: Named | None
    day: str | None
    received: int
    created: int
    attached: int
    repeat: int
    auto: int
    spam: int
    test: int
    ignored: int
    dismissed: int
    rejected: int
    waiting: int
    needs_attention: int
    balanced: bool


class Ledger(_Shape):
    items: list[LedgerRow]


class QueueChannel(_Shape):
    channel: str
    waiting: int
    working: int
    retrying: int
    paused: int
    oldest_waiting_seconds: float | None
    needs_attention: int
    rejected: int
    unfinished: int


class QueueProcess(_Shape):
    role: str
    instance: str
    age_seconds: float
    data: dict[str, Any]


class Canary(_Shape):
    queue: str
    seconds: float | None
    age_seconds: float | None


class Mailbox(_Shape):
    source: Named
    folder: str
    state: str
    lag_seconds: float | None
    fails: int
    missed: int
    to_fetch: int
    error: dict[str, Any] | None


class Queues(_Shape):
    at: AwareDatetime
    channels: list[QueueChannel]
    waiting: int
    needs_attention: int
    rejected: int
    processes: list[QueueProcess]
    canaries: list[Canary]
    mailboxes: list[Mailbox]


class Source(_Shape):
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


class SourceCard(Source):
    settings: dict[str, Any] | None


class NewSource(SourceCard):
    secret: str = Field("", description="only where the hub made one for the provider, only this once")


class Owner(_Shape):
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


class Team(_Shape):
    id: Id
    name: str
    owners: int


class PoolMember(_Shape):
    owner: Named
    weight: float
    entitled: float
    assigned: int
    deficit: float = Field(description="what he is owed; the largest gets the next lead")
    paused: bool


class Pool(_Shape):
    id: Id
    name: str
    default: bool
    picks: int
    members: list[PoolMember]


class _Page(_Shape):
    next: str | None = Field(description="cursor of the next page; null on the last")


class LeadPage(_Page):
    items: list[Lead]


class ContactPage(_Page):
    items: list[Contact]


class TouchPage(_Page):
    items: list[Touch]


class SuggestionPage(_Page):
    items: list[Suggestion]


class CallPage(_Page):
    items: list[Call]


class ActivityPage(_Page):
    items: list[Activity]


class EventPage(_Page):
    items: list[Event]


class SourcePage(_Page):
    items: list[Source]


class OwnerPage(_Page):
    items: list[Owner]


class TeamPage(_Page):
    items: list[Team]


class PoolPage(_Page):
    items: list[Pool]


class ProblemError(_Shape):
    path: str
    message: str


class Problem(_Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="machine-readable, stable")
    request_id: str
    errors: list[ProblemError] = Field(default_factory=list, description="the wrong places, if any")
