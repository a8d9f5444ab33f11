"""What happened around leads, as deadlines see it: which lines of a history are an inquiry, and which reached the client.

An inquiry: a form (a double click on it is none), a call that nobody took, a mail that is no reply within a thread.
A contact: an answered call in either direction, a message that we sent, a call, meeting or call-back marked as done, "I reached
them" said by hand. Comments, stages, assignments and tries that nobody answered are none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from crm_core.batch.rows import Cursor
from crm_core.calls.rules import MISSED_OUTCOMES, TALKED_OUTCOMES
from crm_core.deadlines.rules import Contact, How, Policy

#: Of one lead, the newest.
_MOST_TOUCHES: Final = 500


def _listed(words: Collection[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


#: Kinds of activities that are done with the client, so that "done" says that somebody reached them.
_WITH_CLIENT: Final = "'call_back', 'call', 'mail', 'meeting'"
#: Of `touch` t with its `call` k: somebody of ours reached the client.
_IS_CONTACT: Final = (
    f"(t.kind = 'call' AND k.outcome IN ({_listed(TALKED_OUTCOMES)})"
    " OR t.kind IN ('mail', 'message') AND t.direction = 'out'"
    f" OR t.kind = 'task' AND (t.data ? 'contact' OR t.data->>'state' = 'done' AND t.data->>'kind' IN ({_WITH_CLIENT})))"
)
#: Of `touch` t with its `call` k and `inbound_event` e: the client wants something.
_IS_INQUIRY: Final = (
    "(t.direction = 'in' AND t.counted AND (t.kind = 'form'"
    f" OR t.kind = 'call' AND k.outcome IN ({_listed(MISSED_OUTCOMES)})"
    " OR t.kind = 'mail' AND e.reason->'thread'->>'rule' IS DISTINCT FROM 'reply_of_a_participant'))"
)
#: Of `lead` l: the lead itself, those that were folded into it, what belongs to no lead, and what its own owner did with the client.
_IS_OF_LEAD: Final = (
    "(t.lead_id IS NULL OR t.lead_id = l.id OR o.closed_code = 'merged' AND o.line = l.line OR k.owner_id = l.owner_id)"
)
#: A clock of an exchange that is ahead makes no answer later than it was told.
_AT: Final = "least(coalesce(k.answered_at, t.at), coalesce(e.received_at, t.at))"

#: The touches of the lead `l`'s client.
_TOUCHES: Final = (
    "contact m JOIN touch t ON t.contact_id = m.id LEFT JOIN call k ON k.id = t.call_id LEFT JOIN lead o ON o.id = t.lead_id"
    " LEFT JOIN inbound_event e ON e.id = t.event_id"
)

#: Whether somebody has reached the client of lead `l` since the wait `d` began, although nobody has looked since. The same
#: question as `read_facts` answers; a list asks it of the rows that it shows.
REACHED: Final = (
    f"EXISTS (SELECT 1 FROM {_TOUCHES} WHERE m.root_id = l.contact_id AND t.at >= d.started_at - interval '1 day'"
    f" AND {_IS_CONTACT} AND {_IS_OF_LEAD} AND {_AT} >= d.started_at)"
)

_LEADS: Final = (
    "SELECT l.id, l.contact_id, l.line, l.state, l.closed_code, l.owner_id, l.pool_id, l.source_id, l.received_at,"
    " a.at AS assigned_at, a.owner_id AS assigned_to FROM lead l"
    " LEFT JOIN LATERAL (SELECT at, owner_id FROM assignment WHERE lead_id = l.id ORDER BY id DESC LIMIT 1) a ON true"
    " WHERE l.id = ANY(%s)"
)
_HAPPENED: Final = (
    "SELECT w.lead_id, x.is_contact, x.at, x.how, x.by FROM unnest(%s::bigint[], %s::timestamptz[]) AS w(lead_id, since)"
    f" JOIN lead l ON l.id = w.lead_id CROSS JOIN LATERAL (SELECT {_IS_CONTACT} AS is_contact,"
    f" CASE WHEN {_IS_CONTACT} THEN {_AT} ELSE coalesce(e.received_at, t.at) END AS at,"
    " CASE WHEN t.kind = 'call' THEN CASE WHEN t.direction = 'out' THEN 'call' ELSE 'got_through' END"
    "      WHEN t.kind IN ('mail', 'message') THEN 'message' ELSE 'by_hand' END AS how,"
    " coalesce(k.owner_id, u.owner_id, b.owner_id) AS by"
    f" FROM {_TOUCHES} LEFT JOIN app_user u ON t.actor = 'user:' || u.id LEFT JOIN api_token b ON t.actor = 'token:' || b.id"
    # What came late may bear a date of long ago; when it was received is what counts.
    " WHERE m.root_id = l.contact_id AND (t.at >= w.since - interval '1 day' OR e.received_at >= w.since)"
    f" AND {_IS_OF_LEAD} AND ({_IS_CONTACT} OR {_IS_INQUIRY} AND t.lead_id IS NOT NULL AND (t.lead_id = l.id OR o.closed_code = 'merged' AND o.line = l.line))"
    " ORDER BY t.at DESC LIMIT %s) x"
)


@dataclass(slots=True)
class LeadFacts:
    """One lead as it is now, and what happened since the beginning of its wait."""

    id: int
    contact_id: int
    line: str
    state: str
    closed_code: str
    owner_id: int | None
    pool_id: int | None
    source_id: int
    received_at: datetime
    assigned_at: datetime | None  # since when its owner has it, where the last decision says so
    inquiries: list[datetime] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)


def read_facts(cursor: Cursor, since: Mapping[int, datetime]) -> dict[int, LeadFacts]:
    """Of these leads, by id: what happened since the moment that is named for each. `cursor` gives rows as dictionaries."""
    if not since:
        return {}
    found: dict[int, LeadFacts] = {}
    for row in cursor.execute(_LEADS, (list(since),)).fetchall():
        is_current = row["assigned_to"] == row["owner_id"]
        found[row["id"]] = LeadFacts(
            row["id"], row["contact_id"], row["line"], row["state"], row["closed_code"], row["owner_id"], row["pool_id"],
            row["source_id"], row["received_at"], row["assigned_at"] if is_current else None, [row["received_at"]],
        )  # fmt: skip
    rows = cursor.execute(_HAPPENED, (list(since), list(since.values()), _MOST_TOUCHES)).fetchall()
    for row in rows:
        one = found[row["lead_id"]]
        if row["is_contact"]:
            how: How = row["how"]
            one.contacts.append(Contact(row["at"], how, row["by"]))
        else:
            one.inquiries.append(row["at"])
    return found


_POLICIES: Final = "SELECT * FROM deadline_policy WHERE removed_at IS NULL ORDER BY id"


def read_policies(cursor: Cursor) -> list[Policy]:
    """Those that count now."""
    return [policy_of(row) for row in cursor.execute(_POLICIES).fetchall()]


def policy_of(row: Mapping[str, Any]) -> Policy:
    """A row of `deadline_policy`, columns by name."""

    def amount(name: str) -> timedelta | None:
        minutes = row[f"{name}_minutes"]
        return None if minutes is None else timedelta(minutes=minutes)

    return Policy(
        row["id"], timedelta(minutes=row["breach_minutes"]), amount("warn"), amount("escalate"), amount("reassign"),
        row["max_hops"], row["source_id"], row["pool_id"], row["head_id"], row["created_at"],
    )  # fmt: skip


def had_it(cursor: Cursor, lead_id: int) -> frozenset[int]:
    """Everybody who ever had this lead: it goes back to none of them by itself."""
    rows = cursor.execute(
        "SELECT owner_id AS id FROM assignment WHERE lead_id = %s AND owner_id IS NOT NULL UNION"
        " SELECT CAST(trace->>'before' AS bigint) FROM assignment WHERE lead_id = %s AND trace->>'before' ~ '^[0-9]+$' UNION"
        " SELECT owner_id FROM lead WHERE id = %s AND owner_id IS NOT NULL",
        (lead_id, lead_id, lead_id),
    ).fetchall()
    return frozenset(row["id"] for row in rows)


def heads(cursor: Cursor, head_id: int | None) -> Sequence[int]:
    """Who decides in the end, as owners: the named one, where they have left or none is named the heads of sales, else who is
    on duty."""
    rows = cursor.execute(
        "SELECT o.id, o.duty, o.id = %s AS is_named, EXISTS (SELECT 1 FROM app_user u WHERE u.owner_id = o.id AND u.role = 'head'"
        "  AND u.active) AS is_head FROM owner o WHERE o.active ORDER BY o.id",
        (head_id,),
    ).fetchall()
    for mark in ("is_named", "is_head", "duty"):
        found = [row["id"] for row in rows if row[mark]]
        if found:
            return found
    return []
