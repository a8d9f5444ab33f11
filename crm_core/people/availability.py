"""Who can take work now: on shift, away, paused, how full. One query for a hub that set no hours, two for any other.

It says how things are and judges nothing: whether somebody is left out, and with what reason, is routing's decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Connection

from crm_core.base.frozen import frozen
from crm_core.base.working_time import Calendar, NoWorkingTimeError, SpecialDay, is_working, next_working
from crm_core.calendars.weeks import read_hours, read_week

#: A pause without an end.
FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


@frozen
class Availability:
    """One owner at one moment. Without hours of their own or a calendar they are always on shift."""

    id: int
    name: str
    extension: str
    active: bool
    duty: bool
    team_id: int | None
    absent_until: datetime | None  # of the absence that runs now, or None
    deputy_id: int | None  # who covers it; may be away themselves
    paused_until: datetime | None  # FOREVER: until somebody ends it
    on_shift: bool
    next_on_shift: datetime | None  # UTC; None: on shift, or never again
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    max_open: int | None = None
    open_leads: int | None = None  # None where no limit asks for it, so is given_today
    max_per_day: int | None = None
    given_today: int | None = None  # leads given to them since midnight in their own zone, each once
    calendar: Calendar | None = field(default=None, compare=False, repr=False)  # None: no hours were set


_OWNERS: Final = """
    SELECT o.id, o.name, o.extension, o.active, o.duty, o.team_id, o.calendar_id, o.zone, o.week,
           o.languages, o.skills, o.regions, o.max_open, o.max_per_day, moment.at,
           CASE WHEN o.paused_until > moment.at THEN o.paused_until END AS paused_until,
           away.until_at AS absent_until, away.deputy_id,
           CASE WHEN o.max_open IS NOT NULL THEN
               (SELECT count(*) FROM lead l WHERE l.owner_id = o.id AND l.state = 'open') END AS open_leads,
           CASE WHEN o.max_per_day IS NOT NULL THEN
               (SELECT count(DISTINCT a.lead_id) FROM assignment a WHERE a.owner_id = o.id
                   AND a.at >= date_trunc('day', moment.at, coalesce(nullif(o.zone, ''), c.zone, d.zone, 'UTC'))
                   AND a.at <= moment.at) END AS given_today
      FROM owner o
     CROSS JOIN (SELECT coalesce(CAST(%(now)s AS timestamptz), now()) AS at) moment
      LEFT JOIN calendar c ON c.id = o.calendar_id
      LEFT JOIN calendar d ON d.is_default
      LEFT JOIN LATERAL (SELECT a.until_at, a.deputy_id FROM absence a
                          WHERE a.owner_id = o.id AND a.from_at <= moment.at AND a.until_at > moment.at
                          ORDER BY a.until_at DESC LIMIT 1) away ON true
     ORDER BY o.id
"""

#: Days of long ago change nothing any more; a shift of the day before yesterday has ended in every zone.
_CALENDARS: Final = """
    SELECT c.id, c.zone, c.country, c.week, c.is_default,
           (SELECT coalesce(json_agg(json_build_array(x.day, x.kind, x.hours)), '[]') FROM
               (SELECT DISTINCT ON (s.day) s.day, s.kind, s.hours FROM calendar_day s
                 WHERE (s.calendar_id = c.id OR s.calendar_id IS NULL) AND s.day >= CAST(%(since)s AS date) - 2
                 ORDER BY s.day, s.calendar_id NULLS LAST) x) AS days
      FROM calendar c
"""


def load_availability(where: psycopg.Cursor[Any] | Connection, now: datetime | None = None) -> dict[int, Availability]:
    """Everybody, also the inactive, by id. `where` is a psycopg cursor with rows as dictionaries or an SQLAlchemy connection; `now`
    (aware) is the moment that is meant, the transaction's own by default."""
    if isinstance(where, Connection):
        driver = where.connection.dbapi_connection  # also of a detached connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor(row_factory=dict_row) as cursor:
            return load_availability(cursor, now)
    where.execute(_OWNERS, {"now": now})
    rows = where.fetchall()
    calendars: dict[int, Calendar] = {}
    default: Calendar | None = None
    if any(row["calendar_id"] is not None or row["week"] is not None for row in rows):
        where.execute(_CALENDARS, {"since": rows[0]["at"]})
        for row in where.fetchall():
            calendars[row["id"]] = calendar = calendar_of(row)
            default = calendar if row["is_default"] else default
    shifts: dict[object, tuple[bool, datetime | None]] = {}
    found = {}
    for row in rows:
        own = owner_calendar(row["zone"], row["week"], calendars.get(row["calendar_id"]), default)
        # Whoever shares a calendar shares the answer.
        key = (row["calendar_id"], row["zone"], None if row["week"] is None else row["id"])
        if key not in shifts:
            shifts[key] = (True, None) if own is None else _shift_now(own, row["at"])
        on_shift, next_on_shift = shifts[key]
        found[row["id"]] = Availability(
            row["id"], row["name"], row["extension"], row["active"], row["duty"], row["team_id"], row["absent_until"],
            row["deputy_id"], row["paused_until"], on_shift, next_on_shift, tuple(row["languages"]), tuple(row["skills"]),
            tuple(row["regions"]), row["max_open"], row["open_leads"], row["max_per_day"], row["given_today"], own,
        )  # fmt: skip
    return found


def calendar_of(row: Mapping[str, Any]) -> Calendar:
    """`row`: zone, country, week as stored, days as [[day, kind, hours or null], …]."""
    special = {
        date.fromisoformat(day): SpecialDay(kind, None if hours is None else read_hours(hours))
        for day, kind, hours in row["days"]
    }
    return Calendar(ZoneInfo(row["zone"]), read_week(row["week"]), special, row["country"])


def owner_calendar(
    zone: str, week: Mapping[str, Any] | None, chosen: Calendar | None, default: Calendar | None
) -> Calendar | None:
    """The calendar by which somebody works: the chosen one in their own zone and with their own hours, if they have any. Hours
    without a calendar take holidays and special days from the default one. None: no hours were set."""
    if chosen is None and week is None:
        return None
    base = chosen or default
    own_zone = ZoneInfo(zone) if zone else base.zone if base else ZoneInfo("UTC")
    if base is None:
        assert week is not None
        return Calendar(own_zone, read_week(week))
    return Calendar(own_zone, base.week if week is None else read_week(week), base.special, base.country)


def _shift_now(calendar: Calendar, now: datetime) -> tuple[bool, datetime | None]:
    if is_working(calendar, now):
        return True, None
    try:
        return False, next_working(calendar, now)
    except NoWorkingTimeError:
        return False, None
