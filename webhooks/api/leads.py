"""Leads: list, one, change, assign, call spam and back, why."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, ConfigDict, Field, RootModel

from crm_core.deadlines.queries import narrowed_to
from crm_core.leads import commands
from crm_core.leads.assignment import assign_lead
from crm_core.leads.claiming import claim_lead, return_lead, tray_of
from crm_core.leads.queries import LeadFilter, get_lead, list_leads
from crm_core.leads.why import why, why_not
from crm_core.pipeline.stages import STAGES
from ingest.processing.lead_spam import mark_spam, unmark_spam
from webhooks.api.parameters import Filters, RowId, Text, Time
from webhooks.api.route import Ask, Body, Paging, Route, narrowed
from webhooks.api.shape import Id, Named, Number, NumberText, OffsetTime, Page, Shape


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


class RuleClause(Shape):
    fact: str
    op: str
    value: Any
    turned: bool = Field(description="it stands below a `not`: what does not hold speaks for the rule")
    actual: Any = Field(description="what the lead had; null: not known")
    holds: bool | None = Field(description="null: the fact was not known, so it was neither true nor false")


class AskedRule(Shape):
    id: str
    name: str
    applies: bool = Field(description="the first that does decides")
    clauses: list[RuleClause]


class WhyAssignment(Shape):
    id: Id
    at: AwareDatetime
    kind: str
    owner: Named | None
    pool: Named | None
    actor: str
    trace: dict[str, Any]
    config_version: int = Field(description="of the rules that it was decided by; 0: there were none")
    shares_with: Named | None = Field(description="the client because of whose number it is where it is")
    refunded_at: AwareDatetime | None = Field(description="the pool got its turn back")
    rules: list[AskedRule] = Field(description="that were asked, in their order, up to the one that applied")


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


class WhyNot(Shape):
    lead: Id
    owner: Named
    is_owner: bool
    code: str = Field(
        description="what stood between: absent, off_shift, max_open, smaller_deficit, several_in_a_row, later_turn, not_in_pool, …"
    )
    step: str = Field(description="the right by which they were considered; empty where a pool was asked")
    values: dict[str, Any]
    at: AwareDatetime | None = Field(description="when it was decided")


class LeadPage(Page[Lead]):
    pass


class LeadQuery(Paging):
    state: Literal["open", "won", "lost", "closed", "spam"] | None = Field(
        None, description="spam: closed because somebody called it so"
    )
    stage: Text | None = None
    owner: RowId | Literal["none"] | None = Field(None, description="an owner's id, or none for leads without one")
    pool: RowId | None = None
    source: RowId | None = None
    channel: Literal["form", "call", "mail"] | None = None
    contact: RowId | None = None
    phone: Text | None = Field(None, description="in any spelling")
    email: Text | None = None
    q: Text | None = Field(None, description="words in any order, a phone in any spelling, part of an e-mail, a lead's number")
    since: Time | None = Field(None, description="received at or after")
    until: Time | None = Field(None, description="received before")

    deadline: Literal["waiting", "soon", "late"] | None = Field(
        None, description="its client waits for an answer; and it is late soon; or is late"
    )


class WhyNotQuery(Filters):
    owner: RowId = Field(description="the colleague whom it did not go to")


class LeadChange(Body):
    """What is not named stays. `version` is the one that was read: whoever changed it since is not overwritten."""

    version: int = Field(ge=1, le=2**63 - 1)
    state: Literal["open", "won", "lost", "closed"] | None = None
    stage: Text | None = Field(None, min_length=1, max_length=100, description=f"one of {', '.join(STAGES)}")
    title: Text | None = Field(None, max_length=500)
    lost_reason: Text | None = Field(None, max_length=500, description="needed with the state lost")
    amount: Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)] | None = Field(
        None, description="what the lead is worth, for instance 118000.00"
    )
    currency: Text | None = Field(None, description="of the amount, ISO 4217; the currency of the hub's region by default")


class ClaimBody(Body):
    version: int | None = Field(None, ge=1, le=2**63 - 1, description="refuse if the lead was changed since")


class ReturnBody(Body):
    code: Literal["not_mine", "wrong_contact", "conflict", "no_time", "other"]
    why: Text = Field(description="what happened; 1 to 1000 characters")
    version: int | None = Field(None, ge=1, le=2**63 - 1, description="refuse if the lead was changed since")


class WaitingLead(Shape):
    id: Id
    title: str = Field(description="empty for whoever may not see it yet")
    channel: Literal["form", "call", "mail"]
    line: str
    pool_id: Id | None
    pool_name: str
    received_at: AwareDatetime
    version: int


class TrayPage(Page[WaitingLead]):
    pass


class AssignBody(Body):
    """Either an owner or a pool."""

    owner: RowId | None = None
    pool: RowId | None = None
    why: Text = Field(description="the reason, kept with the decision; 1 to 1000 characters")
    version: int | None = Field(None, ge=1, le=2**63 - 1, description="refuse if the lead was changed since")


class SpamBody(Body):
    why: Text = Field(description="what makes it spam; kept with the lead and its event; 1 to 1000 characters")
    version: int | None = Field(None, ge=1, le=2**63 - 1, description="refuse if the lead was changed since")


class NotSpamBody(Body):
    why: Text = Field("", description="kept in the history; at most 1000 characters")
    version: int | None = Field(None, ge=1, le=2**63 - 1, description="refuse if the lead was changed since")


def _list(ask: Ask) -> object:
    query = cast(LeadQuery, ask.query)
    with ask.engine.begin() as connection:
        also = None if query.deadline is None else narrowed_to(query.deadline, ask.now)
        return list_leads(
            connection, ask.principal, narrowed(LeadFilter, query), query.limit, query.after, ask.config.region, also
        )


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_lead(connection, ask.principal, ask.id("lead"))


def _change(ask: Ask) -> object:
    lead_id = ask.id("lead")
    with ask.engine.begin() as connection:
        change = narrowed(commands.LeadChange, cast(LeadChange, ask.body))
        commands.change_lead(connection, ask.principal, lead_id, change, ask.now, ask.config.region)
        return get_lead(connection, ask.principal, lead_id)


def _assign(ask: Ask) -> object:
    lead_id = ask.id("lead")
    body = cast(AssignBody, ask.body)
    with ask.engine.begin() as connection:
        assign_lead(connection, ask.principal, lead_id, body.why, ask.now, body.owner, body.pool, body.version)
        return get_lead(connection, ask.principal, lead_id)


def _claim(ask: Ask) -> object:
    lead_id = ask.id("lead")
    with ask.engine.begin() as connection:
        claim_lead(connection, ask.principal, lead_id, ask.now, cast(ClaimBody, ask.body).version)
        return get_lead(connection, ask.principal, lead_id)


def _return(ask: Ask) -> None:
    lead_id, body = ask.id("lead"), cast(ReturnBody, ask.body)
    with ask.engine.begin() as connection:
        return_lead(connection, ask.principal, lead_id, body.code, body.why, ask.now, body.version)


def _tray(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": tray_of(connection, ask.principal), "next": None}


def _spam(ask: Ask) -> object:
    lead_id, body = ask.id("lead"), cast(SpamBody, ask.body)
    with ask.engine.begin() as connection:
        mark_spam(connection, ask.principal, lead_id, body.why, ask.now, body.version)
        return get_lead(connection, ask.principal, lead_id)


def _not_spam(ask: Ask) -> object:
    lead_id, body = ask.id("lead"), cast(NotSpamBody, ask.body)
    with ask.engine.begin() as connection:
        unmark_spam(connection, ask.principal, lead_id, body.why, ask.now, body.version)
        return get_lead(connection, ask.principal, lead_id)


def _why(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return why(connection, ask.principal, ask.id("lead"), ask.config.zone)


def _why_not(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return why_not(connection, ask.principal, ask.id("lead"), cast(WhyNotQuery, ask.query).owner)


ROUTES = (
    Route("GET", "/leads", "leads.read", _list, "Leads, newest first", LeadPage, query=LeadQuery),
    Route("GET", "/leads/<id>", "leads.read", _get, "One lead", Lead),
    Route("PATCH", "/leads/<id>", "leads.write", _change, "Change a lead that is still at the version read",
          Lead, body=LeadChange),
    Route("POST", "/leads/<id>/assign", "leads.assign", _assign, "Hand a lead to an owner or a pool",
          Lead, body=AssignBody),
    Route("GET", "/tray", "leads.claim", _tray, "Leads that wait for whoever takes them first", TrayPage),
    Route("POST", "/leads/<id>/claim", "leads.claim", _claim, "Take a lead that waits; of two at once, one has it", Lead,
          body=ClaimBody),
    Route("POST", "/leads/<id>/return", "leads.return", _return, "Give one's lead back to its pool", None, body=ReturnBody,
          status=204),
    Route("POST", "/leads/<id>/spam", "leads.write", _spam, "Say that a lead is spam: it closes, its event ends as spam",
          Lead, body=SpamBody),
    Route("POST", "/leads/<id>/not-spam", "leads.write", _not_spam, "Take that back: the lead is as it was",
          Lead, body=NotSpamBody),
    Route("GET", "/leads/<id>/why", "leads.read", _why, "Every decision about a lead with its reason", Why),
    Route("GET", "/leads/<id>/why-not", "leads.read", _why_not, "What stood between a lead and one colleague", WhyNot,
          query=WhyNotQuery),
)  # fmt: skip
