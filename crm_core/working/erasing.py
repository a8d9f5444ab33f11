"""Erases a person: everything that names him is emptied, rows and counts stay, so that the ledger still balances.

What stays: that something arrived, when, through which source, what became of it, and campaign names. Digests of his
identifiers prove the deed and let nobody read them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, text

from crm_core.access import Principal, audit
from crm_core.errors import Conflict
from crm_core.intake.snapshot import lock_number
from crm_core.reading.contacts import visible_root
from crm_core.reading.people import members_of
from crm_core.search import forget

_PURPOSE = b"erased person"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was emptied; `files` are hashes of contents that may now be without any owner."""

    contact_id: int
    events: int
    leads: int
    files: tuple[str, ...]
    strays: int = 0  # events of nobody that named him, emptied as well
    on_their_way: int = 0  # that name him too and were left, because the workers had them
    unsearched: Mapping[str, int] = field(default_factory=dict)  # events that could not be looked through, by why
    event_ids: tuple[int, ...] = ()


def own_identifiers(connection: Connection, principal: Principal, contact_id: int) -> list[tuple[str, str]]:
    """(kind, value) of what belongs to this person alone. A reception's number or an office's address names others too,
    and what names them is not his to erase. Raises NotFound."""
    root_id = visible_root(connection, principal, contact_id)
    rows = connection.execute(
        text(
            "SELECT DISTINCT i.kind, i.value FROM identifier i JOIN contact_identifier ci ON ci.identifier_id = i.id"
            " JOIN contact c ON c.id = ci.contact_id WHERE c.root_id = :root AND i.strength IN ('strong', 'weak')"
            "   AND NOT EXISTS (SELECT 1 FROM contact_identifier o JOIN contact oc ON oc.id = o.contact_id"
            "                    WHERE o.identifier_id = i.id AND o.retired_at IS NULL AND oc.root_id <> :root)"
        ),
        {"root": root_id},
    )
    return [(row.kind, row.value) for row in rows]


def empty_strays(
    connection: Connection, event_ids: Sequence[int], keyed: Callable[[str], bool], now: datetime
) -> int:
    """Empties events that belong to no contact, lead or call of anybody; returns how many still were so and free.

    What waited for a person is dismissed: nobody can decide about it any more. `keyed` says whether a provider's key names
    the person; such a key goes too.
    """
    rows = connection.execute(
        text(f"SELECT id, provider_key FROM inbound_event WHERE id = ANY(:ids) AND {STRAY} ORDER BY id FOR UPDATE SKIP LOCKED"),
        {"ids": list(event_ids)},
    ).all()
    ids = [row.id for row in rows]
    values = {"events": ids, "now": now, "keyed": [row.id for row in rows if row.provider_key and keyed(row.provider_key)]}
    connection.execute(
        text(
            f"UPDATE inbound_event SET {_EMPTY_EVENT},"
            " provider_key = CASE WHEN id = ANY(:keyed) THEN NULL ELSE provider_key END,"
            " reason = jsonb_build_object('code', CASE WHEN state = 'needs_attention' THEN 'erased'"
            "                                    ELSE coalesce(reason->>'code', '') END, 'erased', true),"
            " outcome = CASE WHEN state = 'needs_attention' THEN 'dismissed' ELSE outcome END,"
            " done_at = coalesce(done_at, :now),"
            " state = CASE WHEN state = 'needs_attention' THEN 'done' ELSE state END WHERE id = ANY(:events)"
        ),
        values,
    )
    connection.execute(
        text(
            "UPDATE mail_message SET participants = '{}', sender = '', subject = '', message_id = ''"
            " WHERE event_id = ANY(:events) AND contact_id IS NULL"
        ),
        {"events": ids},
    )
    return len(ids)


def empty_events(connection: Connection, event_ids: Sequence[int], now: datetime) -> int:
    """Empties events that had not become anything yet and dismisses them, so that nothing is made of them any more."""
    return connection.execute(
        text(
            f"UPDATE inbound_event SET {_EMPTY_EVENT}, provider_key = NULL, state = 'done', outcome = 'dismissed', done_at = :now,"
            " claim_token = NULL, reason = jsonb_build_object('code', 'erased', 'erased', true) WHERE id = ANY(:events)"
        ),
        {"events": list(event_ids), "now": now},
    ).rowcount


def empty_calls_of_nobody(connection: Connection, phones: Sequence[str]) -> int:
    """Calls of these numbers (E.164) that never led to a contact, such as one that only rang."""
    return connection.execute(
        text(
            "UPDATE call SET remote = '', facts = '{}', recording = '', settle_at = NULL"
            " WHERE contact_id IS NULL AND remote = ANY(:phones)"
        ),
        {"phones": list(phones)},
    ).rowcount


def digest_of_identifier(secret_key: str, kind: str, value: str) -> bytes:
    """HMAC-SHA-256 of a canonical identifier under the hub's key."""
    key = hashlib.sha256(_PURPOSE + secret_key.encode()).digest()
    return hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).digest()


def erase_contact(
    connection: Connection, principal: Principal, contact_id: int, why: str, secret_key: str, now: datetime,
    erasure_id: str = "",
) -> Erased:  # fmt: skip
    """Raises NotFound, or Conflict while something of him is on its way through the workers. `erasure_id` is what the list of
    erasures outside of the database calls this one."""
    root_id = visible_root(connection, principal, contact_id)
    identifiers = _held(connection, root_id)
    members = members_of(connection, root_id)
    call_ids = _calls_of(connection, members, [value for kind, value in identifiers if kind == "phone"])
    event_ids = _events_of(connection, members, call_ids)
    _forget_submissions(connection, members, root_id)
    for kind, value in identifiers:
        connection.execute(
            text("INSERT INTO tombstone (kind, digest, contact_id, at) VALUES (:kind, :digest, :contact, :now)"),
            {"kind": kind, "digest": digest_of_identifier(secret_key, kind, value), "contact": root_id, "now": now},
        )
    files = connection.scalars(
        text("SELECT DISTINCT sha256 FROM attachment WHERE contact_id = ANY(:members) AND sha256 <> ''"),
        {"members": members},
    ).all()
    forget(connection, members)
    leads = 0
    for statement in _STATEMENTS:
        result = connection.execute(text(statement), {"members": members, "events": event_ids, "calls": call_ids, "now": now})
        leads += result.rowcount if statement.startswith("UPDATE lead") else 0
    audit(
        connection, principal, "contact.erase", f"contact:{root_id}",
        {"why": why, "events": len(event_ids), "leads": leads} | ({"erasure": erasure_id} if erasure_id else {}),
    )  # fmt: skip
    return Erased(root_id, len(event_ids), leads, tuple(files), event_ids=tuple(event_ids))


def _held(connection: Connection, root_id: int) -> list[tuple[str, str]]:
    """The person's identifiers, locked as the intake locks them, so that nothing of his is taken in meanwhile."""
    query = text(
        "SELECT DISTINCT i.kind, i.value FROM identifier i JOIN contact_identifier ci ON ci.identifier_id = i.id"
        " JOIN contact c ON c.id = ci.contact_id WHERE c.root_id = :root"
    )
    names = sorted({lock_number(f"{row.kind}:{row.value}") for row in connection.execute(query, {"root": root_id})})
    if names:
        connection.execute(text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:names AS bigint[])) AS k"), {"names": names})
    held = connection.scalars(text("SELECT id FROM contact WHERE root_id = :root ORDER BY id FOR UPDATE"), {"root": root_id})
    if root_id not in held.all():
        raise Conflict("events_on_their_way", "This person was merged with another just now. Try again in a moment.")
    return [(row.kind, row.value) for row in connection.execute(query, {"root": root_id})]


def _calls_of(connection: Connection, members: Sequence[int], phones: Sequence[str]) -> list[int]:
    """His own, and those of his numbers that never led to a contact, such as one that only rang."""
    return list(
        connection.scalars(
            text(
                "SELECT id FROM call WHERE contact_id = ANY(:members)"
                " UNION SELECT id FROM call WHERE contact_id IS NULL AND remote = ANY(:phones)"
            ),
            {"members": list(members), "phones": list(phones)},
        )
    )


def _events_of(connection: Connection, members: Sequence[int], calls: Sequence[int]) -> list[int]:
    """Locked. Conflict if a worker has one of them: it may be waiting for the person's locks, so it is not waited for."""
    wanted = list(
        connection.scalars(text(_EVENTS), {"members": list(members), "calls": list(calls)})
    )
    rows = connection.execute(
        text("SELECT id, state FROM inbound_event WHERE id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED"), {"ids": wanted}
    ).all()
    if len(rows) < len(wanted) or any(row.state in ("waiting", "working") for row in rows):
        raise Conflict("events_on_their_way", "Something of this person is being worked on. Try again in a moment.")
    return [row.id for row in rows]


def _forget_submissions(connection: Connection, members: Sequence[int], root_id: int) -> None:
    connection.execute(
        text(
            "INSERT INTO tombstone (kind, digest, contact_id)"
            " SELECT DISTINCT 'submission', convert_to(fingerprint, 'UTF8'), CAST(:root AS bigint) FROM touch"
            " WHERE contact_id = ANY(:members) AND fingerprint <> ''"
        ),
        {"members": list(members), "root": root_id},
    )


#: Each part goes by an index of its own: the journal is the largest table.
_EVENTS = """
SELECT id FROM inbound_event WHERE contact_id = ANY(:members)
UNION SELECT id FROM inbound_event WHERE lead_id IN (SELECT id FROM lead WHERE contact_id = ANY(:members))
UNION SELECT event_id FROM touch WHERE contact_id = ANY(:members) AND event_id IS NOT NULL
UNION SELECT event_id FROM lead WHERE contact_id = ANY(:members)
UNION SELECT x.id FROM call c JOIN inbound_event x ON x.source_id = c.source_id
       AND x.received_at BETWEEN c.created_at - interval '1 day' AND c.created_at + interval '7 days'
       -- The first events of a call belong to nobody yet; their reason names the call.
       AND x.reason->>'call' = c.id::text WHERE c.id = ANY(:calls)
"""

#: What of an event may hold something about a person, but for its reason.
_EMPTY_EVENT = (
    "body = '', headers = '{}', query = '', path = '', remote_ip = '', error = NULL, erased_at = :now,"
    " verdict = verdict - 'reasons' - 'why' - 'before'"
)

#: Of an event that is with no worker and belongs to nobody. A call's first events name no contact; they belong to whoever
#: the call belongs to.
OF_NOBODY = """
    contact_id IS NULL AND lead_id IS NULL AND erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM call c
     WHERE c.contact_id IS NOT NULL AND c.id = CASE WHEN reason->>'call' ~ '^[0-9]{1,18}$' THEN (reason->>'call')::bigint END)
"""
STRAY = f"state IN ('done', 'needs_attention', 'rejected') AND {OF_NOBODY}"

#: In an order that foreign keys allow. Each names every column that can hold something about a person.
_STATEMENTS = (
    (
        f"UPDATE inbound_event SET {_EMPTY_EVENT},"
        " reason = jsonb_build_object('code', coalesce(reason->>'code', ''), 'erased', true) WHERE id = ANY(:events)"
    ),
    (
        "UPDATE touch SET title = '', text = '', data = '{\"erased\": true}', likeness = '', fingerprint = ''"
        " WHERE contact_id = ANY(:members)"
    ),
    (
        "UPDATE lead SET title = '', message = '', fields = '{}', spam = jsonb_build_object('score', spam->'score', 'reasons',"
        " CAST('[]' AS jsonb)), attribution = coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(attribution)"
        " WHERE key LIKE 'utm\\_%' AND key <> 'utm_term'), '{}'), version = version + 1,"
        " closed_at = CASE WHEN state = 'open' THEN :now ELSE closed_at END,"
        " lost_reason = CASE WHEN state = 'open' THEN 'erased' ELSE '' END,"
        " state = CASE WHEN state = 'open' THEN 'closed' ELSE state END WHERE contact_id = ANY(:members)"
    ),
    (
        "UPDATE activity SET phone = '', title = '', result = '{}',"
        " state = CASE WHEN state = 'open' THEN 'cancelled' ELSE state END,"
        " closed_at = coalesce(closed_at, :now) WHERE contact_id = ANY(:members)"
    ),
    "UPDATE call SET remote = '', facts = '{}', recording = '', settle_at = NULL WHERE id = ANY(:calls)",
    "UPDATE mail_message SET participants = '{}', sender = '', subject = '', message_id = '' WHERE contact_id = ANY(:members)",
    "UPDATE consent SET ip = '', user_agent = '', page_url = '' WHERE contact_id = ANY(:members)",
    (
        "UPDATE attachment SET name = '', url = '', sha256 = '', size = 0, field = '', state = 'refused', note = 'erased'"
        " WHERE contact_id = ANY(:members)"
    ),
    (
        "UPDATE merge_event SET evidence = '{}', moved = moved - 'loser_name'"
        " WHERE winner_id = ANY(:members) OR loser_id = ANY(:members)"
    ),
    "DELETE FROM suggestion WHERE a_id = ANY(:members) OR b_id = ANY(:members)",
    (
        "WITH gone AS (DELETE FROM contact_identifier WHERE contact_id = ANY(:members) RETURNING identifier_id)"
        " DELETE FROM identifier i USING gone WHERE i.id = gone.identifier_id AND NOT EXISTS"
        " (SELECT 1 FROM contact_identifier o WHERE o.identifier_id = i.id AND o.contact_id <> ALL(:members))"
    ),
    "UPDATE contact SET name = '', company = '', erased_at = :now, version = version + 1 WHERE id = ANY(:members)",
)
