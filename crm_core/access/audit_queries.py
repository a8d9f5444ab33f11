"""The audit for reading: who did or looked at what, when, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from crm_core.access import Principal, may
from crm_core.access.actors import names_of
from crm_core.access.models import AuditEntry
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnyRow, Page, Position, newest_first, page


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the list is narrowed by; None: by nothing."""

    actor: str | None = None  # user:7, token:3, cli:root, visitor, hub; a kind alone (cli) means all of that kind
    subject: str | None = None  # lead:7; a kind alone (lead) means all of that kind
    action: str | None = None
    since: datetime | None = None  # at or after
    until: datetime | None = None  # before


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: datetime
    actor: str
    actor_name: str  # of a user or token; empty for the others
    action: str
    subject: str
    data: Mapping[str, Any]  # ids and names of fields; no personal data


def list_audit(
    connection: Connection,
    principal: Principal,
    filters: AuditFilter,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[AuditRow]:
    """Newest first. NotFound without the right to read it."""
    if not may(principal, "audit.read"):
        raise NotFound("audit", "There is no audit.")
    statement = select(AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.subject, AuditEntry.data)
    if filters.actor is not None:
        statement = statement.where(_is_or_of_kind(AuditEntry.actor, filters.actor))
    if filters.subject is not None:
        statement = statement.where(_is_or_of_kind(AuditEntry.subject, filters.subject))
    if filters.action is not None:
        statement = statement.where(AuditEntry.action == filters.action)
    if filters.since is not None:
        statement = statement.where(AuditEntry.at >= filters.since)
    if filters.until is not None:
        statement = statement.where(AuditEntry.at < filters.until)
    rows = connection.execute(newest_first(statement, AuditEntry.at, AuditEntry.id, after, limit)).all()
    return page(rows, limit, lambda shown: _shape(connection, shown), lambda row: (row.at, row.id))


def _is_or_of_kind(column: InstrumentedAttribute[str], wanted: str) -> ColumnElement[bool]:
    """ "lead:7" is one, "lead" all of that kind."""
    if ":" in wanted:
        return column == wanted
    return or_(column == wanted, column.startswith(f"{wanted}:", autoescape=True))


def _shape(connection: Connection, rows: Sequence[AnyRow]) -> list[AuditRow]:
    names = names_of(connection, {row.actor for row in rows})
    return [AuditRow(row.id, row.at, row.actor, names.get(row.actor, ""), row.action, row.subject, row.data) for row in rows]
