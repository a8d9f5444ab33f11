"""Reads under locks, in one pass, everything that a batch of arrivals may touch.

Lock order, the same everywhere, so that nobody waits in a circle: advisory locks on identifiers, calls and messages in
sorted order, then contact rows by id, then call and call-back rows, then pools (taken last, by the caller).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from crm_core.base.errors import Transient
from crm_core.batch.rows import Cursor
from crm_core.batch.state import (
    CallBackState,
    CallState,
    ContactState,
    IdentifierState,
    LeadState,
    LinkState,
    MessageState,
    Snapshot,
    TouchState,
)
from crm_core.batch.steps import EventItem
from crm_core.calls.call_back_tasks import read_callers
from crm_core.forms.fingerprints import marks_of, read_recent
from crm_core.identity.identifiers import Key
from crm_core.parsed import CallEvent, Inquiry, Message

_LOCK_ROUNDS = 4  # a root may be merged away while its lock is awaited; more rounds than this means a storm

#: What is known of a lead that is not the latest of its contact: the event that it was born from.
_BIRTH = "l.event_id AS lead_event_id, l.event_seq AS lead_event_seq, l.repeat_of AS lead_repeat_of"


def lock_number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def _place(key: Key) -> tuple[str, str]:
    return key.kind, key.value


def load(cursor: Cursor, steps: Sequence[EventItem]) -> Snapshot:
    """Locks and reads. Must run inside a READ COMMITTED transaction, so that each statement sees the newest commit."""
    snapshot = Snapshot()
    keys = _keys_of(steps)
    calls = {(step.item.source_id, a.call_key) for step in steps if isinstance(a := step.parsed_item, CallEvent)}
    messages = [step.parsed_item for step in steps if isinstance(step.parsed_item, Message)]
    shared = _shared_values(cursor, list(keys))
    names = [f"{kind}:{value}" for kind, value in keys if (kind, value) not in shared]
    names += [f"call:{source_id}:{call_key}" for source_id, call_key in calls]
    # Of a number that many share nobody else may decide about the call-back either.
    phones = sorted({k.value for s in steps if isinstance(s.parsed_item, CallEvent) for k in s.person.keys if k.kind == "phone"})
    names += [f"caller:{phone}" for phone in phones]
    names += [f"mail:{message.dedup_key}" for message in messages]
    for step in steps:
        if isinstance(inquiry := step.parsed_item, Inquiry):
            marks = snapshot.marks[step.item.event_id, step.seq] = marks_of(step, inquiry)
            # Where a phone or an e-mail is locked, that lock already keeps two equal submissions apart.
            is_locked = any(place in keys and place not in shared for place in map(_place, step.person.keys))
            names += [f"form:{mark}" for mark in (marks.likeness, "" if is_locked else marks.fingerprint) if mark]
    locks = sorted({lock_number(name) for name in names})
    if locks:
        cursor.execute("SELECT pg_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k", (locks,))
    wanted: set[int] = set()
    links = _read_identifiers(cursor, snapshot, list(keys), wanted)
    for kind_value, key in keys.items():
        if kind_value not in snapshot.identifiers:
            snapshot.identifiers[kind_value] = IdentifierState(key.kind, key.value, key.strength)
    call_rows = _read_calls(cursor, calls, wanted) if calls else []
    message_rows = _read_messages(cursor, messages, wanted) if messages else []
    replayed = [step.item.event_id for step in steps if step.item.replayed]
    touch_rows = _read_touches(cursor, replayed, [row["id"] for row in call_rows], wanted)
    if snapshot.marks:
        read_recent(cursor, snapshot, steps, wanted)
    back_ids = _find_call_backs(cursor, phones, wanted) if phones else []
    _lock_contacts(cursor, snapshot, wanted)
    if any(snapshot.contacts[row["contact_id"]].is_erased for row in links):
        # The address was linked to him after the erasure had taken its locks, and went with him. Now it is nobody's.
        raise Transient("person_erased_meanwhile", "The person behind this address was erased at the same moment.")
    _forget_erased(snapshot)
    back_rows = _lock_call_backs(cursor, back_ids) if back_ids else []
    _read_leads(cursor, snapshot)
    _connect(snapshot, links, call_rows, message_rows, touch_rows, back_rows)
    if phones:
        read_callers(cursor, snapshot, phones, datetime.now(UTC))
        _read_beginnings(cursor, snapshot)
    if calls:
        cursor.execute("SELECT extension, id FROM owner WHERE active AND extension <> ''")
        snapshot.owners_by_extension = {row["extension"]: row["id"] for row in cursor.fetchall()}
    return snapshot


def _keys_of(steps: Sequence[EventItem]) -> dict[tuple[str, str], Key]:
    """Each identifier once, as the least certain of the batch wrote it: who is certain then makes it strong."""
    keys: dict[tuple[str, str], Key] = {}
    for step in steps:
        for key in step.person.keys:
            if key.strength != "blocked" and not (_place(key) in keys and keys[_place(key)].is_unsure):
                keys[_place(key)] = key
    return keys


def _shared_values(cursor: Cursor, keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Identifiers that join nobody need no lock: a call centre's number must not serialise everybody behind it."""
    if not keys:
        return set()
    cursor.execute(
        "SELECT kind, value FROM identifier JOIN unnest(%s::text[], %s::text[]) AS k(kind, value) USING (kind, value)"
        " WHERE strength IN ('shared', 'blocked')",
        ([kind for kind, _ in keys], [value for _, value in keys]),
    )
    return {(row["kind"], row["value"]) for row in cursor.fetchall()}


def _read_identifiers(cursor: Cursor, snapshot: Snapshot, keys: list[tuple[str, str]], wanted: set[int]) -> list[dict[str, Any]]:
    if not keys:
        return []
    cursor.execute(
        "SELECT i.id, i.kind, i.value, i.strength, i.names_seen, ci.contact_id, ci.exclusive, ci.display, ci.last_seen_at"
        "  FROM identifier i JOIN unnest(%s::text[], %s::text[]) AS k(kind, value) USING (kind, value)"
        "  LEFT JOIN contact_identifier ci ON ci.identifier_id = i.id AND ci.retired_at IS NULL"
        "       AND i.strength IN ('strong', 'weak')",
        ([kind for kind, _ in keys], [value for _, value in keys]),
    )
    rows = cursor.fetchall()
    for row in rows:
        key = (row["kind"], row["value"])
        if key not in snapshot.identifiers:
            snapshot.identifiers[key] = IdentifierState(
                row["kind"], row["value"], row["strength"], row["id"], list(row["names_seen"])
            )
        if row["contact_id"] is not None:
            wanted.add(row["contact_id"])
    return [row for row in rows if row["contact_id"] is not None]


def _read_calls(cursor: Cursor, calls: set[tuple[int, str]], wanted: set[int]) -> list[dict[str, Any]]:
    ordered = sorted(calls)
    cursor.execute(
        "SELECT c.id, c.source_id, c.call_key, c.facts, c.outcome, c.contact_id, c.lead_id, c.owner_id,"
        f" {_BIRTH} FROM call c LEFT JOIN lead l ON l.id = c.lead_id"
        " JOIN unnest(%s::bigint[], %s::text[]) AS k(s, k) ON c.source_id = k.s AND c.call_key = k.k",
        ([source_id for source_id, _ in ordered], [call_key for _, call_key in ordered]),
    )
    rows = cursor.fetchall()
    wanted.update(row["contact_id"] for row in rows if row["contact_id"] is not None)
    return rows


def _read_messages(cursor: Cursor, messages: Sequence[Message], wanted: set[int]) -> list[dict[str, Any]]:
    referenced = {ref for message in messages for ref in (*message.in_reply_to, *message.references) if ref}
    cursor.execute(
        "SELECT m.id, m.dedup_key, m.message_id, m.participants, m.contact_id, m.lead_id, m.event_id,"
        f" {_BIRTH} FROM mail_message m LEFT JOIN lead l ON l.id = m.lead_id"
        " WHERE m.dedup_key = ANY(%s) OR (m.message_id <> '' AND m.message_id = ANY(%s)) ORDER BY m.id",
        ([message.dedup_key for message in messages], list(referenced)),
    )
    rows = cursor.fetchall()
    wanted.update(row["contact_id"] for row in rows if row["contact_id"] is not None)
    return rows


def _read_touches(cursor: Cursor, event_ids: list[int], call_ids: list[int], wanted: set[int]) -> list[dict[str, Any]]:
    if not event_ids and not call_ids:
        return []
    cursor.execute(
        "SELECT t.id, t.event_id, t.seq, t.contact_id, t.lead_id, t.call_id, EXISTS (SELECT 1 FROM touch o"
        "  WHERE o.contact_id = t.contact_id AND o.event_id IS DISTINCT FROM t.event_id) AS is_among_others,"
        f" {_BIRTH} FROM touch t LEFT JOIN lead l ON l.id = t.lead_id"
        " WHERE t.event_id = ANY(%s) OR t.call_id = ANY(%s) ORDER BY t.id",
        (event_ids, call_ids),
    )
    rows = cursor.fetchall()
    wanted.update(row["contact_id"] for row in rows)
    return rows


def _find_call_backs(cursor: Cursor, phones: list[str], wanted: set[int]) -> list[int]:
    """Not locked yet: whoever hands a lead over holds its contact and then wants its call-back."""
    cursor.execute(
        "SELECT id, contact_id, state FROM activity WHERE kind = 'call_back' AND phone = ANY(%s)"
        "   AND (state = 'open' OR coalesce(closed_at, created_at) > clock_timestamp() - interval '31 days')",
        (phones,),
    )
    rows = cursor.fetchall()
    wanted.update(row["contact_id"] for row in rows if row["contact_id"] is not None and row["state"] == "open")
    return [row["id"] for row in rows]


def _lock_call_backs(cursor: Cursor, ids: list[int]) -> list[dict[str, Any]]:
    """As they are now: somebody may have closed one meanwhile."""
    cursor.execute(
        "SELECT a.id, a.phone, a.contact_id, a.lead_id, a.call_id, a.owner_id, a.title, a.due_at, a.created_at, a.state,"
        f" a.closed_at, a.missed, a.tried, a.result, {_BIRTH} FROM activity a LEFT JOIN lead l ON l.id = a.lead_id"
        " WHERE a.id = ANY(%s) ORDER BY a.id FOR UPDATE OF a",
        (ids,),
    )
    return cursor.fetchall()


def _lock_contacts(cursor: Cursor, snapshot: Snapshot, wanted: set[int]) -> None:
    if not wanted:
        return
    for _ in range(_LOCK_ROUNDS):
        cursor.execute(
            "SELECT m.id AS member_id, r.id, r.root_id, r.name, r.company, r.owner_id, r.owner_since, r.last_seen_at,"
            " r.erased_at FROM contact m JOIN contact r ON r.id = m.root_id WHERE m.id = ANY(%s) ORDER BY r.id"
            "  FOR NO KEY UPDATE OF r",
            (list(wanted),),
        )
        rows = cursor.fetchall()
        if all(row["root_id"] == row["id"] for row in rows):
            break
    else:
        raise Transient("merge_storm", "The contacts of this event are being merged right now.")
    states: dict[int, ContactState] = {}
    for row in rows:
        state = states.setdefault(
            row["id"],
            ContactState(
                row["id"],
                row["name"],
                row["company"],
                row["owner_id"],
                row["owner_since"],
                last_seen_at=row["last_seen_at"],
                is_erased=row["erased_at"] is not None,
            ),
        )
        snapshot.contacts[row["member_id"]] = state
        snapshot.contacts[row["id"]] = state
    cursor.execute(
        "SELECT c.root_id, i.kind, count(*) AS n FROM contact c JOIN contact_identifier ci ON ci.contact_id = c.id"
        " AND ci.retired_at IS NULL JOIN identifier i ON i.id = ci.identifier_id"
        " WHERE c.root_id = ANY(%s) AND i.kind IN ('phone', 'email') GROUP BY c.root_id, i.kind",
        (list(states),),
    )
    for row in cursor.fetchall():
        setattr(states[row["root_id"]], "phones" if row["kind"] == "phone" else "emails", row["n"])


def _forget_erased(snapshot: Snapshot) -> None:
    """Touches that were read just before their person was erased: nobody's double, and nothing comes to him any more."""
    for mark, touches in snapshot.recent.items():
        snapshot.recent[mark] = [
            one for one in touches if one.contact_id is None or not snapshot.contacts[one.contact_id].is_erased
        ]


def _read_leads(cursor: Cursor, snapshot: Snapshot) -> None:
    """Of every contact the latest lead of each line."""
    roots = {state.id: state for state in snapshot.contacts.values()}
    if not roots:
        return
    cursor.execute(
        # One that a person called spam counts only where there is no other.
        "SELECT DISTINCT ON (contact_id, line) id, contact_id, line, CASE WHEN spam ? 'marked' THEN 'spam' ELSE state END AS state,"
        "  owner_id, pool_id, last_touch_at, closed_at, event_id, event_seq, repeat_of FROM lead WHERE contact_id = ANY(%s)"
        # One that was merged away says nothing of how the contact's last occasion ended.
        " ORDER BY contact_id, line, state = 'open' DESC, spam ? 'marked', lost_reason = 'merged', id DESC",
        (list(roots),),
    )
    for row in cursor.fetchall():
        contact = roots[row["contact_id"]]
        lead = LeadState(
            row["id"], contact, row["line"], row["state"], row["owner_id"], row["last_touch_at"], row["event_id"],
            row["event_seq"], row["repeat_of"], closed_at=row["closed_at"], pool_id=row["pool_id"],
        )  # fmt: skip
        contact.leads[row["line"]] = lead
        snapshot.leads[row["id"]] = lead


def _read_beginnings(cursor: Cursor, snapshot: Snapshot) -> None:
    """Since when each open lead exists, and whether a pool's turn is all that gave it to its owner."""
    cursor.execute(
        "SELECT DISTINCT ON (a.lead_id) a.lead_id, a.kind = 'pool' AND a.actor = 'hub' AS is_shared_out,"
        "       (SELECT min(t.at) FROM touch t WHERE t.lead_id = a.lead_id) AS began_at"
        "  FROM assignment a WHERE a.lead_id = ANY(%s) ORDER BY a.lead_id, a.id DESC",
        ([lead.id for lead in snapshot.leads.values() if lead.state == "open"],),
    )
    for row in cursor.fetchall():
        lead = snapshot.leads[row["lead_id"]]
        lead.began_at, lead.is_shared_out = row["began_at"], row["is_shared_out"]


def _connect(
    snapshot: Snapshot,
    links: list[dict[str, Any]],
    call_rows: list[dict[str, Any]],
    message_rows: list[dict[str, Any]],
    touch_rows: list[dict[str, Any]],
    back_rows: list[dict[str, Any]],
) -> None:
    for row in links:
        identifier = snapshot.identifiers[row["kind"], row["value"]]
        contact = snapshot.contacts[row["contact_id"]]
        known = next((link for link in identifier.links if link.contact is contact), None)
        if known is None:
            identifier.links.append(
                LinkState(contact, row["exclusive"], row["display"], row["last_seen_at"], contact_id=row["contact_id"])
            )
        else:
            known.exclusive = known.exclusive or row["exclusive"]
    for row in call_rows:
        snapshot.calls[row["source_id"], row["call_key"]] = CallState(
            row["id"], row["source_id"], row["call_key"], row["facts"],
            snapshot.contacts.get(row["contact_id"]), snapshot.leads.get(row["lead_id"]) or _other_lead(snapshot, row),
            outcome=row["outcome"], owner_id=row["owner_id"],
        )  # fmt: skip
    for row in message_rows:
        message = MessageState(
            row["id"], row["dedup_key"], row["message_id"], row["participants"],
            snapshot.contacts.get(row["contact_id"]), snapshot.leads.get(row["lead_id"]) or _other_lead(snapshot, row),
            row["event_id"],
        )  # fmt: skip
        snapshot.messages[row["dedup_key"]] = message
        snapshot.by_message_id.setdefault(row["message_id"], message)
    calls_by_id = {call.id: call for call in snapshot.calls.values()}
    for row in touch_rows:
        touch = TouchState(
            row["id"], snapshot.contacts[row["contact_id"]], snapshot.leads.get(row["lead_id"]) or _other_lead(snapshot, row),
            {}, created=False, changed=False, is_among_others=row["is_among_others"],
        )  # fmt: skip
        if row["event_id"] is not None:
            snapshot.touches[row["event_id"], row["seq"]] = touch
        call = calls_by_id.get(row["call_id"])
        if call is not None and call.touch is None:
            call.touch, touch.call = touch, call
    for row in back_rows:
        person = snapshot.contacts.get(row["contact_id"])
        lead = snapshot.leads.get(row["lead_id"]) or (_other_lead(snapshot, row) if person is not None else None)
        back = CallBackState(
            row["id"], row["phone"], person, lead, row["call_id"], row["owner_id"], row["title"], row["due_at"],
            row["created_at"], row["state"], row["missed"], row["tried"], row["closed_at"], row["result"], contact_id=row["contact_id"], lead_id=row["lead_id"],
        )  # fmt: skip
        snapshot.call_backs.setdefault(row["phone"], []).append(back)


def _other_lead(snapshot: Snapshot, row: dict[str, Any]) -> LeadState | None:
    """A lead that is not the latest of its contact and line: known by id only, never decided about."""
    if row["lead_id"] is None:
        return None
    contact = snapshot.contacts[row["contact_id"]]
    lead = LeadState(
        row["lead_id"], contact, "", "closed", None, contact.last_seen_at or datetime.min.replace(tzinfo=UTC),
        row["lead_event_id"], row["lead_event_seq"], row["lead_repeat_of"],
    )  # fmt: skip
    snapshot.leads[row["lead_id"]] = lead
    return lead
