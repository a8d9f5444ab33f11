"""What came with leads besides words: consents with the version of their text, and files with where their content is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from crm_core.access.visibility import select_any
from crm_core.forms.models import Attachment, Consent


@dataclass(frozen=True, slots=True)
class ConsentView:
    purpose: str  # processing, marketing or transfer
    given: bool
    method: str
    text_id: str
    text_sha256: str  # of the words beside the box, as they were shown
    text_url: str
    captured_at: datetime
    page_url: str
    ip: str
    user_agent: str
    field: str


@dataclass(frozen=True, slots=True)
class FileView:
    id: int
    name: str
    type: str  # as the sender declared it; not believed
    size: int  # bytes
    sha256: str
    field: str
    state: str  # stored | to_fetch | refused | failed
    note: str  # code of why there is no content


_CONSENT = tuple(Consent.__table__.columns)
_FILE = tuple(Attachment.__table__.columns)


def consents_of(connection: Connection, lead_ids: Collection[int]) -> dict[int, list[ConsentView]]:
    """By lead, the newest first: the first of a purpose is the one that counts."""
    found: dict[int, list[ConsentView]] = {lead: [] for lead in lead_ids}
    if not found:
        return found
    for row in connection.execute(
        select_any(*_CONSENT, because="the leads were seen")
        .where(Consent.lead_id.in_(found))
        .order_by(Consent.captured_at.desc(), Consent.id.desc())
    ):
        found[row.lead_id].append(
            ConsentView(
                row.purpose,
                row.given,
                row.method,
                row.text_id,
                row.text_sha256,
                row.text_url,
                row.captured_at,
                row.page_url,
                row.ip,
                row.user_agent,
                row.field,
            )
        )
    return found


def files_of(connection: Connection, lead_ids: Collection[int]) -> dict[int, list[FileView]]:
    """By lead, in the order in which they were sent."""
    found: dict[int, list[FileView]] = {lead: [] for lead in lead_ids}
    if not found:
        return found
    for row in connection.execute(
        select_any(*_FILE, because="the leads were seen")
        .where(Attachment.lead_id.in_(found))
        .order_by(Attachment.event_id, Attachment.seq, Attachment.n)
    ):
        found[row.lead_id].append(FileView(row.id, row.name, row.type, row.size, row.sha256, row.field, row.state, row.note))
    return found
