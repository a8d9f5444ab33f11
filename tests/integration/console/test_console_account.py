"""My account: a password after the first link, the browsers that are signed in, and sessions that end on the server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from crm_core import access
from crm_core.access import HUB, sessions

if TYPE_CHECKING:
    from conftest import Hub, Visitor

PASSWORD = "correct horse battery"
NEW = "nine blue umbrellas"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _by_password(hub: Hub, password: str = PASSWORD, **headers: str) -> Visitor:
    visitor = hub.new_visitor()
    visitor.get("/console/sign-in")
    answer = visitor.client.post(
        "/console/sign-in",
        data={"form_token": visitor.token, "login": "admin@example.com", "password": password},
        headers=headers,
    )
    assert answer.status_code == 303
    visitor.get("/console/account")
    return visitor


def _copy(hub: Hub, visitor: Visitor) -> Visitor:
    """Somebody who has the same cookies."""
    thief = hub.new_visitor()
    name = f"leadhub_{hub.config.port}"
    cookie = visitor.client.get_cookie(name)
    assert cookie is not None
    thief.client.set_cookie(name, cookie.value)
    return thief


@pytest.mark.parametrize("way", ["sign-out", "account/sign-out", "account/password"])
def test_copied_cookie_is_worth_nothing_when_its_session_has_ended(hub: Hub, way: str) -> None:
    admin = _by_password(hub)
    thief = _copy(hub, admin)
    assert thief.get("/console/leads").status_code == 200
    assert admin.post(f"/console/{way}", old=PASSWORD, password=NEW, again=NEW).status_code == 303
    assert thief.get("/console/leads").status_code == 303


def test_link_without_password_leads_to_choosing_one(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        link = access.sign_in_link(connection, hub.user_ids["ops"], datetime.now(UTC))
    ops = hub.new_visitor()
    ops.get(f"/console/sign-in/{link}")
    assert ops.post(f"/console/sign-in/{link}").headers["Location"] == "/console/account/first-password"
    assert ops.get("/console/leads").status_code == 200  # later is a way too
    assert "Choose a password" in ops.get("/console/account/first-password").text
    assert "differ" in ops.post("/console/account/first-password", password=NEW, again=PASSWORD).text
    assert ops.post("/console/account/first-password", password="short", again="short").status_code == 422
    assert ops.post("/console/account/first-password", password=NEW, again=NEW).status_code == 303
    assert ops.get("/console/leads").status_code == 200
    # Once there is one, nobody who finds the page open sets another without it.
    assert ops.get("/console/account/first-password").headers["Location"] == "/console/account"
    ops.get("/console/account")
    ops.post("/console/account/first-password", password=PASSWORD, again=PASSWORD)
    assert access.check_password(hub.engine, access.Attempt("ops@example.com", NEW), datetime.now(UTC)) is not None


def test_old_password_is_asked_for_and_guessing_it_waits(hub: Hub) -> None:
    admin, elsewhere = _by_password(hub), hub.signed_in("admin")
    answer = admin.post("/console/account/password", old="a wrong one", password=NEW, again=NEW)
    assert answer.status_code == 422
    assert "another one" in answer.text
    statuses = [
        admin.post("/console/account/password", old="a wrong one", password=NEW, again=NEW).status_code for _ in range(40)
    ]
    assert 422 in statuses
    assert 429 in statuses
    assert elsewhere.get("/console/leads").status_code == 200
    hub.rows("DELETE FROM sign_in_bucket RETURNING 1")
    assert admin.post("/console/account/password", old=PASSWORD, password=NEW, again=NEW).status_code == 303
    assert admin.get("/console/account").status_code == 200
    assert elsewhere.get("/console/leads").status_code == 303
    assert hub.rows("SELECT count(*) FROM audit_entry WHERE action = 'user.password'") == [(1,)]


def test_whoever_forgot_the_password_sets_another_by_a_link(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert "Present password" not in admin.get("/console/account").text
    assert admin.post("/console/account/password", password=NEW, again=NEW).status_code == 303
    assert "Present password" in admin.get("/console/account").text


def test_one_browser_is_signed_out_from_another(hub: Hub) -> None:
    mine = _by_password(hub)
    other = _by_password(hub, **{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    page = mine.get("/console/account").text
    assert "Firefox, Linux" in page
    assert page.count("this one") == 1
    [session_id] = re.findall(r"/account/sessions/(\d+)/end", page)
    stranger = hub.signed_in("ops")
    stranger.get("/console/account")
    stranger.post(f"/console/account/sessions/{session_id}/end")
    assert other.get("/console/leads").status_code == 200
    assert mine.post(f"/console/account/sessions/{session_id}/end").status_code == 303
    assert other.get("/console/leads").status_code == 303
    assert mine.get("/console/leads").status_code == 200


def test_session_ends_when_idle_and_when_old(engine: Engine) -> None:
    with engine.begin() as connection:
        user_id = access.add_user(connection, HUB, "anna@example.com", "Anna", "head")
        access.renew_session(connection, user_id, "idle", "link", "", NOW)
        assert access.find_session(connection, "idle", NOW + sessions.IDLE - timedelta(seconds=1)) is not None
        assert access.find_session(connection, "idle", NOW + 2 * sessions.IDLE) is None
        access.renew_session(connection, user_id, "busy", "link", "", NOW)
        at = NOW
        while at < NOW + sessions.ABSOLUTE:
            assert access.find_session(connection, "busy", at) is not None
            at += sessions.IDLE / 2
        assert access.find_session(connection, "busy", at) is None


def test_use_is_noted_at_most_once_a_minute_and_sessions_are_few(engine: Engine) -> None:
    with engine.begin() as connection:
        user_id = access.add_user(connection, HUB, "anna@example.com", "Anna", "head")
        access.renew_session(connection, user_id, "0", "link", "", NOW)
        for seconds, noted in ((0, 0), (59, 0), (60, 60), (119, 60), (120, 120)):
            access.find_session(connection, "0", NOW + timedelta(seconds=seconds))
            [row] = access.list_sessions(connection, user_id, NOW)
            assert row.last_seen_at == NOW + timedelta(seconds=noted)
        for number in range(1, 40):
            access.renew_session(connection, user_id, str(number), "link", "", NOW + timedelta(minutes=number))
        assert len(access.list_sessions(connection, user_id, NOW)) == 20
        assert access.find_session(connection, "0", NOW + timedelta(minutes=40)) is None


def test_signing_in_again_ends_the_session_before(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    thief = _copy(hub, admin)
    with hub.engine.begin() as connection:
        link = access.sign_in_link(connection, hub.user_ids["head"], datetime.now(UTC))
    admin.get(f"/console/sign-in/{link}")
    assert admin.post(f"/console/sign-in/{link}").status_code == 303
    assert thief.get("/console/leads").status_code == 303
