"""What came with an inquiry besides words: consents and files, as rows that name the event and are rewritten by a replay."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crm_core.batch.rows import Cursor, insert_rows
from crm_core.batch.state import ContactState, LeadState
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch
from crm_core.forms.file_pairs import refile
from crm_core.forms.fingerprints import happened_at
from crm_core.parsed import Consent, IncomingFile, Inquiry


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A row of consent or attachment whose contact and lead get their ids at the end."""

    contact: ContactState
    lead: LeadState | None
    columns: dict[str, Any]


@dataclass(slots=True)
class Enclosures:
    """What the inquiries of a batch bring besides words."""

    consents: list[Enclosure] = field(default_factory=list)
    consent_texts: dict[tuple[int, str, str], Consent] = field(default_factory=dict)  # by source, purpose, hash
    attachments: list[Enclosure] = field(default_factory=list)
    rewritten: list[tuple[int, int]] = field(default_factory=list)  # inquiries whose enclosures are written anew


def enclose(batch: Batch, step: EventItem, inquiry: Inquiry, contact: ContactState, lead: LeadState | None) -> None:
    """Notes the inquiry's consents and files; they are written once ids are known."""
    part = batch.part(Enclosures)
    where = {"event_id": step.item.event_id, "seq": step.seq}
    if step.item.replayed:
        part.rewritten.append((step.item.event_id, step.seq))
    # One answer a purpose: where two boxes say the same purpose, a single "no" is a no.
    answers: dict[str, Consent] = {}
    for consent in inquiry.consents:
        known = answers.get(consent.purpose)
        if known is None or (known.given and not consent.given):
            answers[consent.purpose] = consent
    for consent in answers.values():
        part.consents.append(Enclosure(contact, lead, {**where, **_consent(step, inquiry, consent)}))
        if consent.text or consent.text_sha256:
            part.consent_texts[step.item.source_id, consent.purpose, _sha256(consent)] = consent
    for n, file in enumerate(inquiry.files):
        part.attachments.append(Enclosure(contact, lead, {**where, "n": n, **_attachment(file)}))


def _consent(step: EventItem, inquiry: Inquiry, consent: Consent) -> dict[str, Any]:
    return {
        "source_id": step.item.source_id, "purpose": consent.purpose, "given": consent.given, "method": consent.method,
        "text_id": consent.text_id, "text_sha256": _sha256(consent), "text_url": consent.text_url,
        "field": consent.field_name, "form_id": inquiry.form_id, "page_url": inquiry.attribution.page_url,
        "ip": step.item.remote_ip, "user_agent": step.item.user_agent[:500],
        "captured_at": happened_at(step, inquiry).isoformat(),
    }  # fmt: skip


def _sha256(consent: Consent) -> str:
    """Of the words themselves where they were sent; what the page says of them only where they were not."""
    return hashlib.sha256(consent.text.encode()).hexdigest() if consent.text else consent.text_sha256


def _attachment(file: IncomingFile) -> dict[str, Any]:
    state = "to_fetch" if file.url else "refused" if file.note else "stored"
    return {
        "field": file.field_name, "name": file.name, "type": file.type, "size": file.size, "sha256": file.sha256,
        "url": file.url, "state": state, "note": file.note, "attempts": 0, "next_try_at": "now", "created_at": "now",
    }  # fmt: skip


#: A file that was fetched meanwhile is not fetched again because its inquiry is read again.
_KEEP_FETCHED = "CASE WHEN attachment.url <> '' AND attachment.url = excluded.url THEN attachment.{0} ELSE excluded.{0} END"


def write_enclosures(cursor: Cursor, batch: Batch) -> None:
    part = batch.part(Enclosures)
    if part.rewritten:
        keys = ([event for event, _ in part.rewritten], [seq for _, seq in part.rewritten])
        cursor.execute(
            "DELETE FROM consent c USING unnest(%s::bigint[], %s::bigint[]) AS k(e, s)"
            " WHERE c.event_id = k.e AND c.seq = k.s", keys,
        )  # fmt: skip
        _refile(cursor, part)
    insert_rows(
        cursor, "consent_text",
        [{"source_id": source, "purpose": purpose, "sha256": sha256, "text": one.text, "url": one.text_url,
          "first_seen_at": "now"} for (source, purpose, sha256), one in part.consent_texts.items()],
        "ON CONFLICT (source_id, purpose, sha256) DO NOTHING",
    )  # fmt: skip
    insert_rows(cursor, "consent", _rows(part.consents))
    kept = ", ".join(f"{c} = {_KEEP_FETCHED.format(c)}" for c in ("size", "sha256", "state", "note", "type", "attempts"))
    insert_rows(
        cursor, "attachment", _rows(part.attachments),
        "ON CONFLICT (event_id, seq, n) DO UPDATE SET contact_id = excluded.contact_id, lead_id = excluded.lead_id,"
        f" field = excluded.field, name = excluded.name, {kept}, url = excluded.url",
    )  # fmt: skip


def _refile(cursor: Cursor, part: Enclosures) -> None:
    """Gives the files of inquiries that were read anew the numbers that the same files had."""
    places = sorted(set(part.rewritten))
    cursor.execute(
        "SELECT a.event_id, a.seq, a.n, a.url, a.sha256, a.name, a.field, a.state FROM attachment a"
        " JOIN unnest(%s::bigint[], %s::bigint[]) AS k(e, s) ON a.event_id = k.e AND a.seq = k.s ORDER BY a.n",
        ([event for event, _ in places], [seq for _, seq in places]),
    )
    known: dict[tuple[int, int], list[Any]] = {}
    for row in cursor.fetchall():
        known.setdefault((row["event_id"], row["seq"]), []).append(row)
    read: dict[tuple[int, int], list[Enclosure]] = {}
    for one in part.attachments:
        read.setdefault((one.columns["event_id"], one.columns["seq"]), []).append(one)
    gone: list[tuple[int, int, int]] = []
    for place, rows in known.items():
        mine = read.get(place, [])
        written, left = refile(rows, [one.columns for one in mine])
        gone += [(*place, n) for n in left]
        # All files of an inquiry are of one contact and one lead.
        read[place] = [replace(mine[0], columns=columns) for columns in written]
    part.attachments = [one for files in read.values() for one in files]
    if gone:
        cursor.execute(
            "DELETE FROM attachment a USING unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS k(e, s, n)"
            " WHERE a.event_id = k.e AND a.seq = k.s AND a.n = k.n",
            ([one[0] for one in gone], [one[1] for one in gone], [one[2] for one in gone]),
        )


def _rows(enclosures: Sequence[Enclosure]) -> list[dict[str, Any]]:
    return [
        {"contact_id": one.contact.root.id, "lead_id": one.lead.id if one.lead else None, **one.columns} for one in enclosures
    ]
