"""Times as people read them: how long ago in short, the exact moment in the hub's zone on request."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from webhooks.console.shell.language import Language


def moment(value: str | datetime | None) -> datetime | None:
    """RFC 3339 text or an aware datetime, as an aware datetime."""
    if value is None or value == "":
        return None
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def span(seconds: float, language: Language) -> str:
    """A length of time in its largest fitting unit: "40 s", "12 min", "3 h", "5 d"."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return language("time.seconds", n=seconds)
    if seconds < 3600:
        return language("time.minutes", n=seconds // 60)
    if seconds < 86_400:
        return language("time.hours", n=seconds // 3600)
    return language("time.days", n=seconds // 86_400)


def talk(seconds: float, language: Language) -> str:
    """The length of a call, "3:07"."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return language("time.talk", minutes=minutes, seconds=f"{rest:02d}")


def stopwatch(seconds: float) -> str:
    """A wait that somebody watches: "0:42", "12:07", "3:05:00"."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


#: What the database wrote down during this request lies a little after the request's own moment.
_CLOCKS_APART_SECONDS = 5


def relative(at: datetime, now: datetime, zone: ZoneInfo, language: Language) -> str:
    """Near moments as a distance, today's as a time, older ones as a date."""
    ago = (now - at).total_seconds()
    if -_CLOCKS_APART_SECONDS <= ago < 60:
        return language("time.just_now")
    if 0 <= ago < 3600:
        return language("time.ago", span=span(ago, language))
    if -3600 < ago < 0:
        return language("time.in", span=span(max(60.0, -ago), language))
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return clock
    if local.date() == today - timedelta(days=1):
        return language("time.yesterday", clock=clock)
    if local.date() == today + timedelta(days=1):
        return language("time.tomorrow", clock=clock)
    month = language(f"time.month_short_{local.month}")
    if local.year == today.year:
        return language("time.date", day=local.day, month=month, clock=clock)
    return language("time.date_year", day=local.day, month=month, year=local.year)


def short(at: datetime, now: datetime, zone: ZoneInfo, language: Language) -> str:
    """A moment after "since": today's as a time, older ones as a date with it."""
    local = at.astimezone(zone)
    clock = f"{local:%H:%M}"
    if local.date() == now.astimezone(zone).date():
        return clock
    return language("time.date", day=local.day, month=language(f"time.month_short_{local.month}"), clock=clock)


def exact(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """The full moment to the second with its zone, for a title or a print."""
    local = at.astimezone(zone)
    return language(
        "time.exact",
        weekday=language(f"time.weekday_{local.isoweekday()}"),
        day=local.day,
        month=language(f"time.month_{local.month}"),
        year=local.year,
        clock=f"{local:%H:%M:%S}",
        zone=str(zone),
    )


def day(value: str | date, language: Language) -> str:
    """A calendar day, or "2026-11-21" out of an address, as "21 November 2026"."""
    at = date.fromisoformat(value) if isinstance(value, str) else value
    return language("time.day", day=at.day, month=language(f"time.month_{at.month}"), year=at.year)
