"""Leaving a colleague a message about a lead, and saying that it was read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crm_core.access import Principal, demand, may, select_visible
from crm_core.base import history
from crm_core.base.errors import Forbidden, Invalid, NotFound
from crm_core.leads.locking import hold_lead
from crm_core.leads.models import Lead
from crm_core.mentions.models import Mention
from crm_core.notifications.commands import notify
from crm_core.people.models import Owner
from crm_core.search import mark

LEFT = history.Action("mention.leave", touch="comment")
READ = history.Action("mention.read")

_LONGEST = 10_000  # characters, as of a comment


def leave_mention(connection: Connection, principal: Principal, lead_id: int, owner_id: int, words: str, now: datetime) -> int:
    """The message stands in the lead's history and waits for the colleague, however long they are away. Returns its id.

    It shows the colleague what was written and by whom, and nothing else of a client whom they may not see. Raises
    Forbidden; NotFound for a lead that the principal may not see; Invalid for no words or too many, for an owner who is
    unknown or has left, and for a message to oneself.
    """
    demand(principal, "mentions.write")
    words = words.strip()
    if not words or len(words) > _LONGEST:
        raise Invalid("mention_length", f"A message has 1 to {_LONGEST} characters.", fields=["text"])
    if owner_id == principal.owner_id:
        raise Invalid("mention_to_oneself", "A message is for a colleague; write a comment instead.", fields=["to"])
    active = connection.scalar(select(Owner.active).where(Owner.id == owner_id).with_for_update(read=True, key_share=True))
    if active is None:
        raise Invalid("owner_unknown", "There is no such owner.", fields=["to"])
    if not active:
        raise Invalid("owner_inactive", "This owner is no longer active.", fields=["to"])
    lead = hold_lead(connection, principal, lead_id, None)
    mention_id = int(
        connection.execute(
            insert(Mention)
            .values(lead_id=lead_id, owner_id=owner_id, author=principal.actor, text=words, created_at=now)
            .returning(Mention.id)
        ).scalar_one()
    )
    # As for a comment: no new version, so that whoever is closing the lead need not read it again.
    connection.execute(update(Lead).where(Lead.id == lead_id).values(touches=Lead.touches + 1, last_touch_at=now))
    mark(connection, [lead.contact_id])
    touch = history.Touch(
        lead.contact_id, now, lead_id=lead_id, text=words, data={"mention": str(mention_id), "owner": str(owner_id)}
    )
    notify(connection, "message_left", [owner_id], lead_id, now)
    history.record(connection, principal, LEFT, mention_id, {"lead": str(lead_id), "owner": str(owner_id)}, touch)
    return mention_id


def read_mention(connection: Connection, principal: Principal, mention_id: int, now: datetime) -> None:
    """Says that the message was read. Said again, nothing changes: the first time counts.

    It is the colleague's own to say; a head may say it for somebody without a computer, whom they told. Raises Forbidden;
    NotFound.
    """
    demand(principal, "mentions.write")
    row = connection.execute(
        select_visible(Mention, principal, Mention.id, Mention.owner_id, Mention.read_at)
        .where(Mention.id == mention_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("mention_unknown", f"There is no message {mention_id}.")
    if row.owner_id != principal.owner_id and not may(principal, "mentions.hand_over"):
        raise Forbidden("mention_of_another", "Only the colleague whom it is for can say that they have read it.")
    if row.read_at is not None:
        return
    connection.execute(update(Mention).where(Mention.id == mention_id).values(read_at=now, read_by=principal.actor))
    history.record(connection, principal, READ, mention_id, {"owner": str(row.owner_id)})
