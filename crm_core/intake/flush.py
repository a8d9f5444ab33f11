"""Writes what a batch decided: owners for new leads under the pool's lock, then every table once, set-wise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from crm_core.base import history
from crm_core.batch.rows import Cursor, draw_ids, insert_rows, update_rows
from crm_core.batch.state import (
    CallBackState,
    CallState,
    ContactState,
    EventResult,
    LeadState,
    MessageState,
    Snapshot,
    TouchState,
)
from crm_core.forms.enclosures import write_enclosures
from crm_core.routing.intake import give_owners, write_pools
from crm_core.search.indexing import mark_batch

MERGED = history.Action("contact.merge")
CREATED = history.Action("lead.create")
TOUCHED = history.Action("lead.touch")  # an inquiry, a call or a mail joined a lead that was there

#: "Last seen" of an identifier is kept to this precision, so that a busy client does not rewrite rows all day.
_SEEN_PRECISION = timedelta(hours=1)

#: Of a lead's content, what a replay leaves: facts of the arrival, and the title, which a person may have written anew.
_NOT_REWRITTEN = frozenset({"channel", "source_id", "received_at", "title"})


def flush(cursor: Cursor, snapshot: Snapshot) -> None:
    """Everything in one go, in the order that foreign keys ask for. The caller commits."""
    pools = give_owners(cursor, snapshot)
    _number(cursor, snapshot)
    contacts = {id(state): state for state in (*snapshot.contacts.values(), *snapshot.new_contacts)}.values()
    insert_rows(cursor, "contact", [_contact_row(c) for c in contacts if c.created])
    _write_identifiers(cursor, snapshot)
    _write_merges(cursor, snapshot)
    update_rows(
        cursor, "contact",
        [{"id": c.id, "name": c.name, "company": c.company, "owner_id": c.owner_id, "owner_since": c.owner_since,
          "last_seen_at": c.last_seen_at}
         for c in contacts if c.changed and not c.created],
    )  # fmt: skip
    _write_leads(cursor, snapshot)
    _write_calls(cursor, snapshot)
    _write_messages(cursor, snapshot)
    _write_touches(cursor, snapshot)
    _join_later_calls(cursor, snapshot)
    write_enclosures(cursor, snapshot)
    assigned = [one for one in snapshot.ownership if isinstance(one, LeadState) and one.assignment]
    assigned += [lead for lead, _ in snapshot.talked_before if lead.assignment]
    insert_rows(cursor, "assignment", [{"lead_id": lead.id, "at": "now", **lead.assignment} for lead in assigned])  # type: ignore[dict-item]
    _write_call_backs(cursor, snapshot)
    if snapshot.talked_before:
        cursor.execute(
            "UPDATE activity SET owner_id = l.owner_id FROM lead l WHERE l.id = activity.lead_id AND l.id = ANY(%s)"
            " AND activity.state = 'open'",
            ([lead.id for lead, _ in snapshot.talked_before],),
        )
    _write_suggestions(cursor, snapshot)
    _mark_for_search(cursor, snapshot)
    write_pools(cursor, pools)


def _mark_for_search(cursor: Cursor, snapshot: Snapshot) -> None:
    """Whose words are others now. A call's touch keeps its number, whatever else becomes known of the call."""
    changed = {c.root.id for c in (*snapshot.contacts.values(), *snapshot.new_contacts) if c.changed or c.created}
    changed |= {touch.contact.root.id for touch in snapshot.new_touches}
    changed |= {lead.contact.root.id for lead in snapshot.leads.values() if lead.content is not None}
    rewritten = {touch.contact.root.id for touch in snapshot.changed_touches if touch.call is None}
    mark_batch(cursor, [one for one in changed if one is not None], [one for one in rewritten if one is not None])


def _number(cursor: Cursor, snapshot: Snapshot) -> None:
    """Draws ids for everything new in one round trip."""
    calls = [call for call in snapshot.calls.values() if call.id is None and call.changed]
    new: dict[str, list[Any]] = {
        "contact": [c for c in snapshot.new_contacts if c.id is None],
        "identifier": [i for i in snapshot.identifiers.values() if i.id is None and (i.links or i.changed)],
        "lead": snapshot.new_leads,
        "call": calls,
        "mail_message": snapshot.new_messages,
        "touch": snapshot.new_touches,
        "activity": snapshot.new_call_backs,
    }
    drawn = draw_ids(cursor, {table: len(states) for table, states in new.items()})
    for identifier in new["identifier"]:
        identifier.created = True
    for table, states in new.items():
        for state, fresh in zip(states, drawn.get(table, ()), strict=True):
            state.id = fresh


def _contact_row(contact: ContactState) -> dict[str, Any]:
    return {
        "id": contact.id, "root_id": contact.root.id, "name": contact.name, "company": contact.company,
        "owner_id": contact.owner_id, "owner_since": contact.owner_since, "created_at": contact.last_seen_at, "last_seen_at": contact.last_seen_at, "version": 1,
    }  # fmt: skip


def _write_identifiers(cursor: Cursor, snapshot: Snapshot) -> None:
    known, new, links, seen, retired = [], [], [], [], []
    for identifier in snapshot.identifiers.values():
        if identifier.id is None:
            continue
        row = {"id": identifier.id, "strength": identifier.strength, "names_seen": identifier.names_seen}
        if identifier.created:
            new.append({**row, "kind": identifier.kind, "value": identifier.value})
        elif identifier.changed:
            known.append(row)
        for link in identifier.links:
            if link.created:
                links.append(
                    {"identifier_id": identifier.id, "contact_id": link.contact.id, "display": link.display,
                     "exclusive": link.exclusive, "event_id": link.event_id, "first_seen_at": link.last_seen_at,
                     "last_seen_at": link.last_seen_at}
                )  # fmt: skip
            elif link.retired:
                retired.append((identifier.id, link.contact_id))
            elif link.seen:
                seen.append((identifier.id, link.contact_id, link.last_seen_at))
    insert_rows(cursor, "identifier", new)
    update_rows(cursor, "identifier", known)
    if retired:
        cursor.execute(
            "UPDATE contact_identifier ci SET retired_at = now()"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS k(i, c) WHERE ci.identifier_id = k.i AND ci.contact_id = k.c",
            ([i for i, _ in retired], [c for _, c in retired]),
        )
    insert_rows(
        cursor, "contact_identifier", links,
        "ON CONFLICT (identifier_id, contact_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, retired_at = NULL",
    )  # fmt: skip
    if seen:
        cursor.execute(
            "UPDATE contact_identifier ci SET last_seen_at = k.at"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS k(i, c, at)"
            " WHERE ci.identifier_id = k.i AND ci.contact_id = k.c AND ci.last_seen_at < k.at - %s",
            ([i for i, _, _ in seen], [c for _, c, _ in seen], [at for _, _, at in seen], _SEEN_PRECISION),
        )


def _write_merges(cursor: Cursor, snapshot: Snapshot) -> None:
    for merge in snapshot.merges:
        winner, loser = merge["winner"].root, merge["loser"]
        folded = [lead for lead in merge["folded"] if not lead.created]
        if folded:
            cursor.execute(
                "UPDATE lead SET state = 'closed', lost_reason = 'merged', closed_at = now(), version = version + 1"
                " WHERE id = ANY(%s)",
                ([lead.id for lead in folded],),
            )
        cursor.execute("UPDATE contact SET root_id = %s WHERE root_id = %s", (winner.id, loser.id))
        cursor.execute("UPDATE lead SET contact_id = %s WHERE contact_id = %s RETURNING id", (winner.id, loser.id))
        moved = [row["id"] for row in cursor.fetchall()]
        insert_rows(
            cursor, "merge_event",
            [{"winner_id": winner.id, "loser_id": loser.id, "actor": "auto", "event_id": merge["event_id"],
              "evidence": resolve({"rule": merge["rule"], "evidence": merge["evidence"]}), "at": "now",
              "moved": {"leads": moved, "folded": [lead.id for lead in folded], "contacts": [loser.id],
                        "loser_name": merge["loser_name"], "loser_owner_id": merge["loser_owner_id"]}}],
        )  # fmt: skip


def _lead_row(lead: LeadState) -> dict[str, Any]:
    repeat_of = lead.repeat_of.id if isinstance(lead.repeat_of, LeadState) else lead.repeat_of
    return {
        **(lead.content or {}), "id": lead.id, "contact_id": lead.contact.root.id, "line": lead.line, "state": lead.state,
        "stage": "new", "event_id": lead.event_id, "event_seq": lead.event_seq, "owner_id": lead.owner_id,
        "pool_id": lead.pool_id, "touches": 1 + lead.new_touches, "repeat_of": repeat_of, "created_at": "now",
        "last_touch_at": lead.last_touch_at, "lost_reason": "merged" if lead.folded_into else "",
        "closed_at": "now" if lead.folded_into else None,
        "spam": {"score": 0, "reasons": [], **lead.spam}, "version": 1,
    }  # fmt: skip


def _write_leads(cursor: Cursor, snapshot: Snapshot) -> None:
    insert_rows(cursor, "lead", [_lead_row(lead) for lead in snapshot.new_leads])
    touched = [lead for lead in snapshot.leads.values() if lead.new_touches or lead.assignment]
    if touched:
        cursor.execute(
            "UPDATE lead SET touches = touches + k.n, last_touch_at = greatest(last_touch_at, k.at), version = version + 1,"
            "  owner_id = coalesce(k.owner, lead.owner_id)"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[]) AS k(id, n, at, owner)"
            " WHERE lead.id = k.id",
            (
                [lead.id for lead in touched],
                [lead.new_touches for lead in touched],
                [lead.last_touch_at for lead in touched],
                [lead.owner_id if lead.assignment else None for lead in touched],
            ),
        )
    rewritten = [lead for lead in snapshot.leads.values() if lead.content is not None]
    update_rows(
        cursor, "lead",
        [{"id": lead.id, **{k: v for k, v in (lead.content or {}).items() if k not in _NOT_REWRITTEN}} for lead in rewritten],
    )  # fmt: skip
    if rewritten:
        cursor.execute(
            "UPDATE lead SET title = k.title FROM unnest(%s::bigint[], %s::text[]) AS k(id, title)"
            " WHERE lead.id = k.id AND lead.title <> k.title AND NOT EXISTS (SELECT 1 FROM touch t"
            "  WHERE t.lead_id = lead.id AND t.kind = 'stage' AND t.data->'changed'->'title' IS NOT NULL)",
            ([lead.id for lead in rewritten], [(lead.content or {})["title"] for lead in rewritten]),
        )


def _write_calls(cursor: Cursor, snapshot: Snapshot) -> None:
    rows = []
    for call in snapshot.calls.values():
        if not call.changed or call.view is None:
            continue
        view = call.view
        rows.append(
            {"id": call.id, "source_id": call.source_id, "call_key": call.call_key, "facts": call.facts,
             "phase": view.phase, "outcome": view.outcome, "direction": view.direction, "remote": call.remote,
             "our_number": view.our_number, "extension": view.extension, "owner_id": call.owner_id,
             "contact_id": call.contact.id if call.contact else None, "lead_id": call.lead.id if call.lead else None,
             "started_at": view.started_at, "answered_at": view.answered_at, "ended_at": view.ended_at,
             "talk_seconds": view.talk_seconds, "recording": view.recording, "settle_at": view.settle_at,
             "created_at": "now"}
        )  # fmt: skip
    updated = ", ".join(
        f"{c} = excluded.{c}" for c in (rows[0] if rows else ()) if c not in ("id", "source_id", "call_key", "created_at")
    )
    insert_rows(cursor, "call", rows, f"ON CONFLICT (source_id, call_key) DO UPDATE SET {updated}")


def _write_messages(cursor: Cursor, snapshot: Snapshot) -> None:
    insert_rows(
        cursor, "mail_message",
        [{"id": m.id, "dedup_key": m.dedup_key, "message_id": m.message_id, "direction": "in",
          "participants": m.participants, **m.columns, "event_id": m.event_id, "created_at": "now",
          "contact_id": m.contact.id if m.contact else None, "lead_id": m.lead.id if m.lead else None}
         for m in snapshot.new_messages],
    )  # fmt: skip
    # Known as automatic, and on replay it was not: later mails of its thread must find its contact.
    update_rows(
        cursor, "mail_message",
        [{"id": m.id, "contact_id": m.contact.root.id if m.contact else None, "lead_id": m.lead.id if m.lead else None}
         for m in snapshot.messages.values() if m.placed and not m.created],
    )  # fmt: skip
    insert_deliveries = [{"message_id": m.id, **delivery} for m in snapshot.messages.values() for delivery in m.deliveries]
    if insert_deliveries:
        cursor.execute(
            "INSERT INTO mail_delivery (message_id, source_id, event_id)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING",
            tuple([row[c] for row in insert_deliveries] for c in ("message_id", "source_id", "event_id")),
        )


def _write_touches(cursor: Cursor, snapshot: Snapshot) -> None:
    history.record_batch(
        cursor,
        [{"id": t.id, "contact_id": t.contact.id, "lead_id": t.lead.id if t.lead else None, "actor": "hub",
          "call_id": t.call.id if t.call else None, "message_id": t.message.id if t.message else None,
          "likeness": "", "fingerprint": "", "counted": True,
          "double_of": t.double_of.id if isinstance(t.double_of, TouchState) else t.double_of, **t.columns}
         for t in snapshot.new_touches],
        _happened(snapshot),
    )  # fmt: skip
    update_rows(
        cursor, "touch",
        [{"id": t.id, "title": t.columns["title"], "text": t.columns["text"], "data": t.columns["data"]}
         for t in snapshot.changed_touches],
    )  # fmt: skip
    update_rows(
        cursor, "touch",
        [{"id": t.id, "at": t.columns["at"]} for t in snapshot.changed_touches if t.call is not None and "at" in t.columns],
    )  # fmt: skip
    # Read by other rules, the same submission has other marks: a repetition of it is read by those rules too.
    update_rows(
        cursor, "touch",
        [{"id": t.id, "likeness": t.columns["likeness"], "fingerprint": t.columns["fingerprint"]}
         for t in snapshot.changed_touches if "fingerprint" in t.columns],
    )  # fmt: skip


def _happened(snapshot: Snapshot) -> Iterator[tuple[history.Action, int]]:
    """What the outbox is told of this batch."""
    for merge in snapshot.merges:
        yield MERGED, merge["winner"].root.id
    for lead in snapshot.new_leads:
        if lead.id is not None:
            yield CREATED, lead.id
    for lead in snapshot.leads.values():
        if lead.id is not None and lead.new_touches and not lead.created:
            yield TOUCHED, lead.id


def _join_later_calls(cursor: Cursor, snapshot: Snapshot) -> None:
    """Talks that were told before the missed call that preceded them belong to the lead that it made."""
    made = [(lead, phone, at) for lead, phone, at in snapshot.leads_of_callers if lead.folded_into is None]
    if not made:
        return
    cursor.execute(
        "WITH later AS (SELECT DISTINCT ON (t.id) t.id, t.call_id, k.lead FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS k(lead, phone, at)"
        "  JOIN call c ON c.remote = k.phone AND c.lead_id IS NULL JOIN touch t ON t.call_id = c.id"
        "  JOIN lead l ON l.id = k.lead AND l.contact_id = t.contact_id WHERE t.lead_id IS NULL AND t.at >= k.at ORDER BY t.id),"
        " joined AS (UPDATE touch SET lead_id = later.lead FROM later WHERE touch.id = later.id),"
        " known AS (UPDATE call SET lead_id = later.lead FROM later WHERE call.id = later.call_id)"
        " UPDATE lead SET touches = touches + k.n FROM (SELECT lead, count(*) AS n FROM later GROUP BY lead) k WHERE lead.id = k.lead",
        ([lead.id for lead, _, _ in made], [phone for _, phone, _ in made], [at for _, _, at in made]),
    )


def _write_call_backs(cursor: Cursor, snapshot: Snapshot) -> None:
    def owner(back: CallBackState) -> int | None:
        return back.lead.owner_id if back.lead is not None and back.lead.owner_id is not None else back.owner_id

    def columns(back: CallBackState) -> dict[str, Any]:
        return {
            "id": back.id, "state": back.state, "missed": back.missed, "tried": back.tried, "closed_at": back.closed_at,
            "result": resolve(back.result), "due_at": back.due_at, "created_at": back.opened_at,
            "contact_id": back.contact.root.id if back.contact else back.contact_id,
            "lead_id": back.lead.id if back.lead else back.lead_id,
            "call_id": back.call if isinstance(back.call, int) or back.call is None else back.call.id,
        }  # fmt: skip

    known = [b for tasks in snapshot.call_backs.values() for b in tasks if b.changed and not b.created]
    if snapshot.needless_call_backs:
        cursor.execute("DELETE FROM activity WHERE id = ANY(%s)", ([b.id for b in snapshot.needless_call_backs],))
    # A caller has one open task at most: what closes comes before what opens.
    update_rows(cursor, "activity", [columns(b) for b in known if b.state != "open"])
    update_rows(cursor, "activity", [columns(b) for b in known if b.state == "open"])
    insert_rows(
        cursor, "activity",
        [{**columns(b), "kind": "call_back", "owner_id": owner(b), "phone": b.phone, "title": b.title}
         for b in snapshot.new_call_backs],
    )  # fmt: skip


def _write_suggestions(cursor: Cursor, snapshot: Snapshot) -> None:
    rows = {}
    for one, other, why in snapshot.suggestions:
        a, b = one.root.id, other.root.id
        if a is not None and b is not None and a != b:
            rows[min(a, b), max(a, b)] = resolve(why)
    insert_rows(
        cursor, "suggestion",
        [{"a_id": a, "b_id": b, "why": why, "state": "open", "at": "now"} for (a, b), why in sorted(rows.items())],
        "ON CONFLICT (a_id, b_id) DO NOTHING",
    )  # fmt: skip


def resolve(value: Any) -> Any:
    """Replaces the objects in a reason by their ids, as text."""
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item) for item in value]
    if isinstance(value, ContactState | LeadState | CallState | MessageState):
        return str(value.id)
    return value


def resolve_result(taken: EventResult) -> EventResult:
    """The result with real ids, once `flush` has drawn them."""
    lead: Any = taken.lead_id
    contact: Any = taken.contact_id
    return EventResult(
        taken.event_id, taken.outcome, resolve(taken.reason), lead.id if lead is not None else None,
        contact.root.id if contact is not None else None,
    )  # fmt: skip
