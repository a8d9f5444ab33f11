"""Commands over calendars and special days."""

from __future__ import annotations

from datetime import date
from typing import Any

from door_frame import Case, Inputs, Row, in_transaction

from crm_core.calendars import commands
from crm_core.calendars.rules import DayInput, read_days_text
from crm_core.calendars.weeks import hours_json, read_week_text, week_json

_OFFICE = "INSERT INTO calendar (id, name, zone, week, created_at, is_default) OVERRIDING SYSTEM VALUE VALUES (71, 'Office', 'Europe/Moscow',"
_OFFICE += ' \'{"mon": [["09:00", "18:00"]]}\', \'2026-11-01T00:00:00Z\', true)'
_NIGHT = "INSERT INTO calendar (id, name, zone, week, created_at) OVERRIDING SYSTEM VALUE VALUES (72, 'Night', 'Europe/Moscow',"
_NIGHT += ' \'{"mon": [["22:00", "06:00"]]}\', \'2026-11-01T00:00:00Z\')'
_BORIS_AT_NIGHT = "UPDATE owner SET calendar_id = 72 WHERE id = :boris"
_A_DAY = "INSERT INTO calendar_day (calendar_id, day, kind) VALUES ({of}, '2026-04-30', 'short')"
_UNKNOWN = Case("unknown", {"calendar": 999999}, "calendar_unknown")
_HOURS = "mon-fri 09:00-18:00"


def _week(hours: str) -> dict[str, Any]:
    return week_json(read_week_text(hours))


def _changes(i: Inputs) -> dict[str, Any]:
    changes = {name: i[name] for name in ("name", "zone", "country", "default") if name in i}
    return changes | ({"week": _week(i["hours"])} if "hours" in i else {})


def _changing_arguments(i: Inputs) -> list[str]:
    named = [word for name in ("name", "zone", "country", "hours") if name in i for word in (f"--{name}", i[name])]
    return [*named, *(["--default"] if i.get("default") else [])]


def _days(i: Inputs) -> list[DayInput]:
    return read_days_text(i["days"])


def _days_body(i: Inputs) -> dict[str, Any]:
    return {
        "days": [
            {"day": one.day.isoformat(), "kind": one.kind, "note": one.note,
             "hours": None if one.hours is None else hours_json(one.hours)}
            for one in _days(i)
        ]
    }  # fmt: skip


def _of(i: Inputs) -> int | None:
    found: int | None = i.get("calendar", 72)
    return found


def _days_path(i: Inputs) -> str:
    return "/calendar-days" if _of(i) is None else f"/calendars/{_of(i)}/days"


def _option(i: Inputs) -> list[str]:
    return [] if _of(i) is None else ["--calendar", str(_of(i))]


ROWS = (
    Row(
        commands.add_calendar,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.add_calendar(
                connection, principal, i["name"], i["zone"], _week(i["hours"]), i["country"]
            )
        ),
        api=lambda i: (
            "POST", "/calendars", {"name": i["name"], "zone": i["zone"], "country": i["country"], "week": _week(i["hours"])},
        ),
        console=lambda i: ("/calendars", {"name": i["name"], "zone": i["zone"], "country": i["country"], "hours": i["hours"]}),
        cli=lambda i: (
            "calendar", "add", i["name"], "--zone", i["zone"], "--country", i["country"], "--hours", i["hours"],
        ),
        again="name_taken",
        cases=(
            Case("the first one", {"name": "Office", "zone": "Europe/Moscow", "country": "RU", "hours": _HOURS}),
            Case("a second one, by a head", {"name": "Night", "zone": "Europe/Berlin", "country": "de-by", "hours": "mon 22:00-06:00"},
                 role="head", before=(_OFFICE,)),
            Case("a name that is taken", {"name": "Office", "zone": "Europe/Moscow", "country": "", "hours": _HOURS}, "name_taken",
                 before=(_OFFICE,)),
            Case("a zone that is none", {"name": "Office", "zone": "Europe/Ufa", "country": "", "hours": _HOURS}, "zone_unknown"),
            Case("a country without holidays", {"name": "Office", "zone": "Europe/Moscow", "country": "XX", "hours": _HOURS},
                 "country_unknown"),
        ),
    ),
    Row(
        commands.change_calendar,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.change_calendar(connection, principal, i.get("calendar", 72), _changes(i))
        ),
        api=lambda i: ("PATCH", f"/calendars/{i.get('calendar', 72)}", _changes(i)),
        console=lambda i: (f"/calendars/{i.get('calendar', 72)}",
                           {name: i[name] for name in ("name", "zone", "country", "hours") if name in i} | ({"default": "1"} if i.get("default") else {})),
        cli=lambda i: ("calendar", "change", str(i.get("calendar", 72)), *_changing_arguments(i)),
        again="idle",
        cases=(
            Case("other hours", {"hours": "mon-sun 20:00-08:00"}, before=(_OFFICE, _NIGHT)),
            Case("the default one instead", {"default": True}, before=(_OFFICE, _NIGHT)),
            Case("everything", {"name": "South", "zone": "Asia/Almaty", "country": "KZ"}, before=(_OFFICE, _NIGHT)),
            Case("a name that is taken", {"name": "Office"}, "name_taken", before=(_OFFICE, _NIGHT)),
            Case("no default one at all", {"calendar": 71, "default": False}, "default_calendar_needed", before=(_OFFICE, _NIGHT),
                 doors=frozenset({"domain", "api"})),
            Case("nothing else than it was", {"name": "Night"}, before=(_NIGHT,), idle=True),
            _UNKNOWN,
        ),
    ),
    Row(
        commands.remove_calendar,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.remove_calendar(connection, principal, i.get("calendar", 72))
        ),
        api=lambda i: ("DELETE", f"/calendars/{i.get('calendar', 72)}", None),
        console=lambda i: (f"/calendars/{i.get('calendar', 72)}/remove", {}),
        cli=lambda i: ("calendar", "remove", str(i.get("calendar", 72))),
        again="calendar_unknown",
        cases=(
            Case("with its days", before=(_OFFICE, _NIGHT, _A_DAY.format(of=72))),
            Case("the last one", {"calendar": 71}, before=(_OFFICE,)),
            Case("somebody works by it", {}, "calendar_in_use", before=(_OFFICE, _NIGHT, _BORIS_AT_NIGHT)),
            Case("the default one of two", {"calendar": 71}, "default_calendar_needed", before=(_OFFICE, _NIGHT)),
            _UNKNOWN,
        ),
    ),
    Row(
        commands.put_days,
        "owners.write",
        in_transaction(lambda connection, _hub, principal, i: commands.put_days(connection, principal, _of(i), _days(i))),
        api=lambda i: ("PUT", _days_path(i), _days_body(i)),
        console=lambda i: (_days_path(i), {"days": i["days"]}),
        cli=lambda i: ("calendar", "days", *i["days"].splitlines(), *_option(i)),
        again="idle",
        cases=(
            Case("days of a calendar", {"days": "2026-04-30 short\n2026-03-20 off Nowruz\n2026-11-28 work 10:00-14:00"},
                 before=(_NIGHT,)),
            Case("days of all", {"calendar": None, "days": "2026-04-30 short\n30.12.2026 short"}),
            Case("one that was another", {"days": "2026-04-30 off"}, before=(_NIGHT, _A_DAY.format(of=72))),
            Case("one that is so", {"days": "2026-04-30 short"}, before=(_NIGHT, _A_DAY.format(of=72)), idle=True),
            Case("a day twice", {"days": "2026-04-30 short\n2026-04-30 off"}, "day_twice", before=(_NIGHT,)),
            Case("hours on a free day", {"days": "2026-04-30 off 10:00-12:00"}, "day_unreadable", before=(_NIGHT,)),
            Case("of a calendar unknown", {"calendar": 999999, "days": "2026-04-30 short"}, "calendar_unknown"),
        ),
    ),
    Row(
        commands.remove_days,
        "owners.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.remove_days(
                connection, principal, _of(i), [date.fromisoformat(i.get("day", "2026-04-30"))]
            )
        ),
        api=lambda i: ("DELETE", f"{_days_path(i)}/{i.get('day', '2026-04-30')}", None),
        console=lambda i: (f"{_days_path(i)}/usual", {"day": i.get("day", "2026-04-30")}),
        cli=lambda i: ("calendar", "usual", i.get("day", "2026-04-30"), *_option(i)),
        again="day_unknown",
        cases=(
            Case("of a calendar", before=(_NIGHT, _A_DAY.format(of=72))),
            Case("of all", {"calendar": None}, before=(_A_DAY.format(of="NULL"),)),
            Case("one of all, asked of a calendar", {}, "day_unknown", before=(_NIGHT, _A_DAY.format(of="NULL"))),
            _UNKNOWN,
        ),
    ),
)  # fmt: skip
