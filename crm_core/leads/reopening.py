"""Opening a lead again. An open lead takes the client's next inquiry, so it is a claim on the client himself."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from crm_core.access import Principal, may
from crm_core.base.errors import Conflict
from crm_core.base.paging import AnyRow
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead
from crm_core.people.models import Owner


def refuse_reopening(connection: Connection, principal: Principal, lead: AnyRow) -> None:
    """Raises Conflict, naming who has the client, if he is no longer the lead's owner's. Whoever may assign may do it.

    He is another's if the contact has another owner, or a later lead of the same line went to somebody else. The
    contact's root is locked by the caller (`hold_lead`), so neither changes meanwhile.
    """
    if may(principal, "leads.assign"):
        return
    of_contact = (
        select(Contact.owner_id)
        .where(Contact.id == select(Contact.root_id).where(Contact.id == lead.contact_id).scalar_subquery())
        .scalar_subquery()
    )
    of_later_lead = (
        select(Lead.owner_id)
        .where(
            Lead.contact_id == lead.contact_id, Lead.line == lead.line, Lead.id > lead.id,
            Lead.owner_id.is_not(None), Lead.owner_id.is_distinct_from(lead.owner_id),
        )
        .order_by(Lead.id.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip
    holder = connection.execute(
        select(Owner.id, Owner.name).where(Owner.id == func.coalesce(func.nullif(of_contact, lead.owner_id), of_later_lead))
    ).one_or_none()
    if holder is not None:
        raise Conflict(
            "client_is_anothers",
            f"This client is with {holder.name} now. Ask a head of sales or an administrator to open the lead again:"
            " it takes the right to assign leads.",
            owner=holder.name,
        )
