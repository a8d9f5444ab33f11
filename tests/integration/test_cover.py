"""A client stays with their owner whatever happens meanwhile: cover holds the lead, never the client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from desk import Desk
from sqlalchemy import Engine, text

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.absences import set_absent, set_present
from crm_core.people.commands import put_member

MOBILE = "+79213334455"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def away(desk: Desk, name: str, deputy: str = "") -> None:
    now = datetime.now(UTC)
    with desk.engine.begin() as connection:
        set_absent(connection, HUB, desk.owners[name], now + timedelta(days=3), now, deputy_id=desk.owners.get(deputy))


def back(desk: Desk, name: str) -> None:
    with desk.engine.begin() as connection:
        set_present(connection, HUB, desk.owners[name], datetime.now(UTC) + timedelta(milliseconds=5))


def comes(desk: Desk, phone: str = MOBILE, name: str = "Ирина Соколова") -> tuple[str, str, str]:
    """Another occasion of theirs: (owner, kind, code) of the decision about its lead."""
    desk.connection.execute("UPDATE lead SET state = 'won', closed_at = now() WHERE state = 'open'")
    uid = desk.form(name=name, phone=phone)
    desk.drain()
    (row,) = desk.rows("SELECT a.* FROM assignment a WHERE lead_id = %s ORDER BY id DESC LIMIT 1", desk.event(uid)["lead_id"])
    names = {owner_id: name for name, owner_id in desk.owners.items()}
    return names.get(row["owner_id"], ""), row["kind"], row["trace"]["code"]


def client_of(desk: Desk) -> str:
    owner_id = desk.one("SELECT owner_id FROM contact")
    return next((name for name, known in desk.owners.items() if known == owner_id), "")


def test_client_comes_back_to_their_owner_after_any_number_of_covered_leads(desk: Desk) -> None:
    own, _, _ = comes(desk)
    away(desk, own)
    second = comes(desk)
    assert second[0] != own
    assert second[1:] == ("cover", "covers_for_absent_owner")
    assert comes(desk) == second, "whoever covers goes on covering"
    assert client_of(desk) == own
    back(desk, own)
    for _ in range(2):
        assert comes(desk) == (own, "sticky", "owner_of_the_contact")
    assert client_of(desk) == own


def test_deputy_covers_before_the_pool(desk: Desk) -> None:
    own, _, _ = comes(desk)
    deputy = next(name for name in ("Vera", "Boris") if name != own)
    with desk.engine.begin() as connection:  # a pool that would give the lead to somebody else
        put_member(connection, HUB, desk.one("SELECT id FROM pool"), desk.owners[deputy], weight=0)
    away(desk, own, deputy)
    assert comes(desk) == (deputy, "cover", "deputy_covers")
    back(desk, own)
    assert comes(desk)[0] == own


def test_pool_covers_where_the_deputy_is_away_as_well(desk: Desk) -> None:
    own, _, _ = comes(desk)
    deputy, third = (name for name in desk.owners if name != own)
    away(desk, own, deputy)
    away(desk, deputy)
    assert comes(desk) == (third, "cover", "covers_for_absent_owner")
    assert client_of(desk) == own


def test_client_of_who_left_gets_an_owner_at_once_and_for_good(desk: Desk) -> None:
    own, _, _ = comes(desk)
    with desk.engine.begin() as connection:
        # As on a hub of before, where somebody with clients could be retired.
        connection.execute(text("UPDATE owner SET active = false WHERE id = :id"), {"id": desk.owners[own]})
    new, kind, _ = comes(desk)
    assert new not in ("", own)
    assert kind in ("pool", "sticky")
    assert client_of(desk) == new


def test_limit_skips_in_the_pool_and_never_with_their_own_client(desk: Desk) -> None:
    own, _, _ = comes(desk)
    desk.connection.execute("UPDATE owner SET max_per_day = 1 WHERE id = %s", (desk.owners[own],))
    assert comes(desk) == (own, "sticky", "owner_of_the_contact")
    for n in range(4):
        assert comes(desk, f"+7916222334{n}", f"Пётр {'АБВГ'[n]}лов")[0] != own


def test_client_waits_for_a_shift_that_begins_soon_and_is_covered_before_a_later_one(desk: Desk) -> None:
    own, _, _ = comes(desk)
    soon = datetime.now(UTC) + timedelta(minutes=30)
    later = datetime.now(UTC) + timedelta(hours=5)
    for begins, expected in ((soon, (own, "sticky", "waits_for_shift")), (later, "cover")):
        end = begins + timedelta(minutes=5)
        hours = [[begins.strftime("%H:%M"), end.strftime("%H:%M")]]
        if end.strftime("%H:%M") < begins.strftime("%H:%M"):
            hours = [[begins.strftime("%H:%M"), f"{end.hour + 24:02}:{end.minute:02}"]]
        week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), hours)
        desk.connection.execute("UPDATE owner SET zone = 'UTC', week = %s::jsonb WHERE id = %s", (_json(week), desk.owners[own]))
        found = comes(desk)
        assert (found if isinstance(expected, tuple) else found[1]) == expected
    assert client_of(desk) == own


def _json(value: object) -> str:
    import orjson

    return orjson.dumps(value).decode()


def test_wife_with_her_husbands_number_goes_to_his_owner_and_the_trace_says_why(desk: Desk) -> None:
    own, _, _ = comes(desk, MOBILE, "Иван Соколов")
    for n in range(3):  # the pool's turn moves on
        comes(desk, f"+7916222334{n}", f"Пётр {'АБВГ'[n]}лов")
    assert comes(desk, MOBILE, "Мария Соколова") == (own, "sticky", "shares_a_number")
    trace = desk.one("SELECT trace FROM assignment ORDER BY id DESC LIMIT 1")
    husband = desk.one("SELECT id FROM contact WHERE name = 'Иван Соколов'")
    assert trace["shares_with"] == str(husband)
    assert {one["verdict"] for one in trace["candidates"]} == {"not_asked"}, "who else was there"
