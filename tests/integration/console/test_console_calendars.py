"""Working calendars on their page: made, changed, removed, with special days, and how the next fortnight looks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from conftest import Hub

_OFFICE = {"name": "Офис <1>", "zone": "Asia/Yekaterinburg", "country": "", "hours": "mon-sun 09:00-13:00 14:00-18:00"}


@pytest.mark.parametrize(
    ("locale", "added", "shorter"),
    [("en", "The calendar was added.", "an hour shorter"), ("ru", "Календарь добавлен.", "короче на час")],
)
def test_calendar_is_made_with_its_days_and_shows_its_fortnight(hub: Hub, locale: str, added: str, shorter: str) -> None:
    admin = hub.signed_in("admin")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    done = admin.post("/console/calendars", **_OFFICE)
    assert done.status_code == 303
    page = admin.get(done.headers["location"]).text
    assert added in page
    assert "Офис &lt;1&gt;" in page
    [(calendar,)] = hub.rows("SELECT id FROM calendar WHERE is_default")
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Yekaterinburg")).date()
    tomorrow, later = today + timedelta(days=1), today + timedelta(days=2)
    assert (
        admin.post(f"/console/calendars/{calendar}/days", days=f"{tomorrow} short <b>\n{later} work 22:00-02:00").status_code
        == 303
    )
    page = admin.get("/console/calendars").text
    rows = dict(re.findall(r'<th scope="row" class="nowrap">\S+ (\S+)</th><td>([^<]*)</td>', page))
    assert len(rows) == 14
    assert (rows[str(tomorrow)], rows[str(later)]) == ("09:00-13:00 14:00-17:00", "22:00-02:00")
    assert shorter in page
    assert "&lt;b&gt;" in page
    assert admin.post(f"/console/calendars/{calendar}/days/usual", day=str(tomorrow)).status_code == 303
    assert [str(day) for (day,) in hub.rows("SELECT day FROM calendar_day")] == [str(later)]
    assert admin.post("/console/calendar-days", days=f"{tomorrow} off").status_code == 303
    rows = dict(
        re.findall(r'<th scope="row" class="nowrap">\S+ (\S+)</th><td>([^<]*)</td>', admin.get("/console/calendars").text)
    )
    assert re.match("free|выходной", rows[str(tomorrow)])
    assert admin.post("/console/calendar-days/usual", day=str(tomorrow)).status_code == 303


def test_what_is_refused_is_shown_as_it_was_typed(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    for fields, code in (
        ({**_OFFICE, "zone": "Europe/Ufa"}, "zone_unknown"), ({**_OFFICE, "hours": "mon 25:00-26:00"}, "week_unreadable"),
        ({**_OFFICE, "name": " "}, "name_missing"), ({**_OFFICE, "country": "XX"}, "country_unknown"),
    ):  # fmt: skip
        answer = admin.post("/console/calendars", **fields)
        assert (answer.status_code, f'data-code="{code}"' in answer.text) == (422, True), code
        assert fields["zone"] in answer.text
    answer = admin.post("/console/calendar-days", days="tomorrow off")
    assert (answer.status_code, "tomorrow off" in answer.text) == (422, True)
    assert hub.rows("SELECT 1 FROM calendar UNION ALL SELECT 1 FROM calendar_day") == []


def test_calendar_in_use_stays_and_a_seller_changes_nothing(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.post("/console/calendars", **_OFFICE)
    admin.post("/console/calendars", **{**_OFFICE, "name": "Night", "hours": "mon 22:00-06:00"})
    [(night,)] = hub.rows("SELECT id FROM calendar WHERE name = 'Night'")
    hub.rows("UPDATE owner SET calendar_id = :id WHERE id = (SELECT min(id) FROM owner) RETURNING id", id=night)
    answer = admin.post(f"/console/calendars/{night}/remove")
    assert (answer.status_code, 'data-code="calendar_in_use"' in answer.text) == (409, True)
    assert admin.post(f"/console/calendars/{night}", name="Night", default="1", hours="mon-sun 22:00-06:00").status_code == 303
    assert hub.rows("SELECT name FROM calendar WHERE is_default") == [("Night",)]
    manager = hub.signed_in("manager")
    assert manager.post(f"/console/calendars/{night}", name="Mine").status_code == 403
    assert 'action="/console/calendars' not in manager.get("/console/calendars").text
