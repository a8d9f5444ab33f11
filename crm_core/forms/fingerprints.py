"""The same submission sent twice, and the one that is sent again a moment later with a corrected address. Never refuses one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from crm_core.base.copying import texts
from crm_core.base.frozen import frozen
from crm_core.batch.rows import Cursor
from crm_core.batch.state import TouchState
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch
from crm_core.identity.identifiers import Key
from crm_core.identity.names import clean_name
from crm_core.parsed import Inquiry

#: Two equal submissions within this time are one: a double click, a reload, a plug-in's second try.
WINDOW = timedelta(minutes=10)
#: A queued inquiry may name a time before it was received, up to what a page keeps; beyond, a clock is wrong.
OLDEST = timedelta(days=30)
#: A sender repeats what failed for some days. What comes later with the same words was meant anew.
RESENT_WITHIN = timedelta(days=30)
#: So many letters may differ between a mistyped address and its correction.
_TYPING_ERRORS = 2
_COMPARED_CHARS = 64


@frozen
class Marks:
    """`fingerprint` is equal only for the same submission; `likeness` leaves the person's addresses out ("" if too little is left)."""

    fingerprint: str
    likeness: str


@frozen
class RecentTouch:
    """A touch of the last minutes that an inquiry may be a double of."""

    id: int | None
    event_id: int
    seq: int
    contact_id: int | None
    fingerprint: str
    likeness: str
    at: datetime
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    touch: TouchState | None = None  # made in this batch


@dataclass(slots=True)
class Fingerprints:
    """What a batch knows of submissions that may be the same."""

    marks: dict[tuple[int, int], Marks] = field(default_factory=dict)  # of each inquiry, by event and place in it
    recent: dict[str, list[RecentTouch]] = field(default_factory=dict)  # by fingerprint, and by likeness
    erased: dict[str, datetime] = field(default_factory=dict)  # fingerprints of what was erased, and when


def happened_at(step: EventItem, inquiry: Inquiry) -> datetime:
    """When the person pressed the button: as the page says, if that can be, else when it was received."""
    received = step.item.received_at
    told = inquiry.submitted_at
    return told if told is not None and received - OLDEST <= told <= received else received


def marks_of(step: EventItem, inquiry: Inquiry) -> Marks:
    """Hashes over what was understood and what was left over, not over bytes: a boundary or a token differs each time."""
    name = clean_name(inquiry.name).casefold()
    said = (
        step.item.source_id, inquiry.form_id, inquiry.form_name, name or inquiry.name.strip().casefold(), inquiry.company,
        inquiry.message, inquiry.line, inquiry.thread, dict(inquiry.fields),
    )  # fmt: skip
    whole = orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    person: list[Any] = sorted((key.kind, key.value) for key in step.person.keys)
    # Of nobody in particular, equal words from another place are another person's.
    person = person or sorted((*inquiry.phones, *inquiry.emails)) or [step.item.remote_ip]
    fingerprint = _hash(whole + orjson.dumps(person))
    # Without a name or the visitor's address, too many people of a form would be alike.
    likeness = _hash(whole + step.item.remote_ip.encode()) if name and step.item.remote_ip and step.person.keys else ""
    return Marks(fingerprint, likeness)


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=12).hexdigest()


def read_recent(cursor: Cursor, batch: Batch) -> None:
    """The touches of the last minutes that one of these inquiries may be a double of."""
    part = batch.part(Fingerprints)
    times = [happened_at(step, step.parsed_item) for step in batch.steps if isinstance(step.parsed_item, Inquiry)]
    if not times:
        return
    marks = list(part.marks.values())
    cursor.execute(
        "SELECT id, event_id, seq, contact_id, fingerprint, likeness, at, data->'emails' AS emails, data->'phones' AS phones"
        "  FROM touch WHERE (likeness = ANY(%s) OR fingerprint = ANY(%s)) AND fingerprint <> ''"
        "   AND at BETWEEN %s AND %s ORDER BY id",
        (texts(one.likeness for one in marks if one.likeness), texts(one.fingerprint for one in marks),
         min(times) - WINDOW, max(times) + WINDOW),
    )  # fmt: skip
    rows = cursor.fetchall()
    cursor.execute(
        "SELECT convert_from(digest, 'UTF8') AS mark, max(at) AS at FROM tombstone WHERE kind = 'submission'"
        " AND digest = ANY(%s) AND at > clock_timestamp() - %s GROUP BY 1",
        ([one.fingerprint.encode() for one in marks], RESENT_WITHIN),
    )
    part.erased = {row["mark"]: row["at"] for row in cursor.fetchall()}
    for row in rows:
        batch.wanted_contacts.add(row["contact_id"])
        remember(
            batch,
            RecentTouch(
                row["id"], row["event_id"], row["seq"], row["contact_id"], row["fingerprint"], row["likeness"], row["at"],
                tuple(row["emails"] or ()), tuple(row["phones"] or ()),
            ),
        )  # fmt: skip


def remember(batch: Batch, touch: RecentTouch) -> None:
    """So that the next inquiries of the batch find it as well."""
    for mark in (touch.fingerprint, touch.likeness):
        if mark:
            batch.part(Fingerprints).recent.setdefault(mark, []).append(touch)


def was_erased(batch: Batch, step: EventItem, inquiry: Inquiry) -> bool:
    """It repeats what a person had erased. One that says it was written since was not: he comes anew."""
    part = batch.part(Fingerprints)
    erased_at = part.erased.get(part.marks[step.item.event_id, step.seq].fingerprint)
    if erased_at is None:
        return False
    told = inquiry.submitted_at
    return told is None or not erased_at < told <= step.item.received_at  # a time to come is a wrong clock's


def double_of(batch: Batch, step: EventItem, inquiry: Inquiry) -> tuple[RecentTouch, str] | None:
    """The touch that this inquiry repeats or corrects, with the machine-readable reason."""
    part = batch.part(Fingerprints)
    marks = part.marks[step.item.event_id, step.seq]
    at = happened_at(step, inquiry)
    near = [
        one
        for mark in (marks.fingerprint, marks.likeness)
        for one in part.recent.get(mark, ())
        if (one.event_id, one.seq) != (step.item.event_id, step.seq) and abs(one.at - at) <= WINDOW
    ]
    for one in near:
        if one.fingerprint == marks.fingerprint:
            return one, "double_submission"
    corrected = next((one for one in near if _is_correction(one, inquiry)), None)
    if corrected is None or any(_is_known(batch, key) for key in step.person.keys):
        return None  # the corrected address is somebody's: the usual rules decide whose
    return corrected, "corrected_submission"


def _is_known(batch: Batch, key: Key) -> bool:
    identifier = batch.identifiers.get((key.kind, key.value))
    return identifier is not None and bool(identifier.live_links())


def _is_correction(one: RecentTouch, inquiry: Inquiry) -> bool:
    """The same kinds of address, and each so much alike that a finger slipped. Who left none cannot have corrected it."""
    if not (inquiry.emails or inquiry.phones):
        return False
    pairs = ((one.emails, inquiry.emails), (one.phones, inquiry.phones))
    if any(len(before) != len(after) for before, after in pairs):
        return False
    return all(
        _distance(a.casefold(), b.casefold()) <= _TYPING_ERRORS
        for before, after in pairs
        for a, b in zip(before, after, strict=True)
    )


def _distance(a: str, b: str) -> int:
    """Levenshtein's, of the first characters."""
    a, b = a[:_COMPARED_CHARS], b[:_COMPARED_CHARS]
    if abs(len(a) - len(b)) > _TYPING_ERRORS:
        return _TYPING_ERRORS + 1
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]
