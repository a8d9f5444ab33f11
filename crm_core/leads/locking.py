"""Takes hold of a lead so that neither an arriving inquiry nor a colleague changes it meanwhile."""

from __future__ import annotations

from sqlalchemy import Connection, select

from crm_core.access import Principal, select_visible
from crm_core.base.errors import Conflict, NotFound
from crm_core.base.paging import AnyRow
from crm_core.contacts.models import Contact
from crm_core.leads.models import Lead


def hold_lead(connection: Connection, principal: Principal, lead_id: int, version: int | None) -> AnyRow:
    """The lead's row, locked after its contact's root. `version` None takes any.

    Raises NotFound for a lead that the principal may not see, Conflict if it is no longer at `version`.
    """
    unknown = NotFound("lead_unknown", f"There is no lead {lead_id}.")
    contact_id = connection.execute(
        select_visible(Lead, principal, Lead.contact_id).where(Lead.id == lead_id)
    ).scalar_one_or_none()
    if contact_id is None:
        raise unknown
    root_id = select(Contact.root_id).where(Contact.id == contact_id).scalar_subquery()
    connection.execute(select(Contact.id).where(Contact.id == root_id).with_for_update(key_share=True))
    row = connection.execute(
        select_visible(Lead, principal, *Lead.__table__.columns).where(Lead.id == lead_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise unknown  # it was handed to somebody else a moment ago
    refuse_version(row, version)
    return row


def refuse_version(lead: AnyRow, version: int | None) -> None:
    """Raises Conflict if somebody changed the lead since it was read at `version`."""
    if version is not None and lead.version != version:
        raise Conflict("version", f"The lead is at version {lead.version}, not {version}; read it again.", version=lead.version)
