"""Handing over everything that an owner has in hand to one colleague, so that the owner can be retired.

What is over stays with whoever did it: closed leads, done tasks, messages that were read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update

from crm_core.access import Principal, demand
from crm_core.access.visibility import select_any
from crm_core.activities.models import Activity
from crm_core.base import history, reasons
from crm_core.base.errors import Invalid, NotFound
from crm_core.contacts.models import Contact
from crm_core.leads.assignment import ASSIGNED
from crm_core.leads.models import Lead
from crm_core.mentions.models import Mention
from crm_core.people.models import Assignment, Owner

HANDED_OVER = history.Action("owner.hand_over")

_RIGHT: Final = "leads.assign"
_ALL: Final = "whoever may assign leads sees every one of them"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How much went to the successor."""

    clients: int
    leads: int  # open ones
    tasks: int  # open ones, call-backs among them
    messages: int  # of colleagues, not read yet


def hand_over(
    connection: Connection, principal: Principal, owner_id: int, successor_id: int, why: str, now: datetime
) -> HandedOver:
    """Each lead's history tells it, with the reason. What is given to the owner meanwhile is not among it, as long as they are
    active. Raises Forbidden, NotFound, Invalid (no reason; successor unknown, inactive or the same person)."""
    demand(principal, _RIGHT)
    why = reasons.needed(why)
    if connection.scalar(select(Owner.id).where(Owner.id == owner_id)) is None:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")
    if owner_id == successor_id:
        raise Invalid("successor_is_self", "Choose a colleague as the successor.", fields=["to"])
    # In the order of the intake: contacts, leads, then owners.
    open_leads = (Lead.owner_id == owner_id, Lead.state == "open")
    roots = select(Contact.root_id).where(Contact.id.in_(select_any(Lead.contact_id, because=_ALL).where(*open_leads)))
    connection.execute(
        select_any(Contact.id, because=_ALL)
        .where(Contact.id.in_(roots) | (Contact.owner_id == owner_id))
        .order_by(Contact.id)
        .with_for_update(key_share=True)
    )
    leads = connection.execute(
        select_any(Lead.id, Lead.contact_id, because=_ALL).where(*open_leads).order_by(Lead.id).with_for_update()
    ).all()
    active = connection.scalar(select(Owner.active).where(Owner.id == successor_id).with_for_update(read=True))
    if active is None:
        raise Invalid("owner_unknown", "There is no such owner.", fields=["to"])
    if not active:
        raise Invalid("owner_inactive", "This owner is no longer active.", fields=["to"])
    clients = connection.execute(
        update(Contact)
        .where(Contact.owner_id == owner_id)
        .values(owner_id=successor_id, owner_since=now, version=Contact.version + 1)
        .returning(Contact.id, Contact.root_id)
    ).all()
    tasks = connection.execute(
        update(Activity).where(Activity.owner_id == owner_id, Activity.state == "open").values(owner_id=successor_id)
    ).rowcount
    messages = connection.execute(
        update(Mention).where(Mention.owner_id == owner_id, Mention.read_at.is_(None)).values(owner_id=successor_id)
    ).rowcount
    before, after = str(owner_id), str(successor_id)
    if leads:
        ids = [row.id for row in leads]
        connection.execute(update(Lead).where(Lead.id.in_(ids)).values(owner_id=successor_id, version=Lead.version + 1))
        trace = {"code": "handed_over", "steps": [], "why": why, "by": principal.actor, "before": before}
        connection.execute(
            insert(Assignment),
            [
                {"lead_id": row, "owner_id": successor_id, "kind": "manual", "trace": trace, "actor": principal.actor, "at": now}
                for row in ids
            ],
        )
    for row in leads:
        touch = history.Touch(
            row.contact_id, now, lead_id=row.id, text=why, data={"owner": after, "before": before, "code": "handed_over"}
        )
        history.record(connection, principal, ASSIGNED, row.id, {"owner": after, "pool": None, "before": before}, touch)
    moved = HandedOver(sum(row.id == row.root_id for row in clients), len(leads), tasks, messages)
    if clients or leads or tasks or messages:
        history.record(connection, principal, HANDED_OVER, owner_id, {"to": after} | asdict(moved))
    return moved
