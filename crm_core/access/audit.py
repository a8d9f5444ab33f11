"""The append-only record of what people and programs did. A trigger refuses UPDATE and DELETE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from crm_core.access.models import AuditEntry
from crm_core.access.principal import Principal


def audit(
    connection: Connection,
    actor: Principal | str,
    action: str,
    subject: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Writes one row in the caller's transaction, so that deed and record commit together. `data` holds ids, no secrets."""
    name = actor.actor if isinstance(actor, Principal) else actor
    connection.execute(insert(AuditEntry).values(actor=name, action=action, subject=subject, data=dict(data or {})))
