"""One file by its id, for whoever may see the lead that it came with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from crm_core.access import Principal
from crm_core.access.visibility import select_visible
from crm_core.base import history
from crm_core.base.errors import NotFound
from crm_core.forms.models import Attachment

READ = history.Action("file.read")


@dataclass(frozen=True, slots=True)
class AttachedFile:
    id: int
    lead_id: int | None
    name: str
    sha256: str


def open_file(connection: Connection, principal: Principal, attachment_id: int) -> AttachedFile:
    """The file to hand out, and the row of the audit that says to whom. NotFound as `get_file`. The only way to one."""
    file = get_file(connection, principal, attachment_id)
    history.record(connection, principal, READ, file.id)
    return file


def get_file(connection: Connection, principal: Principal, attachment_id: int) -> AttachedFile:
    """NotFound also for a file of a lead that the principal may not see, and for one whose content is not here (yet)."""
    row = connection.execute(
        select_visible(Attachment, principal, Attachment.id, Attachment.lead_id, Attachment.name, Attachment.sha256).where(
            Attachment.id == attachment_id, Attachment.state == "stored"
        )
    ).one_or_none()
    if row is None:
        raise NotFound("file_unknown", "There is no such file.")
    return AttachedFile(row.id, row.lead_id, row.name, row.sha256)
