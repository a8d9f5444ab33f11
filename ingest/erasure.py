"""Erasing a person wherever the hub keeps something of him: rows in one transaction, then contents of files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.config import HubConfig
from crm_core.working.erasing import Erased, erase_contact
from ingest.files import forget_unnamed


def erase(
    engine: Engine, config: HubConfig, principal: Principal, contact_id: int, why: str, now: datetime
) -> Erased:
    """Raises NotFound or Conflict. A file that another lead has as well stays."""
    with engine.begin() as connection:
        erased = erase_contact(connection, principal, contact_id, why, config.secret_key, now)
    forget_unnamed(config, erased.files)
    return erased
