"""Leads, contacts and what happened with them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field, RootModel

from webhooks.api.schemas.base import Id, Named, Number, NumberText, OffsetTime, Page, Shape


class Form(Shape):
    id: str
    name: str


class Messenger(Shape):
    kind: str = Field(description="telegram, whatsapp_id, vk_id, …; with _id as the provider names the person, else as typed")
    id: str


class LeadContact(Shape):
    id: Id
    name: str
    phones: list[str] = Field(description="E.164")
    emails: list[str]
    messengers: list[Messenger]
    company: str


class Attribution(RootModel[dict[str, Any]]):
    """utm_source and whatever other marks there were, beside the fixed keys."""

    model_config = ConfigDict(
        json_schema_extra={
            "properties": {
                "page_url": {"title": "Page Url", "type": "string"},
                "referrer": {"title": "Referrer", "type": "string"},
                "click_ids": {"additionalProperties": True, "title": "Click Ids", "type": "object"},
                "client_ids": {"additionalProperties": True, "title": "Client Ids", "type": "object"},
            },
            "required": ["page_url", "referrer", "click_ids", "client_ids"],
        }
    )


class ConsentOf(Shape):
    purpose: str = Field(description="processing, marketing or transfer")
    given: bool
    method: str
    text_id: str
    text_sha256: str = Field(description="of the words beside the box, as they were shown")
    text_url: str
    captured_at: AwareDatetime
    page_url: str
    ip: str
    user_agent: str
    field: str


class FileOf(Shape):
    id: Id
    name: str
    type: str = Field(description="as the sender declared it; not believed")
    size: int = Field(description="bytes")
    sha256: str
    field: str
    state: Literal["stored", "to_fetch", "refused", "failed"]
    note: str = Field(description="code of why there is no content")


class CalledSpam(Shape):
    """A person's word."""

    by: str
    at: OffsetTime
    why: str


class Spam(Shape):
    score: Number
    reasons: list[Any]
    marked: CalledSpam | None


class Lead(Shape):
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
    consents: list[ConsentOf]
    files: list[FileOf]
    touches: int
    repeat_of: Id | None
    lost_reason: str = Field(description="a person's words; where there are none, closed_code")
    closed_code: Literal["", "merged", "spam", "erased"] = Field(description="why the hub closed it; empty where a person did")
    amount: NumberText | None = Field(description="what it is worth, with two decimals")
    currency: str
    spam: Spam
    version: int


class WhyEvent(Shape):
    id: Id = Field(validation_alias="uid")
    channel: str
    source: Named
    received_at: AwareDatetime
    outcome: str | None
    reason: dict[str, Any]


class WhyAssignment(Shape):
    id: Id
    at: AwareDatetime
    kind: str
    owner: Named | None
    pool: Named | None
    actor: str
    trace: dict[str, Any]


class WhyMerge(Shape):
    id: Id
    winner: Id
    loser: Id
    actor: str
    evidence: dict[str, Any]
    at: AwareDatetime
    undone_at: AwareDatetime | None


class Why(Shape):
    lead: Id
    events: list[WhyEvent]
    assignments: list[WhyAssignment]
    merges: list[WhyMerge]


class Contact(Shape):
    id: Id
    name: str
    company: str
    phones: list[str]
    emails: list[str]
    messengers: list[Messenger]
    owner: Named | None
    owner_since: AwareDatetime | None
    created_at: AwareDatetime
    last_seen_at: AwareDatetime
    erased_at: AwareDatetime | None = Field(description="when everything that names the person was erased")
    version: int


class IdentifierOf(Shape):
    kind: str
    value: str
    display: str
    strength: Literal["strong", "weak", "shared", "blocked"]
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    retired_at: AwareDatetime | None


class LeadOf(Shape):
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


class PersonData(Shape):
    contact: Id
    at: AwareDatetime
    tables: dict[str, list[dict[str, Any]]] = Field(description='whole rows by table; bytes that are no text as {"base64"}')


class Erased(Shape):
    contact: Id
    events: int
    leads: int
    files: int
    strays: int = Field(description="events of nobody that named the person")
    on_their_way: int = Field(description="events that name him and were left, because the workers had them")
    unsearched: dict[str, int] = Field(description="events that could not be looked through, by why")


class Stray(Shape):
    id: Id = Field(description="of the event")
    source: Named
    received_at: AwareDatetime
    state: str
    outcome: str | None


class PassedOver(Shape):
    id: Id = Field(description="of the event")
    why: str = Field(description="encrypted, binary, files or cut")


class ErasurePreview(Shape):
    count: int
    found: list[Stray] = Field(description="at most 200")
    searched: int
    unsearched: dict[str, int]
    passed_over: list[PassedOver] = Field(description="at most 200")
    on_their_way: int
    contacts: list[Id] = Field(description="that use the number or address; each is erased by its own order")
    next: Id | None = Field(description="the journal is longer: go on from there")


class Emptied(Shape):
    events: int
    calls: int
    on_their_way: int
    unsearched: dict[str, int]
    contacts: list[Id]


class TouchCall(Shape):
    id: Id
    phase: str
    outcome: str | None
    remote: str
    owner: Named | None
    talk_seconds: float | None
    recording: str


class TouchMail(Shape):
    id: Id
    subject: str
    from_: str = Field(validation_alias=AliasChoices("sender", "from"), serialization_alias="from")


class Touch(Shape):
    id: Id
    kind: str
    direction: str
    at: AwareDatetime
    source: Named | None
    lead: Id | None = Field(validation_alias="lead_id")
    event: Id | None
    actor: str
    title: str
    text: str
    data: dict[str, Any]
    double_of: Id | None = Field(description="the touch that this one repeats: the same submission, sent twice")
    call: TouchCall | None
    mail: TouchMail | None


class Suggestion(Shape):
    id: Id
    state: Literal["open", "same", "different"]
    a: Named
    b: Named
    why: dict[str, Any]
    at: AwareDatetime


class Call(Shape):
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
    lead: Id | None = Field(validation_alias="lead_id")
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    talk_seconds: float | None
    recording: str


class Activity(Shape):
    id: Id
    kind: str
    state: Literal["open", "done", "cancelled"]
    title: str
    due_at: AwareDatetime
    owner: Named | None
    contact: Named | None
    lead: Id | None = Field(validation_alias="lead_id")
    call: Id | None = Field(validation_alias="call_id")
    phone: str
    missed: int
    tried: int
    created_at: AwareDatetime
    closed_at: AwareDatetime | None


class LeadPage(Page[Lead]):
    pass


class ContactPage(Page[Contact]):
    pass


class TouchPage(Page[Touch]):
    pass


class SuggestionPage(Page[Suggestion]):
    pass


class CallPage(Page[Call]):
    pass


class ActivityPage(Page[Activity]):
    pass
