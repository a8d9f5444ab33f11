"""When a provider that is busy wishes to be asked again (Retry-After), carried by the error that its answer is read as."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.kit import FetchAnswer
from crm_core.base.errors import Transient

_KEY = "retry_after"
_MOST_SECONDS = 24 * 3600.0


@contextmanager
def keeping_retry_after(answer: FetchAnswer) -> Iterator[None]:
    """Whoever reads the answer says what it means; if that is "later again", the answer's own wish goes along."""
    try:
        yield
    except Transient as error:
        seconds = _seconds(answer)
        if seconds is not None:
            error.data[_KEY] = seconds
        raise


def retry_after_of(error: Transient) -> float | None:
    """Seconds, more than none and no more than a day; None if nothing was wished."""
    found = error.data.get(_KEY)
    return found if isinstance(found, float) else None


def _seconds(answer: FetchAnswer) -> float | None:
    """Retry-After: seconds, or a date; a date is compared with the answer's own clock where that has one."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(float(text), _MOST_SECONDS) or None
    until, there = _date(text), _date(answer.headers.get("date", ""))
    if until is None or there is None:
        return None
    seconds = (until - there).total_seconds()
    return min(seconds, _MOST_SECONDS) if seconds > 0 else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
