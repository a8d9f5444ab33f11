"""What the hub keeps of one person, for the person: whole rows of every table that holds something personal of them, as JSON.

Which tables and columns those are, the models and the erasure say (`Personal`, `crm_core.erasure.tables`), so that nothing is
shown that an erasure leaves and nothing erased that was not shown. Contents of files are not in it: they are named by hash.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Column, Connection, LargeBinary, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from crm_core.access import Principal
from crm_core.base import history
from crm_core.base.personal import personal_columns
from crm_core.base.values import rfc3339
from crm_core.contacts.queries import visible_root
from crm_core.contacts.reach import members_of
from crm_core.erasure.commands import calls_of
from crm_core.erasure.tables import PLACES
from crm_core.models import Base
from ingest.erasure.person_events import events_of

EXPORTED: Final = history.Action("contact.export")


@dataclass(frozen=True, slots=True)
class PersonData:
    """A document to hand over, not a view: whole rows by table, whatever columns it has, ready to be written as JSON. Ids
    are text in them, times RFC 3339, bytes text or {"base64"}."""

    contact_id: int
    at: datetime
    tables: Mapping[str, Sequence[Mapping[str, Any]]]


def export_person(connection: Connection, principal: Principal, contact_id: int, now: datetime) -> PersonData:
    """Everything that is kept of a person. Raises NotFound.

    Colleagues stand in it where they decided something: whoever hands it out looks it over first.
    """
    root_id = visible_root(connection, principal, contact_id)
    tables = _tables(connection, root_id)
    history.record(connection, principal, EXPORTED, root_id, {"rows": {name: len(rows) for name, rows in tables.items() if rows}})
    return PersonData(root_id, now, tables)


def _tables(connection: Connection, root_id: int) -> dict[str, list[dict[str, Any]]]:
    """By table, in the order of their keys."""
    members = members_of(connection, root_id)
    phones = connection.scalars(
        text("SELECT value FROM identifier WHERE kind = 'phone' AND " + PLACES["identifier"].rows), {"members": members}
    ).all()
    calls = calls_of(connection, members, phones)
    ids = {"members": members, "calls": calls, "events": events_of(connection, members, calls)}
    rows = {name: place.rows for name, place in PLACES.items() if not place.derived} | {"inbound_event": "id = ANY(:events)"}
    return {name: _rows(connection, name, rows[name], ids) for name in personal_columns(Base.metadata) if name in rows}


def _rows(connection: Connection, name: str, condition: str, ids: Mapping[str, Any]) -> list[dict[str, Any]]:
    table = Base.metadata.tables[name]
    columns = [column for column in table.columns if _is_for_the_person(column)]
    mine = text(condition).bindparams(**{key: value for key, value in ids.items() if f":{key}" in condition})
    found = connection.execute(select(*columns).where(mine).order_by(*table.primary_key)).mappings()
    return [{column.name: _told(column, row[column.name]) for column in columns} for row in found]


def _is_for_the_person(column: Column[Any]) -> bool:
    return column.info.get("of") != "staff" and not isinstance(column.type, TSVECTOR)


def _told(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, LargeBinary) and value is not None:
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return str(value)
    is_id = column.primary_key or bool(column.foreign_keys) or column.name.endswith("_id")
    return str(value) if is_id and isinstance(value, int) else value
