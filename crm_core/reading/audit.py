"""The audit for reading: who did or looked at what, when, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, select

from crm_core.access import Principal, may
from crm_core.errors import NotFound
from crm_core.models import AuditEntry
from crm_core.reading.actors import names_of
from crm_core.reading.paging import DEFAULT_LIMIT, AnyRow, Page, Position, newest_first, page
from crm_core.reading.values import Filters, Text, Time, rfc3339


class AuditFilters(Filters):
    actor: Text | None = Field(None, max_length=100, description="user:7, token:3, cli, visitor, hub")
    subject: Text | None = Field(
        None, max_length=200, description="lead:7, event:…, source:3; a kind alone (lead) means all of that kind"
    )
    action: Text | None = Field(None, max_length=100, description="event.raw, lead.assign, session.refuse, …")
    since: Time | None = Field(None, description="at or after")
    until: Time | None = Field(None, description="before")


def list_audit(
    connection: Connection,
    principal: Principal,
    filters: AuditFilters,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[dict[str, Any]]:
    """{"id","at","actor","actor_name","action","subject","data"}, newest first. NotFound without the right to read it."""
    if not may(principal, "audit.read"):
        raise NotFound("audit", "There is no audit.")
    statement = select(
        AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.subject, AuditEntry.data
    )
    if filters.actor is not None:
        statement = statement.where(AuditEntry.actor == filters.actor)
    if filters.subject is not None:
        subject = filters.subject
        statement = statement.where(
            AuditEntry.subject == subject
            if ":" in subject
            else (AuditEntry.subject == subject) | AuditEntry.subject.startswith(f"{subject}:", autoescape=True)
        )
    if filters.action is not None:
        statement = statement.where(AuditEntry.action == filters.action)
    if filters.since is not None:
        statement = statement.where(AuditEntry.at >= filters.since)
    if filters.until is not None:
        statement = statement.where(AuditEntry.at < filters.until)
    rows = connection.execute(newest_first(statement, AuditEntry.at, AuditEntry.id, after, limit)).all()
    return page(rows, limit, lambda shown: _shape(connection, shown), lambda row: (row.at, row.id))


def _shape(connection: Connection, rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    names = names_of(connection, {row.actor for row in rows})
    return [
        {
            "id": str(row.id),
            "at": rfc3339(row.at),
            "actor": row.actor,
            "actor_name": names.get(row.actor, ""),
            "action": row.action,
            "subject": row.subject,
            "data": row.data,
        }
        for row in rows
    ]
