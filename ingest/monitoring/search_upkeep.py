"""Makes what search finds right again, beside the work and only while there is little of it: nobody's inquiry waits for it."""

from __future__ import annotations

import time

from sqlalchemy import Engine, text

from crm_core.search import catch_up

_STEP = 25  # persons a transaction: some 50 ms
#: With so many events due, all time is theirs; whoever searches makes the newest right himself.
_BUSY = 50
_DUE = """
SELECT count(*) FROM (SELECT 1 FROM inbound_event WHERE state = 'waiting' AND next_attempt_at <= clock_timestamp()
                       LIMIT :busy) due
"""


def keep_up(engine: Engine, seconds: float) -> int:
    """Returns how many persons were made right, in at most about that time, and in one step where something waits."""
    end, made = time.monotonic() + seconds, 0
    while True:
        with engine.begin() as connection:
            due = connection.scalar(text(_DUE), {"busy": _BUSY}) or 0
            step = 0 if due >= _BUSY else catch_up(connection, _STEP)
        made += step
        if step == 0 or due or time.monotonic() > end:
            return made
