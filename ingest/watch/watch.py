"""Looks at what has come since the last look: of forms new fields and missing contacts, of every source its silence. Off the
intake's way.

It reads touches by a cursor, a little behind, in bounded parts. Two looks at once are one: the second goes away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from connectors.kit.forms.fields import form_fields
from crm_core.batch.rows import Cursor
from ingest.alerts.alerts import end_alert, raise_alert
from ingest.journal.raw_event import safe_json
from ingest.mapping.field_profile import LONGEST_NAME, MOST_FIELDS, Notice, Seen, is_known, learn, name_of
from ingest.mapping.unmapped_fields import subject_of
from ingest.watch import silence

#: Touches of one look.
TOUCHES = 2_000
#: Ids are drawn before a batch commits, and a smaller one may commit later. Nobody's batch takes this long to write.
BEHIND = timedelta(seconds=10)
#: Looks come each minute. After a pause like this the hub itself was away, and a silence says nothing of the site.
_HUB_AWAY = timedelta(minutes=10)
#: An e-mail; a number with a plus, or one of Russia. Other digits, alone or beside a letter, are builders' ids of fields.
_PERSONS = re.compile(r"[^\s@]{1,64}@[^\s@]+\.\w+|(?<!\w)\+\d(?:[\s().-]*\d){9,14}(?!\w)|(?<!\w)[78](?:[\s().-]*\d){10}(?!\w)")
_LOCK = 0x1EAD_4C  # one look at a time

_NEW = "INSERT INTO source_watch (source_id, at) SELECT id, %s FROM source ON CONFLICT DO NOTHING"
_ROWS = """
SELECT w.source_id, w.touch_id, w.profile, w.at, s.state,
       (SELECT e.received_at FROM inbound_event e WHERE e.source_id = w.source_id ORDER BY e.id DESC LIMIT 1) AS last_at
  FROM source_watch w JOIN source s ON s.id = w.source_id
 ORDER BY w.source_id FOR UPDATE OF w
"""
_TOUCHES = """
SELECT t.id, t.kind = 'form' AND t.double_of IS NULL AS is_inquiry, t.kind IN ('call', 'mail') AS is_contact, t.source_id, t.event_id,
       coalesce(e.received_at, t.at) AS at, e.done_at, t.text <> '' AS has_message,
       CASE WHEN t.kind = 'form' THEN t.data - 'attribution' END AS data
  FROM touch t LEFT JOIN inbound_event e ON e.id = t.event_id
 WHERE t.id > %s ORDER BY t.id LIMIT %s
"""
_FIELDS = "SELECT form_id, field FROM source_field WHERE source_id = %s AND form_id = ANY(%s)"
_LEARN = """
INSERT INTO source_field AS f (source_id, form_id, field, seen, first_seen_at, last_seen_at, event_id)
SELECT %s, k.* FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[]) k
ON CONFLICT (source_id, form_id, field)
DO UPDATE SET seen = f.seen + excluded.seen, last_seen_at = greatest(f.last_seen_at, excluded.last_seen_at)
"""
_KEEP = """
UPDATE source_watch w SET profile = k.profile::jsonb
  FROM unnest(%s::bigint[], %s::text[]) AS k(source_id, profile) WHERE w.source_id = k.source_id
"""


def watch(cursor: Cursor, now: datetime, zone: tzinfo) -> int:
    """One look, in the caller's transaction. Returns how many touches were read; `TOUCHES` means that there are more."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s) AS mine", (_LOCK,))
    if not cursor.fetchone()["mine"]:  # type: ignore[index]
        return 0
    cursor.execute(_NEW, (now,))
    rows = {row["source_id"]: row for row in cursor.execute(_ROWS).fetchall()}
    if not rows:
        return 0
    start = max(row["touch_id"] for row in rows.values())
    touches = _settled(cursor.execute(_TOUCHES, (start, TOUCHES)).fetchall(), now)
    changed = set()
    for source_id, seen in _by_source(touches).items():
        if source_id in rows:  # else its source came after this look began; the next one has it
            _learn_source(cursor, source_id, rows[source_id]["profile"], seen, zone)
            changed.add(source_id)
    for touch in touches:
        if touch["is_contact"] and touch["source_id"] in rows:  # of calls and mails only the habit is learnt
            silence.note(rows[touch["source_id"]]["profile"], touch["at"], zone)
            changed.add(touch["source_id"])
    for source_id, row in rows.items():
        if _listen(cursor, source_id, row, now, zone):
            changed.add(source_id)
    kept = sorted(changed)
    cursor.execute(_KEEP, (kept, [safe_json(rows[one]["profile"]) for one in kept]))
    head = touches[-1]["id"] if touches else start
    cursor.execute("UPDATE source_watch SET touch_id = %s, at = %s", (head, now))
    return len(touches)


def _settled(touches: Sequence[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    """Up to the first that is so young that a smaller id may still be on its way. One of the future is of a clock that was
    set back since, and not young."""
    young = (n for n, row in enumerate(touches) if row["done_at"] is not None and abs(row["done_at"] - now) < BEHIND)
    return list(touches[: next(young, len(touches))])


def _by_source(touches: Sequence[Mapping[str, Any]]) -> dict[int, list[Seen]]:
    found: dict[int, list[Seen]] = {}
    for row in touches:
        if row["is_inquiry"] and row["source_id"] is not None:
            found.setdefault(row["source_id"], []).append(_seen(row))
    return found


def _seen(row: Mapping[str, Any]) -> Seen:
    data = row["data"]
    form = data.get("form") or {}
    slots = {"name": "name", "phone": "phones", "email": "emails", "company": "company"}
    filled = {slot for slot, name in slots.items() if data.get(name)} | ({"message"} if row["has_message"] else set())
    return Seen(
        form=discreet(str(form.get("id") or form.get("name") or ""))[:LONGEST_NAME],
        at=row["at"],
        event_id=row["event_id"] or 0,
        has_contact=bool(data.get("phones") or data.get("emails") or data.get("messengers")),
        unmapped=frozenset(map(discreet, field_names(data.get("fields") or {}))),
        filled=frozenset(filled),
    )


def discreet(name: str) -> str:
    """The name without what is an e-mail or a phone in it: a broken form sends values where names should be, and names
    stand in alerts and outlive their person."""
    return _PERSONS.sub("…", name)


def field_names(fields: Mapping[str, Any]) -> Iterator[str]:
    """The names of all fields of a tree, as a person would say them."""
    for form_field in form_fields(fields):
        name = name_of(form_field)
        if name:
            yield name


def _learn_source(cursor: Cursor, source_id: int, profile: dict[str, Any], inquiries: Sequence[Seen], zone: tzinfo) -> None:
    forms = sorted({seen.form for seen in inquiries})
    known = {(row["form_id"], row["field"]) for row in cursor.execute(_FIELDS, (source_id, forms)).fetchall()}
    sizes = Counter(form for form, _ in known)
    counted: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Seen] = {}
    last: dict[tuple[str, str], datetime] = {}
    for seen in inquiries:
        was_known = is_known(profile, seen)
        for name in sorted(seen.unmapped):
            place = (seen.form, name)
            if place not in known:
                if sizes[seen.form] >= MOST_FIELDS:
                    continue
                known.add(place)
                sizes[seen.form] += 1
                if was_known:
                    data = {"form": seen.form, "field": name, "event": str(seen.event_id)}
                    raise_alert(cursor, source_id, "new_field", subject_of(seen.form, name), data)
            counted[place] += 1
            first.setdefault(place, seen)
            last[place] = seen.at
        for notice in learn(profile, seen):
            _tell(cursor, source_id, notice)
        silence.note(profile, seen.at, zone)
    places = sorted(counted)
    cursor.execute(
        _LEARN,
        (
            source_id, [form for form, _ in places], [name for _, name in places], [counted[one] for one in places],
            [first[one].at for one in places], [last[one] for one in places], [first[one].event_id for one in places],
        ),
    )  # fmt: skip


def _tell(cursor: Cursor, source_id: int, notice: Notice) -> None:
    subject = subject_of(notice.form, notice.field) if notice.field else notice.form
    if notice.over:
        end_alert(cursor, source_id, notice.code, subject)
    else:
        data = {"form": notice.form, "field": notice.field, **notice.data}
        raise_alert(cursor, source_id, notice.code, subject, data)


def _listen(cursor: Cursor, source_id: int, row: Mapping[str, Any], now: datetime, zone: tzinfo) -> bool:
    """Raises or ends the alert of silence. True if the profile changed."""
    profile: dict[str, Any] = row["profile"]
    changed = bool(now - row["at"] > _HUB_AWAY)
    if changed:
        profile["alive_since"] = now.isoformat()
    last_at = row["last_at"]
    if last_at is None:
        return changed
    if "silent" in profile:
        # Only an arrival ends it, or somebody who paused the source and so expects nothing.
        if last_at.isoformat() != profile["silent"] or row["state"] != "active":
            del profile["silent"]
            end_alert(cursor, source_id, "silence")
            return True
        return changed
    alive = datetime.fromisoformat(profile["alive_since"]) if "alive_since" in profile else last_at
    told = silence.silent_since(profile, max(last_at, alive), now, zone) if row["state"] == "active" else None
    if told is not None:
        profile["silent"] = last_at.isoformat()
        raise_alert(cursor, source_id, "silence", "", {**told, "since": last_at.isoformat()})
    return changed or told is not None
