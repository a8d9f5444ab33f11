"""Gives out what waits for an owner, and says so at the sources of what still has nobody."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine, text

from crm_core.access import HUB
from crm_core.leads.waiting import AT_ONCE, give_waiting, waiting_leads
from ingest.alerts.alerts import end_alert, raise_alert

#: Alert of a source whose leads nobody can take.
NOBODY: Final = "nobody_available"


def give_out(engine: Engine, zone: str, seconds: float) -> int:
    """Returns how many leads got an owner, in about that time at most; the rest is for the next turn."""
    end, given = time.monotonic() + seconds, 0
    while True:
        with engine.begin() as connection:
            some = give_waiting(connection, HUB, datetime.now(UTC), zone)
        given += some
        if some < AT_ONCE or time.monotonic() > end:
            break
    _tell(engine)
    return given


def _tell(engine: Engine) -> None:
    """One alert for each source with leads that wait, ended when there is none; raised once, not at every look."""
    with engine.begin() as connection:
        waiting = {one.source_id: one for one in waiting_leads(connection)}
        told = set(
            connection.scalars(
                text("SELECT source_id FROM source_alert WHERE code = :code AND resolved_at IS NULL"), {"code": NOBODY}
            )
        )
        for source_id in waiting.keys() - told:
            raise_alert(connection, source_id, NOBODY, data={"count": waiting[source_id].count})
        for source_id in told - waiting.keys():
            end_alert(connection, source_id, NOBODY)
