"""Marks the persons of a batch whose words are others now."""

from __future__ import annotations

from crm_core.batch.rows import Cursor
from crm_core.batch.subject import Batch, Subject
from crm_core.search.indexing import mark_batch


def _write(cursor: Cursor, batch: Batch) -> None:
    changed = {contact.root.id for contact in batch.all_contacts() if contact.changed or contact.created}
    changed |= {touch.contact.root.id for touch in batch.new_touches}
    changed |= {lead.contact.root.id for lead in batch.leads.values() if lead.content is not None}
    # A call's touch keeps its number, whatever else becomes known of the call.
    rewritten = {touch.contact.root.id for touch in batch.changed_touches if touch.call is None}
    mark_batch(cursor, [one for one in changed if one is not None], [one for one in rewritten if one is not None])


SUBJECT = Subject("search", write=_write)
