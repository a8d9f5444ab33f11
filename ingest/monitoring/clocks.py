"""Three clocks that should agree: this machine's, the database's, and the one that the youngest event was written by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

_ASK = "SELECT clock_timestamp() AS database, (SELECT max(received_at) FROM inbound_event) AS event"

#: Signatures of providers are good for minutes; ages on pages look odd before that.
NOTICED_SECONDS = 2.0
#: Then signatures are refused, and people's days and deadlines are wrong.
BAD_SECONDS = 60.0
_MINUTES_FROM_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds. `skew`: the database's clock before this machine's (negative: behind). `ahead`: the youngest event before the
    database's clock, 0 if it is of the past."""

    skew: float
    ahead: float

    @property
    def skew_words(self) -> str:
        side = "ahead of" if self.skew > 0 else "behind"
        return f"The database's clock is {span(abs(self.skew))} {side} this machine's."

    @property
    def ahead_words(self) -> str:
        return (
            f"The youngest event is from a time {span(self.ahead)} ahead: the database's clock was set back, or was wrong"
            " before. Nothing waits for that; days and ages on pages are odd until then."
        )


def compare(here: datetime, database: datetime, youngest_event: datetime | None) -> Clocks:
    ahead = (youngest_event - database).total_seconds() if youngest_event else 0.0
    return Clocks((database - here).total_seconds(), max(0.0, ahead))


def ask(connection: Connection, here: datetime) -> Clocks:
    row = connection.execute(text(_ASK)).one()
    return compare(here, row.database, row.event)


def span(seconds: float) -> str:
    if seconds < NOTICED_SECONDS:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.0f} s" if seconds < _MINUTES_FROM_SECONDS else f"{seconds / 60:.0f} min"
