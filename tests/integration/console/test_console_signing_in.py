"""Signing in by password and by link, signing out, and how a session ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crm_core import access

if TYPE_CHECKING:
    from conftest import Hub


def _link(hub: Hub, role: str = "admin", minutes: float = 15) -> str:
    with hub.engine.begin() as connection:
        return access.sign_in_link(connection, hub.user_ids[role], datetime.now(UTC), minutes)


def test_right_password_opens_the_console(hub: Hub) -> None:
    visitor = hub.new_visitor()
    visitor.get("/console/sign-in?next=/console/ledger?source=1")
    answer = visitor.post(
        "/console/sign-in", login=" Admin@Example.com ", password="correct horse battery", next="/console/ledger"
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/ledger")
    assert visitor.get("/console/ledger").status_code == 200
    assert hub.rows("SELECT action, data->>'by' FROM audit_entry WHERE action = 'session.begin'") == [
        ("session.begin", "password")
    ]


def test_wrong_password_and_unknown_login_look_the_same(hub: Hub) -> None:
    answers = []
    for login in ("admin@example.com", "nobody@example.com"):
        visitor = hub.new_visitor()
        visitor.get("/console/sign-in")
        answer = visitor.post("/console/sign-in", login=login, password="guess")
        assert answer.status_code == 403
        answers.append(re.sub("[0-9a-f]{128}", "", answer.text.replace(login, "")))
    assert answers[0] == answers[1]
    assert "guess" not in answers[0]


def test_target_on_another_host_is_not_followed(hub: Hub) -> None:
    visitor = hub.new_visitor()
    visitor.get("/console/sign-in")
    answer = visitor.post(
        "/console/sign-in", login="admin@example.com", password="correct horse battery", next="//evil.example/console/"
    )
    assert answer.headers["Location"] == "/console/"


def test_looking_at_a_link_does_not_burn_it(hub: Hub) -> None:
    token = _link(hub)
    for _ in range(3):
        assert hub.new_visitor().get(f"/console/sign-in/{token}").status_code == 200
    visitor = hub.new_visitor()
    visitor.get(f"/console/sign-in/{token}")
    assert visitor.post(f"/console/sign-in/{token}").status_code == 303
    assert visitor.get("/console/leads").status_code == 200


def test_link_works_once(hub: Hub) -> None:
    token = _link(hub)
    first, second = hub.new_visitor(), hub.new_visitor()
    for visitor, status in ((first, 303), (second, 403)):
        visitor.get(f"/console/sign-in/{token}")
        assert visitor.post(f"/console/sign-in/{token}").status_code == status
    assert second.get("/console/leads").status_code == 303


def test_old_or_invented_link_says_what_to_do(hub: Hub) -> None:
    for token in (_link(hub, minutes=-1), "invented"):
        visitor = hub.new_visitor()
        visitor.get(f"/console/sign-in/{token}")
        answer = visitor.post(f"/console/sign-in/{token}")
        assert answer.status_code == 403
        assert "ask for a new link" in answer.text


def test_cookie_is_closed_to_scripts_and_other_sites(hub: Hub) -> None:
    visitor = hub.new_visitor()
    cookie = visitor.get("/console/sign-in").headers["Set-Cookie"]
    assert cookie.startswith(f"leadhub_{hub.config.port}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # plain http on this machine


def test_cookie_changes_when_somebody_signs_in(hub: Hub) -> None:
    visitor = hub.new_visitor()
    before = visitor.get("/console/sign-in").headers["Set-Cookie"]
    after = visitor.post("/console/sign-in", login="admin@example.com", password="correct horse battery").headers["Set-Cookie"]
    assert before.split(";")[0].split(".")[0] != after.split(";")[0].split(".")[0]


def test_signing_out_closes_the_console(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert admin.post("/console/sign-out").status_code == 303
    assert admin.get("/console/leads").status_code == 303


def test_ended_sessions_are_over_at_once(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    with hub.engine.begin() as connection:
        access.end_sessions(connection, hub.user_ids["admin"])
    assert admin.get("/console/leads").status_code == 303


def test_deactivated_user_is_out_at_once(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    hub.rows("UPDATE app_user SET active = false WHERE role = 'admin' RETURNING id")
    assert admin.get("/console/leads").status_code == 303


def test_language_is_remembered_with_the_user(hub: Hub) -> None:
    first = hub.signed_in("admin")
    assert 'lang="en"' in first.get("/console/leads").text
    answer = first.post("/console/language", locale="ru", next="/console/leads?state=open")
    assert answer.headers["Location"] == "/console/leads?state=open"
    assert "Лиды" in first.get("/console/leads").text
    elsewhere = hub.signed_in("admin")
    assert 'lang="ru"' in elsewhere.get("/console/leads").text


def test_language_can_be_chosen_before_signing_in(hub: Hub) -> None:
    visitor = hub.new_visitor()
    visitor.get("/console/sign-in")
    visitor.post("/console/language", locale="ru", next="/console/sign-in")
    assert "Вход" in visitor.get("/console/sign-in").text
    assert "Логин" in hub.new_visitor().get("/console/sign-in", headers={"Accept-Language": "ru"}).text


def test_unknown_language_is_refused(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert admin.post("/console/language", locale="../en").status_code == 422
