"""Call-back tasks of a batch: read under their callers' locks, derived anew by `call_back_tasks`, and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crm_core.batch.rows import Cursor, insert_rows, update_rows
from crm_core.batch.state import HasId, resolve
from crm_core.batch.subject import Batch, Subject
from crm_core.calls.call_back_tasks import LOOK_BACK, settle_call_backs
from crm_core.calls.rules import MISSED_OUTCOMES, TALKED_OUTCOMES
from crm_core.calls.state import CallBacks, CallBackState, Calls
from crm_core.leads.intake import BIRTH, lead_of
from crm_core.parsed import CallEvent
from crm_core.routing.intake import Ownership

_MOST_CALLS = 1_000  # of one caller in that time; a number with more is a robot's, and its newest calls decide


def _locks(_cursor: Cursor, batch: Batch) -> Iterator[str]:
    """Of a number that many share nobody else may decide about the call-back either."""
    part = batch.part(CallBacks)
    part.phones = sorted(
        {
            key.value
            for step in batch.steps
            if isinstance(step.parsed_item, CallEvent)
            for key in step.person.keys
            if key.kind == "phone"
        }
    )
    return (f"caller:{phone}" for phone in part.phones)


def _find(cursor: Cursor, batch: Batch) -> None:
    """Not locked yet: whoever hands a lead over holds its contact and then wants its call-back."""
    part = batch.part(CallBacks)
    if not part.phones:
        return
    cursor.execute(
        "SELECT id, contact_id, state FROM activity WHERE kind = 'call_back' AND phone = ANY(%s)"
        "   AND (state = 'open' OR coalesce(closed_at, created_at) > clock_timestamp() - interval '31 days')",
        (part.phones,),
    )
    for row in cursor.fetchall():
        part.known_ids.append(row["id"])
        if row["contact_id"] is not None and row["state"] == "open":
            batch.wanted_contacts.add(row["contact_id"])


def _load(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(CallBacks)
    if part.known_ids:
        _lock_tasks(cursor, batch)
    if part.phones:
        _read_callers(cursor, batch, part.phones, datetime.now(UTC))
        _read_beginnings(cursor, batch)


def _lock_tasks(cursor: Cursor, batch: Batch) -> None:
    """As they are now: somebody may have closed one meanwhile."""
    part = batch.part(CallBacks)
    cursor.execute(
        "SELECT a.id, a.phone, a.contact_id, a.lead_id, a.call_id, a.owner_id, a.title, a.due_at, a.created_at, a.state,"
        f" a.closed_at, a.missed, a.tried, a.result, {BIRTH} FROM activity a LEFT JOIN lead l ON l.id = a.lead_id"
        " WHERE a.id = ANY(%s) ORDER BY a.id FOR UPDATE OF a",
        (part.known_ids,),
    )
    for row in cursor.fetchall():
        person = batch.contacts.get(row["contact_id"])
        lead = lead_of(batch, row) if person is not None else batch.leads.get(row["lead_id"])
        task = CallBackState(
            row["id"], row["phone"], person, lead, row["call_id"], row["owner_id"], row["title"], row["due_at"],
            row["created_at"], row["state"], row["missed"], row["tried"], row["closed_at"], row["result"],
            contact_id=row["contact_id"], lead_id=row["lead_id"],
        )  # fmt: skip
        part.tasks.setdefault(row["phone"], []).append(task)


def _read_callers(cursor: Cursor, batch: Batch, phones: Iterable[str], now: datetime) -> None:
    """All calls of these callers that are over. Under their locks, so that nobody else is deciding about them."""
    cursor.execute(
        "SELECT k.phone, c.id, c.source_id, c.call_key, c.outcome, c.direction, c.started_at, c.answered_at, c.ended_at, c.extension, c.owner_id,"
        "       CASE WHEN c.contact_id IS NULL AND c.direction = 'out' THEN c.facts END AS facts, r.root_id AS contact_id, c.lead_id, l.owner_id AS lead_owner_id,"
        "       coalesce(l.closed_code = 'spam', false) AS is_spam"
        "  FROM unnest(%s::text[]) AS k(phone)"
        " CROSS JOIN LATERAL (SELECT * FROM call WHERE remote = k.phone AND outcome IS NOT NULL AND started_at > %s"
        "                      ORDER BY started_at DESC LIMIT %s) c"
        "  LEFT JOIN contact r ON r.id = c.contact_id LEFT JOIN lead l ON l.id = c.lead_id",
        (list(phones), now - LOOK_BACK, _MOST_CALLS),
    )
    for row in cursor.fetchall():
        batch.part(CallBacks).calls.setdefault(row["phone"], []).append(row)


def _read_beginnings(cursor: Cursor, batch: Batch) -> None:
    """Since when each open lead exists, and whether a pool's turn is all that gave it to its owner."""
    cursor.execute(
        "SELECT DISTINCT ON (a.lead_id) a.lead_id, a.kind = 'pool' AND a.actor = 'hub' AS is_shared_out,"
        "       (SELECT min(t.at) FROM touch t WHERE t.lead_id = a.lead_id) AS began_at"
        "  FROM assignment a WHERE a.lead_id = ANY(%s) ORDER BY a.lead_id, a.id DESC",
        ([lead.id for lead in batch.leads.values() if lead.state == "open"],),
    )
    for row in cursor.fetchall():
        lead = batch.leads[row["lead_id"]]
        lead.began_at, lead.is_shared_out = row["began_at"], row["is_shared_out"]


def _new(batch: Batch) -> Mapping[str, Sequence[HasId]]:
    return {"activity": batch.part(CallBacks).new}


def _write(cursor: Cursor, batch: Batch) -> None:
    _place_calls(cursor, batch)
    _write_tasks(cursor, batch)
    talked_before = [lead.id for lead, _ in batch.part(Ownership).talked_before]
    if talked_before:
        cursor.execute(
            "UPDATE activity SET owner_id = l.owner_id FROM lead l WHERE l.id = activity.lead_id AND l.id = ANY(%s)"
            " AND activity.state = 'open'",
            (talked_before,),
        )


#: Of each open lead that missed calls of these callers made or joined: when its first inquiry came, talks and attempts aside.
#: A talk or an attempt belongs to it from then on, whatever was told first; what the lead is called follows from the first
#: missed call, unless a person called it something else.
_PLACE_CALLS = """
WITH heard AS (
  SELECT c.id AS call_id, c.outcome, c.started_at, t.id, t.contact_id, t.lead_id, t.at,
         c.outcome = ANY(%(missed)s) AND c.direction <> 'out' AS is_missed
    FROM unnest(%(phones)s::text[]) AS k(phone)
   CROSS JOIN LATERAL (SELECT id, remote, outcome, direction, started_at FROM call
                        WHERE remote = k.phone AND outcome IS NOT NULL AND started_at > %(since)s
                        ORDER BY started_at DESC LIMIT %(most)s) c
    JOIN touch t ON t.call_id = c.id),
lead_at AS (
  SELECT l.id, l.contact_id, l.title, l.channel,
         coalesce((SELECT min(b.at) FROM touch b LEFT JOIN call bc ON bc.id = b.call_id WHERE b.lead_id = l.id
                     AND b.kind IN ('call', 'form', 'mail', 'message')
                     AND (bc.id IS NULL OR bc.outcome = ANY(%(missed)s) AND bc.direction <> 'out')), l.created_at) AS began_at
    FROM lead l WHERE l.state = 'open' AND l.id IN (SELECT lead_id FROM heard WHERE is_missed)),
placed AS (
  SELECT DISTINCT ON (h.id) h.id, h.call_id, h.lead_id AS was, CASE WHEN h.at >= k.began_at THEN k.id END AS now
    FROM heard h JOIN lead_at k ON k.contact_id = h.contact_id AND (h.lead_id IS NULL OR h.lead_id = k.id)
   WHERE NOT h.is_missed ORDER BY h.id, (h.at >= k.began_at) DESC, k.began_at DESC, k.id),
moved AS (SELECT * FROM placed WHERE was IS DISTINCT FROM now),
on_touch AS (UPDATE touch SET lead_id = moved.now FROM moved WHERE touch.id = moved.id),
on_call AS (UPDATE call SET lead_id = moved.now FROM moved WHERE call.id = moved.call_id),
counted AS (
  SELECT lead, sum(n) AS n FROM (SELECT was AS lead, -1 AS n FROM moved UNION ALL SELECT now, 1 FROM moved) k
   WHERE lead IS NOT NULL GROUP BY lead),
called AS (
  SELECT DISTINCT ON (k.id) k.id, h.outcome || substr(k.title, strpos(k.title, ' ')) AS title FROM lead_at k
    JOIN heard h ON h.lead_id = k.id AND h.is_missed
   WHERE k.channel = 'call' AND split_part(k.title, ' ', 1) = ANY(%(outcomes)s)
     AND NOT EXISTS (SELECT 1 FROM touch r WHERE r.lead_id = k.id AND r.kind = 'stage' AND r.data->'changed'->'title' IS NOT NULL)
   ORDER BY k.id, h.started_at, h.call_id)
UPDATE lead SET touches = touches + coalesce(counted.n, 0), title = coalesce(called.title, lead.title)
  FROM lead_at LEFT JOIN counted ON counted.lead = lead_at.id LEFT JOIN called ON called.id = lead_at.id
 WHERE lead.id = lead_at.id AND (counted.n <> 0 OR called.title <> lead.title)
"""


def _place_calls(cursor: Cursor, batch: Batch) -> None:
    """Talks and attempts stand on the lead that was open when they were made, in whatever order all of it was told."""
    part = batch.part(CallBacks)
    if part.attempts:
        cursor.execute(
            "UPDATE call SET contact_id = k.contact FROM unnest(%s::bigint[], %s::bigint[]) AS k(id, contact) WHERE call.id = k.id",
            ([call_id for call_id, _ in part.attempts], [contact.id for _, contact in part.attempts]),
        )
    mine = {call.phone for call in batch.part(Calls).by_key.values() if call.outcome is not None and call.contact is not None}
    phones = [phone for phone in part.callers if phone in mine]
    if phones:
        missed = sorted(MISSED_OUTCOMES)
        cursor.execute(
            _PLACE_CALLS,
            {"phones": phones, "missed": missed, "since": datetime.now(UTC) - LOOK_BACK, "most": _MOST_CALLS,
             "outcomes": [*missed, *sorted(TALKED_OUTCOMES)]},
        )  # fmt: skip


def _write_tasks(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(CallBacks)

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

    known = [b for tasks in part.tasks.values() for b in tasks if b.changed and not b.created]
    if part.needless:
        cursor.execute("DELETE FROM activity WHERE id = ANY(%s)", ([b.id for b in part.needless],))
    # A caller has one open task at most: what closes comes before what opens.
    update_rows(cursor, "activity", [columns(b) for b in known if b.state != "open"])
    update_rows(cursor, "activity", [columns(b) for b in known if b.state == "open"])
    insert_rows(
        cursor, "activity",
        [{**columns(b), "kind": "call_back", "owner_id": owner(b), "phone": b.phone, "title": b.title}
         for b in part.new],
    )  # fmt: skip


def _settle(_cursor: Cursor, batch: Batch, now: datetime) -> None:
    settle_call_backs(batch, now)


SUBJECT = Subject("call-backs", locks=_locks, find=_find, load=_load, settle=_settle, new=_new, write=_write)
