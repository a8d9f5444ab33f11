"""Takes hold of persons as the intake does: their identifiers by name, then the rows of their roots by id. Nothing of theirs
is taken in, merged or taken apart meanwhile."""

from __future__ import annotations

from collections.abc import Collection

from psycopg.rows import dict_row
from sqlalchemy import Connection, text

from crm_core.access.visibility import select_any
from crm_core.base.errors import Conflict
from crm_core.batch.locks import lock_number
from crm_core.batch.rows import Cursor
from crm_core.contacts.models import Contact

_KEYS = """
SELECT DISTINCT i.kind, i.value FROM contact c JOIN contact_identifier ci ON ci.contact_id = c.id
  JOIN identifier i ON i.id = ci.identifier_id WHERE c.root_id = ANY(:roots)
"""


def hold_roots(connection: Connection, root_ids: Collection[int]) -> None:
    """Raises Conflict if one of them was merged with another, or taken apart, while its locks were awaited."""
    roots = sorted(root_ids)
    keys = connection.execute(text(_KEYS), {"roots": roots}).all()
    names = sorted({lock_number(f"{row.kind}:{row.value}") for row in keys})
    if names:
        connection.execute(text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:names AS bigint[])) AS k"), {"names": names})
    rows = connection.execute(
        select_any(Contact.id, Contact.root_id, because="whoever holds them has looked whether they may")
        .where(Contact.id.in_(roots))
        .order_by(Contact.id)
        .with_for_update(key_share=True)
    ).all()
    if any(row.id != row.root_id for row in rows) or len(rows) < len(roots):
        raise Conflict("merged_meanwhile", "One of these contacts was merged with another just now. Look again.")


def cursor_of(connection: Connection) -> Cursor:
    """A cursor of the same transaction, with rows as dictionaries, for writers that the engine uses too."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor(row_factory=dict_row)  # type: ignore[no-any-return]
