"""Times as providers write them: ISO text, `YYYY-MM-DD hh:mm:ss` without a zone, epoch seconds or milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

#: Epoch numbers above this are milliseconds: as seconds it is the year 5138.
_EARLIEST = 946_684_800  # seconds, 2000-01-01: a smaller number is a count, an answer, anything but when a form was sent
_MILLISECONDS_FROM = 100_000_000_000


def read_time(value: Any, zone: tzinfo) -> datetime | None:
    """An aware time, or None where the value is none. `zone` is for times that name none."""
    if isinstance(value, str):
        value = value.strip()
        if not value.replace(".", "", 1).isdigit():
            return _from_text(value, zone)
    if isinstance(value, bool) or value in (None, ""):
        return None
    try:
        number = float(value)
        if number < _EARLIEST:
            return None
        return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _from_text(text: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
