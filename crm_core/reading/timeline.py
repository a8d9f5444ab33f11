"""One history of a person: forms, calls, mails and decisions of all merged members, newest first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from crm_core.access import Principal, visible_leads, visible_touches
from crm_core.models import Call, Contact, InboundEvent, Lead, MailMessage, Owner, Source, Touch
from crm_core.reading.contacts import visible_root
from crm_core.reading.paging import DEFAULT_LIMIT, AnyRow, Page, Position, newest_first, page
from crm_core.reading.people import members_of, root_of
from crm_core.reading.values import id_text, named, rfc3339


def timeline(
    connection: Connection,
    principal: Principal,
    contact_id: int,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
    lead_id: int | None = None,
) -> Page[dict[str, Any]]:
    """The touches of the contact's root that the principal may see, of one lead only if `lead_id` is given.

    Raises NotFound for a contact that he does not see, unless `lead_id` is a lead of his own.
    """
    root_id = (
        visible_root(connection, principal, contact_id)
        if lead_id is None or not _sees_lead(connection, principal, contact_id, lead_id)
        else root_of(connection, contact_id)
    )
    statement = (
        select(
            Touch.id, Touch.kind, Touch.direction, Touch.at, Touch.source_id, Source.name.label("source_name"),
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
        .where(Contact.root_id == root_id, visible_touches(principal))
    )  # fmt: skip
    if lead_id is not None:
        statement = statement.where(Touch.lead_id == lead_id)
    rows = connection.execute(newest_first(statement, Touch.at, Touch.id, after, limit)).all()
    return page(rows, limit, lambda shown: [_shape(row) for row in shown], lambda row: (row.at, row.id))


def _sees_lead(connection: Connection, principal: Principal, contact_id: int, lead_id: int) -> bool:
    """True for a lead of this contact that the principal sees, also when its client is somebody else's by now."""
    found = select(Lead.id).where(
        Lead.id == lead_id, Lead.contact_id.in_(members_of(connection, contact_id)), visible_leads(principal)
    )
    return connection.scalar(found) is not None


def _shape(row: AnyRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "direction": row.direction,
        "at": rfc3339(row.at),
        "source": named(row.source_id, row.source_name),
        "lead": id_text(row.lead_id),
        "event": row.event,
        "actor": row.actor,
        "title": row.title,
        "text": row.text,
        "data": row.data,
        "double_of": id_text(row.double_of),
        "call": None if row.call_id is None else {
            "id": str(row.call_id),
            "phase": row.phase,
            "outcome": row.outcome,
            "remote": row.remote,
            "owner": named(row.talker_id, row.talker_name),
            "talk_seconds": row.talk_seconds,
            "recording": row.recording,
        },
        "mail": None if row.message_id is None else {
            "id": str(row.message_id), "subject": row.subject, "from": row.sender,
        },
    }  # fmt: skip
