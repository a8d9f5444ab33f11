"""One history of a person: forms, calls, mails and decisions of all merged members, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_core.access import Principal
from crm_core.access.visibility import select_visible
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, Page, Position, newest_first, page
from crm_core.base.values import Named, named
from crm_core.calls.models import Call
from crm_core.contacts.models import Contact
from crm_core.contacts.queries import visible_root
from crm_core.contacts.reach import members_of, root_of
from crm_core.leads.models import Lead
from crm_core.messages.models import MailMessage
from crm_core.people.models import Owner
from crm_core.sources.models import InboundEvent, Source
from crm_core.timeline.models import Touch


@dataclass(frozen=True, slots=True)
class TouchCall:
    id: int
    phase: str
    outcome: str | None
    remote: str
    owner: Named | None  # who talked
    talk_seconds: float | None
    recording: str


@dataclass(frozen=True, slots=True)
class TouchMail:
    id: int
    subject: str
    sender: str


@dataclass(frozen=True, slots=True)
class TouchView:
    id: int
    kind: str
    direction: str
    at: datetime
    source: Named | None
    lead_id: int | None
    event: str | None  # uid
    actor: str
    title: str
    text: str
    data: Mapping[str, Any]
    double_of: int | None  # the touch that this one repeats: the same submission, sent twice
    call: TouchCall | None
    mail: TouchMail | None


def timeline(
    connection: Connection,
    principal: Principal,
    contact_id: int,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
    lead_id: int | None = None,
) -> Page[TouchView]:
    """The touches of the contact's root that the principal may see, of one lead only if `lead_id` is given.

    Raises NotFound for a contact that he does not see, unless `lead_id` is a lead of his own.
    """
    root_id = (
        visible_root(connection, principal, contact_id)
        if lead_id is None or not _sees_lead(connection, principal, contact_id, lead_id)
        else root_of(connection, contact_id)
    )
    statement = (
        select_visible(
            Touch, principal, Touch.id, Touch.kind, Touch.direction, Touch.at, Touch.source_id, Source.name.label("source_name"),
            Touch.lead_id, InboundEvent.uid.label("event"), Touch.actor, Touch.title, Touch.text, Touch.data,
            Touch.call_id, Call.outcome, Call.phase, Call.talk_seconds, Call.recording, Call.remote,
            Owner.id.label("talker_id"), Owner.name.label("talker_name"),
            Touch.double_of, Touch.message_id, MailMessage.subject, MailMessage.sender,
        )
        .join(Contact, Contact.id == Touch.contact_id)
        .outerjoin(Source, Source.id == Touch.source_id)
        .outerjoin(InboundEvent, InboundEvent.id == Touch.event_id)
        .outerjoin(Call, Call.id == Touch.call_id)
        .outerjoin(Owner, Owner.id == Call.owner_id)
        .outerjoin(MailMessage, MailMessage.id == Touch.message_id)
        .where(Contact.root_id == root_id)
    )  # fmt: skip
    if lead_id is not None:
        statement = statement.where(Touch.lead_id == lead_id)
    rows = connection.execute(newest_first(statement, Touch.at, Touch.id, after, limit)).all()
    return page(rows, limit, lambda shown: [_shape(row) for row in shown], lambda row: (row.at, row.id))


def _sees_lead(connection: Connection, principal: Principal, contact_id: int, lead_id: int) -> bool:
    """True for a lead of this contact that the principal sees, also when its client is somebody else's by now."""
    found = select_visible(Lead, principal, Lead.id).where(
        Lead.id == lead_id, Lead.contact_id.in_(members_of(connection, contact_id))
    )
    return connection.scalar(found) is not None


def _shape(row: AnyRow) -> TouchView:
    return TouchView(
        id=row.id,
        kind=row.kind,
        direction=row.direction,
        at=row.at,
        source=named(row.source_id, row.source_name),
        lead_id=row.lead_id,
        event=row.event,
        actor=row.actor,
        title=row.title,
        text=row.text,
        data=row.data,
        double_of=row.double_of,
        call=None if row.call_id is None else TouchCall(
            row.call_id, row.phase, row.outcome, row.remote, named(row.talker_id, row.talker_name), row.talk_seconds,
            row.recording,
        ),
        mail=None if row.message_id is None else TouchMail(row.message_id, row.subject, row.sender),
    )  # fmt: skip
