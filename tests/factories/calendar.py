"""A calendar of an office in Moscow, and special days."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from factories.rows import AnyConnection, insert

WEEK = json.dumps({day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")})


def make_calendar(connection: AnyConnection, name: str = "Office", **values: Any) -> int:
    """With Russia's holidays; not the default one, unless `is_default` says so."""
    return insert(connection, "calendar", **{"name": name, "zone": "Europe/Moscow", "country": "RU", "week": WEEK} | values)


def make_day(connection: AnyConnection, day: str, kind: str, calendar_id: int | None = None, hours: Any = None) -> int:
    """Of all calendars, if none is named."""
    return insert(
        connection, "calendar_day", calendar_id=calendar_id, day=date.fromisoformat(day), kind=kind,
        hours=None if hours is None else json.dumps(hours),
    )  # fmt: skip
