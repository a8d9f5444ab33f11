"""Whether a source is silent for longer than chance allows, by its own habit of weekdays and hours. Pure.

The habit is the count of inquiries by local day and hour over the last four weeks. With n of them and E expected in the
silent time, nothing at all comes with the probability (1 + E/n)^-n: Poisson, with the rate itself known from n only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from statistics import median
from typing import Any

#: Four whole weeks: every weekday four times.
KEPT_DAYS = 28
#: Before, nothing is known of the week-ends, and one busy hour is no habit.
LEAST_DAYS, LEAST_INQUIRIES = 7, 20
#: One false alarm in a thousand silences as long as this.
LEAST_PROBABILITY = 0.001
LEAST_SILENCE = timedelta(hours=1)
#: A day of a campaign counts no more than so many ordinary ones: it promises nothing for the same day next week.
_BUSY_DAY = 3


def note(profile: dict[str, Any], at: datetime, zone: tzinfo) -> None:
    """Counts one inquiry at its local day and hour, and lets go what is older than four weeks before it."""
    local = at.astimezone(zone)
    days = profile.setdefault("days", {})
    hours = days.setdefault(local.date().isoformat(), {})
    hours[str(local.hour)] = hours.get(str(local.hour), 0) + 1
    if len(hours) == 1:  # a new hour is soon enough to look at the oldest day
        oldest = (date.fromisoformat(max(days)) - timedelta(days=KEPT_DAYS - 1)).isoformat()
        profile["days"] = {day: counts for day, counts in days.items() if day >= oldest}


def expected(days: Mapping[str, Mapping[str, int]], start: datetime, end: datetime) -> float:
    """How many inquiries the habit promises between two local moments."""
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    span = (last - first).days + 1
    times = [span // 7 + (1 if (weekday - first.weekday()) % 7 < span % 7 else 0) for weekday in range(7)]
    rate: dict[tuple[int, int], float] = {}
    most = _BUSY_DAY * median(sum(hours.values()) for hours in days.values())
    for day, hours in days.items():
        weekday = date.fromisoformat(day).weekday()
        calm = min(1.0, most / sum(hours.values()))
        for hour, count in hours.items():
            place = (weekday, int(hour))
            rate[place] = rate.get(place, 0.0) + calm * count / max(1, times[weekday])
    total = 0.0
    at = start
    while at < end:
        following = min(at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1), end)
        total += rate.get((at.weekday(), at.hour), 0.0) * (following - at).total_seconds() / 3600
        at = following
    return total


def silent_since(profile: Mapping[str, Any], last_at: datetime, now: datetime, zone: tzinfo) -> dict[str, Any] | None:
    """What to tell if it is silent for longer than is plausible: {"hours","expected","usual_seconds"}; None if all is well or too
    little is known. `last_at`: the last sign of life, or when the hub itself came back, whichever is later."""
    days: Mapping[str, Mapping[str, int]] = profile.get("days", {})
    count = sum(sum(hours.values()) for hours in days.values())
    if now - last_at < LEAST_SILENCE or count < LEAST_INQUIRIES:
        return None
    if (date.fromisoformat(max(days)) - date.fromisoformat(min(days))).days + 1 < LEAST_DAYS:
        return None
    # After four weeks of silence it is certain, whatever the habit; no longer walk is needed.
    begin = max(last_at, now - timedelta(days=KEPT_DAYS))
    promised = expected(days, begin.astimezone(zone), now.astimezone(zone))
    if -count * math.log1p(promised / count) > math.log(LEAST_PROBABILITY):
        return None
    return {
        "hours": round((now - last_at).total_seconds() / 3600, 1),
        "expected": round(promised, 1),
        "usual_seconds": usual_seconds(days),
    }


def usual_seconds(days: Mapping[str, Mapping[str, int]]) -> float:
    """Between two inquiries, in the hours in which there are any: what a person calls "usually every 20 minutes"."""
    counts = [count for hours in days.values() for count in hours.values()]
    return round(3600 * len(counts) / sum(counts), 0) if counts else 0.0
