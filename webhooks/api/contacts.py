"""Contacts and their history, and pairs that may be one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import Field

from crm_core.reading.contacts import ContactFilters, get_contact, list_contacts
from crm_core.reading.suggestions import SuggestionFilters, list_suggestions
from crm_core.reading.timeline import timeline
from crm_core.reading.values import RowId, Text
from ingest.erasure import erase
from webhooks.api.route import Ask, Body, Paging, Route
from webhooks.api.shapes import people as shapes


class ContactQuery(ContactFilters, Paging):
    pass


class TimelineQuery(Paging):
    lead: RowId | None = None


class EraseBody(Body):
    why: Text = Field(min_length=1, max_length=1000, description="who asked for it and how; no data of the person")


class SuggestionQuery(SuggestionFilters, Paging):
    pass


def _list(ask: Ask) -> Mapping[str, Any]:
    query = cast(ContactQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_contacts(
            connection, ask.principal, query, query.limit, query.cursor, ask.config.region
        ).as_dict()


def _get(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        return get_contact(connection, ask.principal, ask.id("contact"))


def _timeline(ask: Ask) -> Mapping[str, Any]:
    query = cast(TimelineQuery, ask.query)
    with ask.engine.begin() as connection:
        return timeline(
            connection, ask.principal, ask.id("contact"), query.limit, query.cursor, query.lead
        ).as_dict()


def _erase(ask: Ask) -> Mapping[str, Any]:
    why = cast(EraseBody, ask.body).why
    erased = erase(ask.engine, ask.config, ask.principal, ask.id("contact"), why, ask.now)
    return {"contact": str(erased.contact_id), "events": erased.events, "leads": erased.leads, "files": len(erased.files)}


def _suggestions(ask: Ask) -> Mapping[str, Any]:
    query = cast(SuggestionQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_suggestions(connection, ask.principal, query, query.limit, query.cursor).as_dict()


ROUTES = (
    Route("GET", "/contacts", "contacts.read", _list, "Contacts, newest first", shapes.ContactPage,
          query=ContactQuery),
    Route("GET", "/contacts/<id>", "contacts.read", _get, "One contact; a merged one answers as its root",
          shapes.ContactCard),
    Route("GET", "/contacts/<id>/timeline", "contacts.read", _timeline, "Forms, calls, mails and decisions, newest first",
          shapes.TouchPage, query=TimelineQuery),
    Route("POST", "/contacts/<id>/erase", "contacts.erase", _erase,
          "Empty everything that names this person; counts and outcomes stay", shapes.Erased, body=EraseBody),
    Route("GET", "/suggestions", "suggestions.read", _suggestions, "Pairs of contacts that may be one person",
          shapes.SuggestionPage, query=SuggestionQuery),
)  # fmt: skip
