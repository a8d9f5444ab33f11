"""Looks who waits too long for an answer, turn by turn, as long as there is something due."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.deadlines.sweep import AT_ONCE, look_at_due


def look_at_waits(engine: Engine, seconds: float) -> int:
    """Returns on how many something was done, in about that time at most; the rest is for the next turn."""
    end, acted = time.monotonic() + seconds, 0
    while True:
        some = look_at_due(engine, HUB, datetime.now(UTC))
        acted += some.acted
        if some.looked < AT_ONCE or time.monotonic() > end:
            return acted
