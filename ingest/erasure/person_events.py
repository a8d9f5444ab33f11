"""The journal's part in an erasure: which events are a person's, which are nobody's and name them, and emptying both.

What the domain keeps of the person is `crm_core.erasure.commands`; one transaction does both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from crm_core.access import Principal
from crm_core.base.errors import Conflict
from crm_core.erasure.commands import Erased, Held, empty_mails_of_nobody, erase_held, hold_person
from crm_core.identity.traces import sought
from ingest.journal import transitions
from ingest.journal.states import PENDING

#: Each part goes by an index of its own: the journal is the largest table.
_EVENTS: Final = """
SELECT id FROM inbound_event WHERE contact_id = ANY(:members)
UNION SELECT id FROM inbound_event WHERE lead_id IN (SELECT id FROM lead WHERE contact_id = ANY(:members))
UNION SELECT event_id FROM touch WHERE contact_id = ANY(:members) AND event_id IS NOT NULL
UNION SELECT event_id FROM lead WHERE contact_id = ANY(:members)
UNION SELECT x.id FROM call c JOIN inbound_event x ON x.source_id = c.source_id
       AND x.received_at BETWEEN c.created_at - interval '1 day' AND c.created_at + interval '7 days'
       -- The first events of a call belong to nobody yet; their reason names the call.
       AND x.reason->>'call' = c.id::text WHERE c.id = ANY(:calls)
"""

#: Of an event that is with no worker and belongs to nobody. A call's first events name no contact; they belong to whoever
#: the call belongs to.
UNLINKED: Final = """
    contact_id IS NULL AND lead_id IS NULL AND erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM call c
     WHERE c.contact_id IS NOT NULL AND c.id = CASE WHEN reason->>'call' ~ '^[0-9]{1,18}$' THEN (reason->>'call')::bigint END)
"""
UNLINKED_AND_DONE: Final = f"state IN ('done', 'needs_attention', 'rejected') AND {UNLINKED}"


def erase_contact(
    connection: Connection, principal: Principal, contact_id: int, why: str, secret_key: str, now: datetime,
    erasure_id: str = "",
) -> Erased:  # fmt: skip
    """Erases a person and their events. Raises NotFound, or Conflict while something of theirs is on its way through the
    workers. `erasure_id` is what the list of erasures outside of the database calls this one."""
    held = hold_person(connection, principal, contact_id)
    keys = _held_events(connection, held)
    event_ids, named = list(keys), sought(held.identifiers)
    # Redeliveries are known by the provider's key, so it stays; but not where the number itself is the key.
    with_key = [event_id for event_id, key in keys.items() if key and named.is_in(key)]
    transitions.erase(connection, event_ids, with_key, now)
    return erase_held(connection, principal, held, event_ids, why, secret_key, now, erasure_id)


def empty_unlinked_events(connection: Connection, event_ids: Sequence[int], keyed: Callable[[str], bool], now: datetime) -> int:
    """Empties events that belong to no contact, lead or call of anybody; returns how many still were so and free.

    What waited for a person is dismissed: nobody can decide about it any more. `keyed` says whether a provider's key names
    the person; such a key goes too.
    """
    rows = connection.execute(
        text(
            f"SELECT id, provider_key FROM inbound_event WHERE id = ANY(:ids) AND {UNLINKED_AND_DONE} ORDER BY id FOR UPDATE SKIP LOCKED"
        ),
        {"ids": list(event_ids)},
    ).all()
    ids = [row.id for row in rows]
    with_key = [row.id for row in rows if row.provider_key and keyed(row.provider_key)]
    transitions.erase_unlinked(connection, ids, with_key, now)
    empty_mails_of_nobody(connection, ids)
    return len(ids)


def events_of(connection: Connection, members: Sequence[int], call_ids: Sequence[int]) -> list[int]:
    """What these contacts sent, and what told of these calls."""
    return list(connection.scalars(text(_EVENTS), {"members": list(members), "calls": list(call_ids)}))


def _held_events(connection: Connection, held: Held) -> dict[int, str | None]:
    """Locked, each with its provider's key. Conflict if a worker has one of them: it may be waiting for the person's locks, so
    it is not waited for."""
    wanted = events_of(connection, held.members, held.call_ids)
    rows = connection.execute(
        text("SELECT id, state, provider_key FROM inbound_event WHERE id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED"),
        {"ids": wanted},
    ).all()
    if len(rows) < len(wanted) or any(row.state in PENDING for row in rows):
        raise Conflict("events_on_their_way", "Something of this person is being worked on. Try again in a moment.")
    return {row.id: row.provider_key for row in rows}
