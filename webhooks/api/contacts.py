"""Contacts and their history, and pairs that may be one person."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import AliasChoices, AwareDatetime, Field

from crm_core.contacts.queries import ContactFilter, get_contact, list_contacts
from crm_core.contacts.suggestions import list_suggestions
from crm_core.timeline.queries import timeline
from ingest.erasure.erase import PATIENCE_SECONDS, Person, erase, erase_address, preview
from ingest.erasure.person_data import export_person
from webhooks.api.leads import Messenger
from webhooks.api.parameters import RowId, Text
from webhooks.api.route import Ask, Body, Paging, Route, narrowed
from webhooks.api.shape import Id, Named, Page, Shape


class Contact(Shape):
    id: Id
    kind: Literal["person", "company", "number"] = Field(description="number: all who use one number without a name")
    name: str
    company: str = Field(description="as they wrote it")
    works_for: Named | None = Field(description="the contact of the company")
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
    people: list[Named] = Field(description="of a company, the last seen first; at most 200")


class PersonData(Shape):
    contact: Id = Field(validation_alias="contact_id")
    at: AwareDatetime
    tables: dict[str, list[dict[str, Any]]] = Field(description='whole rows by table; bytes that are no text as {"base64"}')


class Erased(Shape):
    contact: Id = Field(validation_alias="contact_id")
    events: int
    leads: int
    files: int = Field(validation_alias="file_count")
    strays: int = Field(description="events of nobody that named the person")
    on_their_way: int = Field(description="events that name him and were left, because the workers had them")
    unsearched: dict[str, int] = Field(description="events that could not be looked through, by why")


class Stray(Shape):
    id: Id = Field(validation_alias="uid", description="of the event")
    source: Named
    received_at: AwareDatetime
    state: str
    outcome: str | None


class PassedOver(Shape):
    id: Id = Field(validation_alias="uid", description="of the event")
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
    why: dict[str, Any] = Field(description="the rule with its evidence; of a scored pair the fields with their bits")
    at: AwareDatetime
    bits: float | None = Field(description="how likely, where it was scored: log2 of the odds; from 10 probably the same")
    decided_at: AwareDatetime | None
    decided_by: str


class ContactPage(Page[Contact]):
    pass


class TouchPage(Page[Touch]):
    pass


class SuggestionPage(Page[Suggestion]):
    pass


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


def _export(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return export_person(connection, ask.principal, ask.id("contact"), ask.now)


def _erase(ask: Ask) -> object:
    body = cast(EraseBody, ask.body)
    return erase(
        ask.engine, ask.config, ask.principal, ask.id("contact"), body.why, ask.now, after=body.cursor or 0,
        seconds=PATIENCE_SECONDS,
    )  # fmt: skip


def _erase_preview(ask: Ask) -> object:
    body = cast(PersonBody, ask.body)
    person = Person(body.contact, body.phone, body.email)
    return preview(ask.engine, ask.config, ask.principal, person, body.cursor or 0, PATIENCE_SECONDS)


def _erase_address(ask: Ask) -> object:
    body = cast(EraseAddressBody, ask.body)
    person = Person(phone=body.phone, email=body.email)
    return erase_address(
        ask.engine, ask.config, ask.principal, person, body.why, ask.now, after=body.cursor or 0, seconds=PATIENCE_SECONDS
    )


def _suggestions(ask: Ask) -> object:
    query = cast(SuggestionQuery, ask.query)
    with ask.engine.begin() as connection:
        return list_suggestions(connection, ask.principal, query.state, query.limit, query.after)


ROUTES = (
    Route("GET", "/contacts", "contacts.read", _list, "Contacts, newest first", ContactPage,
          query=ContactQuery),
    Route("GET", "/contacts/<id>", "contacts.read", _get, "One contact; a merged one answers as its root",
          ContactCard),
    Route("GET", "/contacts/<id>/timeline", "contacts.read", _timeline, "Forms, calls, mails and decisions, newest first",
          TouchPage, query=TimelineQuery),
    Route("GET", "/contacts/<id>/export", "contacts.export", _export,
          "Everything that is kept of this person, to hand over to them; the audit says who asked", PersonData),
    Route("POST", "/contacts/<id>/erase", "contacts.erase", _erase,
          "Empty everything that names this person; counts and outcomes stay", Erased, body=EraseBody),
    Route("POST", "/erasures/preview", "contacts.erase", _erase_preview,
          "Which events of nobody name a person; changes nothing", ErasurePreview, body=PersonBody),
    Route("POST", "/erasures", "contacts.erase", _erase_address,
          "Empty the events of nobody that name a number or an address", Emptied, body=EraseAddressBody),
    Route("GET", "/suggestions", "suggestions.read", _suggestions, "Pairs of contacts that may be one person",
          SuggestionPage, query=SuggestionQuery),
)  # fmt: skip
