"""What an owner, a team and a pool may be called and how much of the leads a member may have. Pure: the same at every door."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from crm_core.base.errors import Invalid

LONGEST_NAME: Final = 200
LONGEST_EXTENSION: Final = 30
LONGEST_EMAIL: Final = 254  # RFC 5321
LONGEST_REASON: Final = 200
MOST_WEIGHT: Final = 1000.0


def checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("name_missing", "A name is needed.", fields=["name"])
    return short(name, "name", LONGEST_NAME)


def short(text: str, field: str, most: int) -> str:
    """The text without blanks around it. Raises Invalid if it is longer, or holds what PostgreSQL cannot."""
    text = text.strip()
    if len(text) > most:
        raise Invalid("text_too_long", f"{field} is longer than {most} characters.", fields=[field], field=field, most=most)
    if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in text):
        raise Invalid("text_unreadable", f"{field} holds characters that cannot be kept.", fields=[field], field=field)
    return text


def checked_weight(weight: float) -> float:
    if not 0 <= weight <= MOST_WEIGHT:  # which "not a number" is not either
        raise Invalid("weight_out_of_range", f"The weight must be between 0 and {MOST_WEIGHT:g}.", fields=["weight"])
    return weight


def checked_end(until: datetime, now: datetime) -> datetime:
    """The end of an absence."""
    if until.tzinfo is None:
        raise Invalid("zone_missing", "The end of an absence needs a time zone.", fields=["until"])
    if until <= now:
        raise Invalid("in_the_past", "The end of an absence must lie in the future.", fields=["until"])
    return until
