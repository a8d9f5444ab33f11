"""What an owner, a team and a pool may be called and how much of the leads a member may have. Pure: the same at every door."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crm_core.base.errors import Invalid
from crm_core.calendars.rules import checked_zone
from crm_core.calendars.weeks import read_week, week_json

LONGEST_NAME: Final = 200
LONGEST_EXTENSION: Final = 30
LONGEST_EMAIL: Final = 254  # RFC 5321
LONGEST_REASON: Final = 200
MOST_WEIGHT: Final = 1000.0
MOST_LEADS: Final = 100_000
LONGEST_WORD: Final = 60
MOST_WORDS: Final = 50
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


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


def checked_profile(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Of what somebody is to be: hours, languages, skills, regions and limits, as far as they are named, as they are stored.
    Raises Invalid."""
    checked: dict[str, Any] = {}
    if "zone" in changes:
        checked["zone"] = checked_zone(changes["zone"]) if changes["zone"].strip() else ""
    if "week" in changes:
        checked["week"] = None if changes["week"] is None else week_json(read_week(changes["week"]))
    for field in ("languages", "skills", "regions"):
        if field in changes:
            checked[field] = checked_words(field, changes[field])
    for field in ("max_open", "max_per_day"):
        most = changes.get(field)
        if most is not None and not 0 <= most <= MOST_LEADS:
            raise Invalid("limit_out_of_range", f"A limit lies between 0 and {MOST_LEADS}.", fields=[field], most=MOST_LEADS)
    return checked


def checked_words(field: str, words: Sequence[str]) -> list[str]:
    """Each once, in their order; languages are ISO 639, and case means nothing in skills and languages. Raises Invalid."""
    found: dict[str, str] = {}
    for word in words:
        text = short(word, field, LONGEST_WORD)
        text = text if field == "regions" else text.lower()
        if field == "languages" and not _LANGUAGE.fullmatch(text):
            raise Invalid("language_unknown", f"A language is written as two letters, like ru or en, not {text!r}.",
                          fields=[field], given=text)  # fmt: skip
        if text:
            found.setdefault(text.lower(), text)
    if len(found) > MOST_WORDS:
        raise Invalid("too_many_words", f"{field} holds {MOST_WORDS} words at most.", fields=[field], most=MOST_WORDS)
    return list(found.values())


#: How a pool shares out: by what each is owed, to whoever has the fewest open leads, by taking (each for themselves), by
#: taking after everybody was told.
STRATEGIES: Final = ("ledger", "least_open", "claim", "broadcast")


def checked_strategy(strategy: str) -> str:
    if strategy not in STRATEGIES:
        raise Invalid(
            "strategy_unknown", f"A pool shares out in one of these ways: {', '.join(STRATEGIES)}.", fields=["strategy"]
        )
    return strategy
