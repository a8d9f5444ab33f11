"""Leads as the contract shows them: lists by any mark, and one by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, false
from sqlalchemy.orm import aliased

from crm_core.access import Principal
from crm_core.access.visibility import select_visible
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named, named
from crm_core.contacts.models import Contact
from crm_core.contacts.reach import (
    NOWHERE,
    MessengerAccount,
    Reach,
    email_values,
    members_of,
    members_with,
    phone_values,
    reachable_at,
)
from crm_core.forms.queries import ConsentView, FileView, consents_of, files_of
from crm_core.leads.models import Lead
from crm_core.people.models import Owner, Pool
from crm_core.search import catch_up, found_in, read_query
from crm_core.sources.models import Source

_Member = aliased(Contact, name="member")
_Root = aliased(Contact, name="root")
_LEAD_COLUMNS = tuple(Lead.__table__.columns)
_FEW = 3_000  # ids as a list in a statement
_ATTRIBUTION_TEXTS = ("page_url", "referrer")
_ATTRIBUTION_MAPS = ("click_ids", "client_ids")


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """What a list is narrowed by; None: by nothing."""

    state: str | None = None  # open | won | lost | closed | spam (closed because somebody called it so)
    stage: str | None = None
    owner: int | Literal["none"] | None = None
    pool: int | None = None
    source: int | None = None
    channel: str | None = None
    contact: int | None = None
    phone: str | None = None  # in any spelling
    email: str | None = None
    q: str | None = None
    since: datetime | None = None  # received at or after
    until: datetime | None = None  # received before


@dataclass(frozen=True, slots=True)
class FormRef:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class LeadContact:
    """The client; without ways to reach them where they are a colleague's by now."""

    id: int
    name: str
    phones: Sequence[str]
    emails: Sequence[str]
    messengers: Sequence[MessengerAccount]
    company: str


@dataclass(frozen=True, slots=True)
class SpamMark:
    """A person's word that the lead is spam."""

    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class SpamView:
    score: float
    reasons: Sequence[Mapping[str, Any]]
    marked: SpamMark | None


@dataclass(frozen=True, slots=True)
class LeadView:
    id: int
    state: str
    stage: str
    title: str
    line: str
    channel: str
    source: Named
    form: FormRef | None
    received_at: datetime
    created_at: datetime
    last_touch_at: datetime
    closed_at: datetime | None
    contact: LeadContact
    owner: Named | None
    pool: Named | None
    message: str
    fields: Mapping[str, Any]  # everything that was sent and not mapped
    attribution: Mapping[str, Any]
    consents: Sequence[ConsentView]
    files: Sequence[FileView]
    touches: int
    repeat_of: int | None
    lost_reason: str  # people's words; where there are none, closed_code
    closed_code: str
    amount: Decimal | None
    currency: str
    spam: SpamView
    version: int


def _select(principal: Principal) -> AnySelect:
    return (
        select_visible(
            Lead, principal, *_LEAD_COLUMNS, Source.name.label("source_name"), Owner.name.label("owner_name"),
            Pool.name.label("pool_name"), _Root.id.label("root_id"), _Root.name.label("contact_name"),
            _Root.company.label("company"),
        )
        .join(Source, Source.id == Lead.source_id)
        .join(_Member, _Member.id == Lead.contact_id)
        .join(_Root, _Root.id == _Member.root_id)
        .outerjoin(Owner, Owner.id == Lead.owner_id)
        .outerjoin(Pool, Pool.id == Lead.pool_id)
    )  # fmt: skip


def _narrow(connection: Connection, statement: AnySelect, filters: LeadFilter, region: str) -> AnySelect:
    equal = {
        Lead.state: "closed" if filters.state == "spam" else filters.state, Lead.stage: filters.stage, Lead.pool_id: filters.pool,
        Lead.source_id: filters.source, Lead.channel: filters.channel,
    }  # fmt: skip
    for column, value in equal.items():
        if value is not None:
            statement = statement.where(column == value)
    if filters.state == "spam":
        statement = statement.where(Lead.closed_code == "spam")
    if filters.owner is not None:
        statement = statement.where(Lead.owner_id.is_(None) if filters.owner == "none" else Lead.owner_id == filters.owner)
    if filters.contact is not None:
        statement = statement.where(Lead.contact_id.in_(members_of(connection, filters.contact)))
    if filters.phone is not None:
        statement = statement.where(Lead.contact_id.in_(members_with(connection, "phone", phone_values(filters.phone, region))))
    if filters.email is not None:
        statement = statement.where(Lead.contact_id.in_(members_with(connection, "email", email_values(filters.email))))
    if filters.q is not None and filters.q.strip():
        statement = statement.where(_with_words(connection, filters.q, region))
    if filters.since is not None:
        statement = statement.where(Lead.received_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(Lead.received_at < filters.until)
    return statement


def _with_words(connection: Connection, typed: str, region: str) -> ColumnElement[bool]:
    """Asked for beforehand while they are few: with LIMIT the planner would rather walk through all leads by time than
    begin with the few that can match."""
    query = read_query(typed, region)
    if not query.terms:
        return false()
    catch_up(connection)
    found = found_in("lead", query)
    ids = list(connection.scalars(found.limit(_FEW + 1)))
    return Lead.id.in_(ids if len(ids) <= _FEW else found)


def list_leads(
    connection: Connection,
    principal: Principal,
    filters: LeadFilter,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
    region: str = "RU",
    also: ColumnElement[bool] | None = None,
) -> Page[LeadView]:
    """Leads by time of receipt, newest first. `region` is the country of phones typed without a code; `also` is what a subject above
    this one narrows the list by."""
    statement = _narrow(connection, _select(principal), filters, region)
    if also is not None:
        statement = statement.where(also)
    rows = connection.execute(newest_first(statement, Lead.received_at, Lead.id, after, limit)).all()
    return page(rows, limit, lambda shown: _shape(connection, principal, shown), lambda row: (row.received_at, row.id))


def get_lead(connection: Connection, principal: Principal, lead_id: int) -> LeadView:
    """Raises NotFound, also for a lead that the principal may not see."""
    row = connection.execute(_select(principal).where(Lead.id == lead_id)).one_or_none()
    if row is None:
        raise NotFound("lead_unknown", f"There is no lead {lead_id}.")
    return _shape(connection, principal, [row])[0]


def leads_by_id(connection: Connection, principal: Principal, ids: Sequence[int]) -> list[LeadView]:
    """Those of them that the principal may see, newest first."""
    rows = connection.execute(_select(principal).where(Lead.id.in_(ids)).order_by(Lead.received_at.desc(), Lead.id.desc())).all()
    return _shape(connection, principal, rows)


def _shape(connection: Connection, principal: Principal, rows: Sequence[AnyRow]) -> list[LeadView]:
    """Of a client who is a colleague's by now only the name: how he is reached today is none of this lead's business."""
    roots = {row.root_id for row in rows}
    seen = set(connection.scalars(select_visible(Contact, principal, Contact.id).where(Contact.id.in_(roots))))
    reach = dict.fromkeys(roots, NOWHERE) | reachable_at(connection, seen)
    consents = consents_of(connection, {row.id for row in rows})
    files = files_of(connection, {row.id for row in rows})
    return [_view(row, reach[row.root_id], consents[row.id], files[row.id]) for row in rows]


def _view(row: AnyRow, reach: Reach, consents: Sequence[ConsentView], files: Sequence[FileView]) -> LeadView:
    return LeadView(
        id=row.id,
        state=row.state,
        stage=row.stage,
        title=row.title,
        line=row.line,
        channel=row.channel,
        source=Named(row.source_id, row.source_name),
        form=FormRef(row.form_id, row.form_name) if row.form_id or row.form_name else None,
        received_at=row.received_at,
        created_at=row.created_at,
        last_touch_at=row.last_touch_at,
        closed_at=row.closed_at,
        contact=LeadContact(row.root_id, row.contact_name, reach.phones, reach.emails, reach.messengers, row.company),
        owner=named(row.owner_id, row.owner_name),
        pool=named(row.pool_id, row.pool_name),
        message=row.message,
        fields=row.fields,
        attribution=_attribution(row.attribution),
        consents=consents,
        files=files,
        touches=row.touches,
        repeat_of=row.repeat_of,
        lost_reason=row.lost_reason or row.closed_code,
        closed_code=row.closed_code,
        amount=row.amount,
        currency=row.currency,
        spam=_spam(row.spam),
        version=row.version,
    )


def _spam(stored: Mapping[str, Any]) -> SpamView:
    marked = stored.get("marked")
    told = SpamMark(marked["by"], datetime.fromisoformat(marked["at"]), marked["why"]) if marked else None
    return SpamView(stored.get("score", 0), stored.get("reasons", []), told)


def _attribution(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Flat marks as in the contract, with every fixed key there."""
    marks = {key: value for key, value in stored.items() if key != "utm"} | dict(stored.get("utm") or {})
    texts = {key: marks.get(key) or "" for key in _ATTRIBUTION_TEXTS}
    maps = {key: marks.get(key) or {} for key in _ATTRIBUTION_MAPS}
    return marks | texts | maps
