"""What the inquiries of a batch bring besides words, and which of them are one submission sent twice."""

from __future__ import annotations

from collections.abc import Iterator

from crm_core.batch.rows import Cursor
from crm_core.batch.state import EventResult
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch, Subject
from crm_core.forms.enclosures import enclose, write_enclosures
from crm_core.forms.fingerprints import Fingerprints, marks_of, read_recent
from crm_core.parsed import Inquiry


def _locks(_cursor: Cursor, batch: Batch) -> Iterator[str]:
    marks = batch.part(Fingerprints).marks
    for step in batch.steps:
        if isinstance(inquiry := step.parsed_item, Inquiry):
            own = marks[step.item.event_id, step.seq] = marks_of(step, inquiry)
            if own.likeness:
                yield f"form:{own.likeness}"
            # Where a phone or an e-mail is locked, that lock already keeps two equal submissions apart.
            if not any((key.kind, key.value) in batch.locked for key in step.person.keys):
                yield f"form:{own.fingerprint}"


def _load(_cursor: Cursor, batch: Batch) -> None:
    """Touches that were read just before their person was erased: nobody's double, and nothing comes to them any more."""
    recent = batch.part(Fingerprints).recent
    for mark, touches in recent.items():
        recent[mark] = [one for one in touches if one.contact_id is None or not batch.contacts[one.contact_id].is_erased]


def _add(batch: Batch, step: EventItem, result: EventResult) -> None:
    inquiry = step.parsed_item
    touch = batch.touches.get((step.item.event_id, step.seq))
    if isinstance(inquiry, Inquiry) and not inquiry.is_test and result.contact_id is not None and touch is not None:
        enclose(batch, step, inquiry, touch.contact.root, touch.lead)


SUBJECT = Subject("forms", locks=_locks, find=read_recent, load=_load, add=_add, write=write_enclosures)
