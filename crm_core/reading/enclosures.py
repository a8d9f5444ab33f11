"""What came with leads besides words: consents with the version of their text, and files with where their content is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from crm_core.models import Attachment, Consent
from crm_core.reading.values import rfc3339

_CONSENT = tuple(Consent.__table__.columns)
_FILE = tuple(Attachment.__table__.columns)


def consents_of(connection: Connection, lead_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """By lead, the newest first: the first of a purpose is the one that counts."""
    found: dict[int, list[dict[str, Any]]] = {lead: [] for lead in lead_ids}
    if not found:
        return found
    for row in connection.execute(
        select(*_CONSENT).where(Consent.lead_id.in_(found)).order_by(Consent.captured_at.desc(), Consent.id.desc())
    ):
        found[row.lead_id].append(
            {
                "purpose": row.purpose,
                "given": row.given,
                "method": row.method,
                "text_id": row.text_id,
                "text_sha256": row.text_sha256,
                "text_url": row.text_url,
                "captured_at": rfc3339(row.captured_at),
                "page_url": row.page_url,
                "ip": row.ip,
                "user_agent": row.user_agent,
                "field": row.field,
            }
        )
    return found


def files_of(connection: Connection, lead_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """By lead, in the order in which they were sent. `state`: stored | to_fetch | refused | failed, `note` says why."""
    found: dict[int, list[dict[str, Any]]] = {lead: [] for lead in lead_ids}
    if not found:
        return found
    for row in connection.execute(
        select(*_FILE).where(Attachment.lead_id.in_(found)).order_by(Attachment.event_id, Attachment.seq, Attachment.n)
    ):
        found[row.lead_id].append(
            {
                "id": str(row.id),
                "name": row.name,
                "type": row.type,
                "size": row.size,
                "sha256": row.sha256,
                "field": row.field,
                "state": row.state,
                "note": row.note,
            }
        )
    return found
