"""Leads: list, one, change, assign, call spam and back, why."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field

from crm_core.base.values import Text
from crm_core.leads.assignment import assign_lead
from crm_core.leads.commands import LeadChange, change_lead
from crm_core.leads.queries import LeadFilter, get_lead, list_leads
from crm_core.leads.why import why
from ingest.processing.lead_spam import mark_spam, unmark_spam
from webhooks.api.parameters import RowId, Time
from webhooks.api.route import Ask, Body, Paging, Route, narrowed
from webhooks.api.schemas import people as shapes


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
        return list_leads(connection, ask.principal, narrowed(LeadFilter, query), query.limit, query.after, ask.config.region)


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_lead(connection, ask.principal, ask.id("lead"))


def _change(ask: Ask) -> object:
    lead_id = ask.id("lead")
    with ask.engine.begin() as connection:
        change_lead(connection, ask.principal, lead_id, cast(LeadChange, ask.body), ask.now, ask.config.region)
        return get_lead(connection, ask.principal, lead_id)


def _assign(ask: Ask) -> object:
    lead_id = ask.id("lead")
    body = cast(AssignBody, ask.body)
    with ask.engine.begin() as connection:
        assign_lead(connection, ask.principal, lead_id, body.why, ask.now, body.owner, body.pool, body.version)
        return get_lead(connection, ask.principal, lead_id)


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
        return why(connection, ask.principal, ask.id("lead"))


ROUTES = (
    Route("GET", "/leads", "leads.read", _list, "Leads, newest first", shapes.LeadPage, query=LeadQuery),
    Route("GET", "/leads/<id>", "leads.read", _get, "One lead", shapes.Lead),
    Route("PATCH", "/leads/<id>", "leads.write", _change, "Change a lead that is still at the version read",
          shapes.Lead, body=LeadChange),
    Route("POST", "/leads/<id>/assign", "leads.assign", _assign, "Hand a lead to an owner or a pool",
          shapes.Lead, body=AssignBody),
    Route("POST", "/leads/<id>/spam", "leads.write", _spam, "Say that a lead is spam: it closes, its event ends as spam",
          shapes.Lead, body=SpamBody),
    Route("POST", "/leads/<id>/not-spam", "leads.write", _not_spam, "Take that back: the lead is as it was",
          shapes.Lead, body=NotSpamBody),
    Route("GET", "/leads/<id>/why", "leads.read", _why, "Every decision about a lead with its reason", shapes.Why),
)  # fmt: skip
