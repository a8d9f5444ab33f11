"""Users and tokens on their pages, and cutting somebody off: what was open a moment ago is closed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from principals import OPERATOR, user

from crm_core import access
from crm_core.access import HUB, Principal

if TYPE_CHECKING:
    from conftest import Hub, Visitor


def _opens(visitor: Visitor) -> bool:
    return visitor.get("/console/leads").status_code == 200


def _api(hub: Hub, token: str) -> int:
    answer = hub.new_visitor().client.get("/api/v1/leads", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


def _token(hub: Hub, **more: object) -> str:
    with hub.engine.begin() as connection:
        return access.add_token(connection, HUB, "manager", "Phone app", hub.owner_id, **more)[1]  # type: ignore[arg-type]


def _link(hub: Hub, role: str) -> str:
    with hub.engine.begin() as connection:
        return access.sign_in_link(connection, hub.user_ids[role], datetime.now(UTC))


def _set_password(hub: Hub, role: str) -> None:
    hashed = access.hash_password("correct horse battery")
    with hub.engine.begin() as connection:
        access.set_password(connection, OPERATOR, hub.user_ids[role], hashed)


def _password_opens(hub: Hub, role: str) -> bool:
    visitor = hub.new_visitor()
    visitor.get("/console/sign-in")
    return visitor.post("/console/sign-in", login=f"{role}@example.com", password="correct horse battery").status_code == 303


@pytest.mark.parametrize("way", ["disable", "retire by the console", "retire by the API", "retire by a change"])
def test_whoever_is_cut_off_is_out_at_once_by_every_way_in(hub: Hub, way: str) -> None:
    _set_password(hub, "manager")
    manager, token, link = hub.signed_in("manager"), _token(hub), _link(hub, "manager")
    assert _opens(manager)
    assert _api(hub, token) == 200
    assert _password_opens(hub, "manager")

    if way == "disable":
        admin = hub.signed_in("admin")
        answer = admin.post(f"/console/users/{hub.user_ids['manager']}/active", active="no")
    elif way == "retire by the console":
        answer = hub.signed_in("head").post(f"/console/owners/{hub.owner_id}/active", active="no")
    else:
        with hub.engine.begin() as connection:
            key = access.add_token(connection, HUB, "admin", "Admin")[1]
        method, body = ("DELETE", None) if way == "retire by the API" else ("PATCH", {"active": False})
        answer = hub.new_visitor().client.open(
            f"/api/v1/owners/{hub.owner_id}", method=method, json=body, headers={"Authorization": f"Bearer {key}"}
        )
    assert answer.status_code < 400

    assert not _opens(manager)
    assert _api(hub, token) == 401
    assert not _password_opens(hub, "manager")
    visitor = hub.new_visitor()
    visitor.get(f"/console/sign-in/{link}")
    assert visitor.post(f"/console/sign-in/{link}").status_code == 403
    assert {action for (action,) in hub.rows("SELECT action FROM audit_entry WHERE actor <> 'hub'")} >= {
        "user.disable", "token.revoke",
    }  # fmt: skip


def test_coming_back_needs_the_user_enabled_and_new_tokens(hub: Hub) -> None:
    token, head, admin = _token(hub), hub.signed_in("head"), hub.signed_in("admin")
    head.post(f"/console/owners/{hub.owner_id}/active", active="no")
    refused = admin.post(f"/console/users/{hub.user_ids['manager']}/active", active="yes")
    assert refused.status_code == 409
    assert "Activate the owner first" in refused.text
    head.post(f"/console/owners/{hub.owner_id}/active", active="yes")
    assert admin.post(f"/console/users/{hub.user_ids['manager']}/active", active="yes").status_code == 303
    assert _opens(hub.signed_in("manager"))
    assert _api(hub, token) == 401


def test_a_disabled_administrator_s_own_tokens_and_what_they_made_are_revoked(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        second = access.add_user(connection, HUB, "second@example.com", "", "admin")
        made_id, made = access.add_token(connection, user(second), "admin", "Reports")
        _, in_turn = access.add_token(connection, Principal("token", made_id, "Reports", "admin"), "admin", "Back door")
        _, anothers = access.add_token(connection, OPERATOR, "admin", "Website")
    assert [_api(hub, token) for token in (made, in_turn, anothers)] == [200, 200, 200]
    hub.signed_in("admin").post(f"/console/users/{second}/active", active="no")
    assert [_api(hub, token) for token in (made, in_turn, anothers)] == [401, 401, 200]


@pytest.mark.parametrize("deed", ["disable", "role"])
def test_the_last_administrator_stays(hub: Hub, deed: str) -> None:
    admin = hub.signed_in("admin")
    path = f"/console/users/{hub.user_ids['admin']}"
    answer = admin.post(f"{path}/active", active="no") if deed == "disable" else admin.post(path, role="head")
    assert answer.status_code == 409
    assert "last administrator" in answer.text
    assert _opens(admin)


def test_the_owner_of_the_last_administrator_cannot_be_retired(hub: Hub) -> None:
    hub.rows("UPDATE app_user SET owner_id = :owner WHERE role = 'admin' RETURNING 1", owner=hub.owner_id)
    answer = hub.signed_in("head").post(f"/console/owners/{hub.owner_id}/active", active="no")
    assert answer.status_code == 409
    assert "last administrator" in answer.text
    assert hub.rows("SELECT active FROM owner WHERE id = :id", id=hub.owner_id) == [(True,)]


def test_new_user_gets_a_link_that_is_shown_once(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/users")
    page = admin.post("/console/users", login="vera@example.com", name="Vera", role="manager", owner=str(hub.owner_id))
    assert page.status_code == 200
    link = re.findall(r"/console/sign-in/([\w-]{20,})", page.text)[0]
    assert link not in admin.get("/console/users").text
    vera = hub.new_visitor()
    vera.get(f"/console/sign-in/{link}")
    assert vera.post(f"/console/sign-in/{link}").headers["Location"] == "/console/account/first-password"
    assert admin.post("/console/users", login="VERA@example.com").status_code == 422


def test_new_role_or_owner_ends_the_sessions(hub: Hub) -> None:
    for fields in ({"role": "readonly", "owner": str(hub.owner_id)}, {"role": "readonly"}):
        manager = hub.signed_in("manager")
        assert hub.signed_in("admin").post(f"/console/users/{hub.user_ids['manager']}", **fields).status_code == 303
        assert not _opens(manager)
    reader = hub.signed_in("manager")
    hub.signed_in("admin").post(f"/console/users/{hub.user_ids['manager']}", role="readonly", name="Another Name")
    assert _opens(reader)


def test_administrator_sets_a_password_and_signs_out_everywhere(hub: Hub) -> None:
    admin, first = hub.signed_in("admin"), hub.signed_in("ops")
    path = f"/console/users/{hub.user_ids['ops']}"
    assert admin.post(f"{path}/password", password="short").status_code == 422
    assert _opens(first)
    assert admin.post(f"{path}/password", password="correct horse battery").status_code == 303
    assert not _opens(first)
    assert _password_opens(hub, "ops")
    second = hub.signed_in("ops")
    assert admin.post(f"{path}/sign-out").status_code == 303
    assert not _opens(second)


def test_token_is_shown_once_and_revoked(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/tokens")
    page = admin.post("/console/tokens", name="Phone app", role="manager", owner=str(hub.owner_id), expires_on="2199-12-31")
    token = re.findall(r"lh_[\w-]{40,}", page.text)[0]
    assert _api(hub, token) == 200
    listed = admin.get("/console/tokens").text
    assert token not in listed
    assert token[:7] in listed
    assert "Ivan Petrov" in listed
    [(token_id,)] = hub.rows("SELECT id FROM api_token")
    assert admin.post(f"/console/tokens/{token_id}/revoke").status_code == 303
    assert _api(hub, token) == 401
    assert admin.post("/console/tokens", name="x", role="manager", expires_on="2001-01-01").status_code == 422


def test_expired_token_says_so(hub: Hub) -> None:
    token = _token(hub)
    hub.rows("UPDATE api_token SET expires_at = now() - interval '1 second' RETURNING 1")
    answer = hub.new_visitor().client.get("/api/v1/leads", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["code"]) == (401, "token_expired")
