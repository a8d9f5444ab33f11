"""How much came today, by source. Counted once in some seconds a process, however many people watch the queues."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from ingest.monitoring.health import ReceivedCount, received_since
from webhooks.console.shell.request_context import RequestContext

#: As often as an open page asks again. A count over the day's index entries may take a while on a busy day.
_FRESH = timedelta(seconds=5)


class _Held:
    """What this process counted last: by database, the day, the moment and the counts."""

    def __init__(self) -> None:
        self.counted: dict[str, tuple[date, datetime, Sequence[ReceivedCount]]] = {}
        self.lock = threading.Lock()


_held = _Held()


def day(context: RequestContext) -> date:
    return context.now.astimezone(context.config.zone).date()


def counts(connection: Connection, context: RequestContext) -> Sequence[ReceivedCount]:
    """Received and done since midnight of the hub's zone, at most five seconds old."""
    today, place = day(context), context.config.database_url
    with _held.lock:
        known = _held.counted.get(place)
    if known is not None and known[0] == today and abs(context.now - known[1]) < _FRESH:
        return known[2]
    counted = received_since(connection, datetime.combine(today, time(), context.config.zone))
    with _held.lock:
        _held.counted[place] = (today, context.now, counted)
    return counted
