"""Where each table keeps a person, and what becomes of those rows when the person is erased.

Which columns are emptied is not said here but in the models (`Personal`): a new personal column of these tables is emptied
without an edit. A new table with personal columns needs its place here, and a test fails until it has one. The journal
empties its own rows (`ingest.journal.states`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ARRAY, Column
from sqlalchemy.dialects.postgresql import JSONB

from crm_core.base.personal import personal_columns
from crm_core.models import Base  # every table, not only those of the subjects that this process has imported


@dataclass(frozen=True, slots=True)
class Place:
    """The rows of one table that belong to a person. Parameters: members and calls (ids of the person's), now."""

    rows: str
    #: What stays of a personal column that is not emptied altogether, as an expression. It names what stays, not what goes.
    stays: Mapping[str, str] = field(default_factory=dict)
    #: What else changes: states that say that this was erased.
    also: Mapping[str, str] = field(default_factory=dict)
    #: The rows go as a whole.
    deleted: bool = False
    #: Made from other rows, so that it tells nobody anything new.
    derived: bool = False
    #: Where neither an UPDATE nor a DELETE of these rows alone does it.
    statement: str = ""


_BY_CONTACT: Final = "contact_id = ANY(:members)"

#: What of an object stays: ids and codes, and names of colleagues.
_OF_MERGE: Final = (
    "'leads', 'folded', 'kept', 'tasks', 'last_touch', 'named', 'contacts', 'identifiers', 'closed_lead', 'loser_owner_id'"
)
_OF_TRACE: Final = "'code', 'steps', 'pool', 'candidates', 'covers_for', 'by', 'before', 'shares_with', 'tie', 'rule', 'next'"


#: What nobody else uses. In one statement with the links, which refer to it and by which it is found.
_FORGET_IDENTIFIERS: Final = (
    "WITH gone AS (DELETE FROM contact_identifier WHERE contact_id = ANY(:members) RETURNING identifier_id)"
    " DELETE FROM identifier i USING gone WHERE i.id = gone.identifier_id AND NOT EXISTS"
    " (SELECT 1 FROM contact_identifier o WHERE o.identifier_id = i.id AND o.contact_id <> ALL(:members))"
)


def _some_keys(column: str, keys: str) -> str:
    """The object's own keys among `keys`; NULL if there are none, or if it is no object (JSON null)."""
    whole = f"CASE jsonb_typeof({column}) WHEN 'object' THEN {column} ELSE '{{}}' END"
    return f"(SELECT jsonb_object_agg(key, value) FROM jsonb_each({whole}) WHERE key IN ({keys}))"


#: In an order that foreign keys allow.
PLACES: Final[Mapping[str, Place]] = {
    "search_document": Place(_BY_CONTACT, deleted=True, derived=True),
    "search_queue": Place(_BY_CONTACT, deleted=True, derived=True),
    "touch": Place(_BY_CONTACT, stays={"data": "'{\"erased\": true}'"}),
    "assignment": Place(
        f"lead_id IN (SELECT id FROM lead WHERE {_BY_CONTACT})",
        stays={"trace": f"coalesce({_some_keys('trace', _OF_TRACE)}, '{{}}')"},
    ),
    "owner_exclusion": Place(_BY_CONTACT),
    "mention": Place(f"lead_id IN (SELECT id FROM lead WHERE {_BY_CONTACT})"),
    "lead": Place(
        _BY_CONTACT,
        stays={
            "spam": "jsonb_build_object('score', spam->'score', 'reasons', CAST('[]' AS jsonb))",
            # Campaigns, for the figures; what was searched for may be a name.
            "attribution": "coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(attribution)"
                           " WHERE key LIKE 'utm\\_%' AND key <> 'utm_term'), '{}')",
        },
        also={
            "version": "version + 1",
            "closed_at": "CASE WHEN state = 'open' THEN :now ELSE closed_at END",
            "closed_code": "CASE WHEN state = 'open' THEN 'erased' ELSE '' END",
            "state": "CASE WHEN state = 'open' THEN 'closed' ELSE state END",
        },
    ),
    "activity": Place(
        _BY_CONTACT,
        also={
            "state": "CASE WHEN state = 'open' THEN 'cancelled' ELSE state END",
            "closed_at": "coalesce(closed_at, :now)",
        },
    ),
    "call": Place("id = ANY(:calls)", also={"settle_at": "NULL"}),
    "mail_message": Place(_BY_CONTACT),
    "consent": Place(_BY_CONTACT),
    "attachment": Place(_BY_CONTACT, also={"size": "0", "state": "'refused'", "note": "'erased'"}),
    "merge_event": Place(
        "(winner_id = ANY(:members) OR loser_id = ANY(:members))",
        stays={"moved": f"coalesce({_some_keys('moved', _OF_MERGE)}, '{{}}')"},
    ),
    "suggestion": Place("(a_id = ANY(:members) OR b_id = ANY(:members))", deleted=True),
    "identifier": Place(
        "id IN (SELECT identifier_id FROM contact_identifier WHERE contact_id = ANY(:members))", statement=_FORGET_IDENTIFIERS
    ),
    "contact_identifier": Place(_BY_CONTACT, deleted=True),
    "contact": Place("id = ANY(:members)", also={"erased_at": ":now", "version": "version + 1", "company_id": "NULL"}),
}  # fmt: skip


def statements() -> Iterator[tuple[str, str]]:
    """(table, statement) for every place, in order."""
    for table, place in PLACES.items():
        if place.statement:
            yield table, place.statement
        elif place.deleted:
            yield table, f"DELETE FROM {table} WHERE {place.rows}"
        else:
            yield table, f"UPDATE {table} SET {emptied(table)} WHERE {place.rows}"


def emptied(table: str, **instead: str) -> str:
    """The SET list that empties the personal columns of a table. `instead` replaces what stays of a column, or adds one."""
    place = PLACES[table]
    columns = {column.name: place.stays.get(column.name, _empty(column)) for column in personal_columns(Base.metadata)[table]}
    return ", ".join(f"{name} = {value}" for name, value in {**columns, **place.also, **instead}.items())


def _empty(column: Column[Any]) -> str:
    if column.nullable:
        return "NULL"
    return "'{}'" if isinstance(column.type, JSONB | ARRAY) else "''"
