"""Compares all contacts once a night, when nobody waits for the processor: in the small hours of the hub's own zone, or by day on
a hub that is off at night."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.log import get_logger
from crm_core.contacts.company_members import join_companies
from crm_core.merging.suggesting import SuggestionsMade, run_is_due, suggest

_log = get_logger(__name__)

_FIRST_HOUR: Final = 2
_LAST_HOUR: Final = 5


def suggest_nightly(engine: Engine, config: HubConfig, now: datetime) -> SuggestionsMade | None:
    """What was made, or None where it is not the time, or was done."""
    is_night = _FIRST_HOUR <= now.astimezone(config.zone).hour < _LAST_HOUR
    with engine.connect() as connection:
        if not run_is_due(connection, now, is_night=is_night):
            return None
    if joined := join_companies(engine):
        _log.info("contacts_joined_companies", contacts=joined)
    made = suggest(engine, now)
    if made is not None:
        _log.info("contacts_compared", contacts=made.contacts, pairs=made.pairs, suggested=made.suggested)
    return made
