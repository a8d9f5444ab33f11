"""Contacts and their history, and pairs that may be one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import Field

from crm_core.base.values import Text
from crm_core.contacts.queries import ContactFilter, get_contact, list_contacts
from crm_core.contacts.suggestions import list_suggestions
from crm_core.timeline.queries import timeline
from ingest.erasure.erase import PATIENCE_SECONDS, Person, erase, erase_address, preview
from ingest.erasure.person_data import export_person
from webhooks.api.parameters import RowId
from webhooks.api.route import Ask, Body, Paging, Route, narrowed
from webhooks.api.schemas import people as shapes


class ContactQuery(Paging):
    phone: Text | None = Field(None, description="in any spelling")
    email: Text | None = None
    q: Text | None = Field(None, description="words in any order, a phone in any spelling, part of an e-mail")
    owner: RowId | None = None


class TimelineQuery(Paging):
    lead: RowId | None = None


class EraseBody(Body):
    why: Text = Field(min_length=1, max_length=1000, description="who asked for it and how; no data of the person")
    cursor: RowId | None = Field(None, description="where an earlier call stopped with search_not_finished")


class PersonBody(Body):
    """Exactly one of the three. In a body, so that no log keeps it."""

    contact: RowId | None = None
    phone: Text = Field("", max_length=200, description="in any spelling")
    email: Text = Field("", max_length=300)
    cursor: RowId | None = Field(None, description="`next` of an earlier answer")


class EraseAddressBody(EraseBody):
    """Exactly one of both."""

    phone: Text = Field("", max_length=200, description="in any spelling")
    email: Text = Field("", max_length=300)


class SuggestionQuery(Paging):
    state: Literal["open", "same", "different"] | None = None


def _list(ask: Ask) -> object:
    query = cast(ContactQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_contacts(
            connection, ask.principal, narrowed(ContactFilter, query), query.limit, query.after, ask.config.region
        )


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_contact(connection, ask.principal, ask.id("contact"))


def _timeline(ask: Ask) -> object:
    query = cast(TimelineQuery, ask.query)
    with ask.engine.begin() as connection:
        return timeline(connection, ask.principal, ask.id("contact"), query.limit, query.after, query.lead)


def _export(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        return export_person(connection, ask.principal, ask.id("contact"), ask.now)


def _erase(ask: Ask) -> Mapping[str, Any]:
    body = cast(EraseBody, ask.body)
    erased = erase(
        ask.engine, ask.config, ask.principal, ask.id("contact"), body.why, ask.now, after=body.cursor or 0,
        seconds=PATIENCE_SECONDS,
    )  # fmt: skip
    return {
        "contact": str(erased.contact_id), "events": erased.events, "leads": erased.leads, "files": len(erased.files),
        "strays": erased.strays, "on_their_way": erased.on_their_way, "unsearched": dict(erased.unsearched),
    }  # fmt: skip


def _erase_preview(ask: Ask) -> Mapping[str, Any]:
    body = cast(PersonBody, ask.body)
    person = Person(body.contact, body.phone, body.email)
    return preview(ask.engine, ask.config, ask.principal, person, body.cursor or 0, PATIENCE_SECONDS).as_dict()


def _erase_address(ask: Ask) -> Mapping[str, Any]:
    body = cast(EraseAddressBody, ask.body)
    person = Person(phone=body.phone, email=body.email)
    return erase_address(
        ask.engine, ask.config, ask.principal, person, body.why, ask.now, after=body.cursor or 0, seconds=PATIENCE_SECONDS
    ).as_dict()


def _suggestions(ask: Ask) -> object:
    query = cast(SuggestionQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_suggestions(connection, ask.principal, query.state, query.limit, query.after)


ROUTES = (
    Route("GET", "/contacts", "contacts.read", _list, "Contacts, newest first", shapes.ContactPage,
          query=ContactQuery),
    Route("GET", "/contacts/<id>", "contacts.read", _get, "One contact; a merged one answers as its root",
          shapes.ContactCard),
    Route("GET", "/contacts/<id>/timeline", "contacts.read", _timeline, "Forms, calls, mails and decisions, newest first",
          shapes.TouchPage, query=TimelineQuery),
    Route("GET", "/contacts/<id>/export", "contacts.export", _export,
          "Everything that is kept of this person, to hand over to them; the audit says who asked", shapes.PersonData),
    Route("POST", "/contacts/<id>/erase", "contacts.erase", _erase,
          "Empty everything that names this person; counts and outcomes stay", shapes.Erased, body=EraseBody),
    Route("POST", "/erasures/preview", "contacts.erase", _erase_preview,
          "Which events of nobody name a person; changes nothing", shapes.ErasurePreview, body=PersonBody),
    Route("POST", "/erasures", "contacts.erase", _erase_address,
          "Empty the events of nobody that name a number or an address", shapes.Emptied, body=EraseAddressBody),
    Route("GET", "/suggestions", "suggestions.read", _suggestions, "Pairs of contacts that may be one person",
          shapes.SuggestionPage, query=SuggestionQuery),
)  # fmt: skip
