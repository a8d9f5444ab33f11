"""A person's own words on a lead: one more touch of its history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Invalid
from crm_core.leads.locking import hold_lead
from crm_core.leads.models import Lead
from crm_core.search import mark

COMMENTED = history.Action("lead.comment", touch="comment")

_LONGEST = 10_000  # characters; longer belongs into a document


def comment_on_lead(connection: Connection, principal: Principal, lead_id: int, words: str, now: datetime) -> None:
    """Raises Forbidden; NotFound for a lead that the principal may not see; Invalid for no words or too many."""
    demand(principal, "leads.write")
    words = words.strip()
    if not words or len(words) > _LONGEST:
        raise Invalid("comment_length", f"A comment has 1 to {_LONGEST} characters.", fields=["text"])
    lead = hold_lead(connection, principal, lead_id, None)
    # Not a new version: somebody who is closing the lead at this moment need not read it again for a comment.
    connection.execute(update(Lead).where(Lead.id == lead_id).values(touches=Lead.touches + 1, last_touch_at=now))
    mark(connection, [lead.contact_id])
    history.record(
        connection, principal, COMMENTED, lead_id, touch=history.Touch(lead.contact_id, now, lead_id=lead_id, text=words)
    )
