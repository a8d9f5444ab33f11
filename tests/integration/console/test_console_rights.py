"""Who may open what, and who may press what: every role on every route; forms only from our own pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from crm_core.access import ROLE_PERMISSIONS
from crm_core.access.models import ROLES
from webhooks.console.shell.routes import ROUTES, Route

if TYPE_CHECKING:
    from conftest import Hub

PROTECTED = [route for route in ROUTES if route.permission is not None]
EMPTY_PAGES = {
    "audit",
    "quarantine",
    "users",
    "tokens",
    "leads",
    "contacts",
    "call_backs",
    "mentions",
    "events",
    "sources",
    "owners",
    "queues",
    "ledger",
    "choose_connector",
    "erase",
}


def _address(route: Route) -> str:
    """The route's address with parts that name nothing."""
    return "/console" + re.sub(r"<[^>]*?(\w+)>", lambda part: "999999", route.rule)


def test_every_route_is_protected_or_known_to_be_open() -> None:
    assert {route.endpoint for route in ROUTES if route.permission is None} == {
        "sign_in_page", "sign_in", "link_page", "link", "language",
    }  # fmt: skip
    assert {route.permission for route in PROTECTED} - {""} <= set(ROLE_PERMISSIONS)


def test_stranger_is_sent_to_sign_in_and_back(hub: Hub) -> None:
    stranger = hub.new_visitor()
    for route in PROTECTED:
        if route.method == "GET":
            answer = stranger.get(_address(route))
            assert (answer.status_code, route.endpoint) == (303, route.endpoint)
            assert answer.headers["Location"].startswith("/console/sign-in?next=")
        else:
            assert stranger.post(_address(route)).status_code == 403, route.endpoint


@pytest.mark.parametrize("role", ROLES)
def test_role_opens_what_it_may_and_nothing_else(hub: Hub, role: str) -> None:
    visitor = hub.signed_in(role)
    for route in PROTECTED:
        if not route.permission:
            continue
        answer = visitor.get(_address(route)) if route.method == "GET" else visitor.post(_address(route))
        forbidden = b"Not for your role" in answer.data
        assert forbidden == (role not in ROLE_PERMISSIONS[route.permission]), (role, route.endpoint)
        assert (answer.status_code == 403) == forbidden, (role, route.endpoint, answer.status_code)
        assert answer.status_code < 500, (role, route.endpoint)
        if route.endpoint in EMPTY_PAGES and not forbidden:
            assert answer.status_code == 200, (role, route.endpoint)


@pytest.mark.parametrize("role", ROLES)
def test_navigation_offers_only_what_opens(hub: Hub, role: str) -> None:
    visitor = hub.signed_in(role)
    page = visitor.get("/console/owners").text
    links = re.findall(r'<nav class="nav".*?</nav>', page, re.DOTALL)[0]
    for address in re.findall(r'href="([^"]+)"', links):
        assert visitor.get(address).status_code == 200, (role, address)


def test_manager_sees_his_own_leads_only(hub: Hub) -> None:
    hub.send(b'{"name": "Petr Owned", "email": "petr@example.com", "message": "windows"}')
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    manager = hub.signed_in("manager")
    assert "Petr Owned" in manager.get("/console/leads").text
    assert manager.get(f"/console/leads/{lead_id}").status_code == 200
    hub.rows("UPDATE lead SET owner_id = (SELECT id FROM owner WHERE duty) RETURNING id")
    assert "Petr Owned" not in manager.get("/console/leads").text
    assert manager.get(f"/console/leads/{lead_id}").status_code == 404
    assert manager.post(f"/console/leads/{lead_id}/comment", text="mine").status_code == 404


def test_address_and_raw_bytes_are_hidden_from_readers(hub: Hub) -> None:
    hub.send(b'{"name": "Olga", "message": "secret wish"}')
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event")
    reader, admin = hub.signed_in("readonly"), hub.signed_in("admin")
    token = hub.url.rpartition("/")[2]
    assert token in admin.get(f"/console/sources/{hub.source_id}").text
    assert token not in reader.get(f"/console/sources/{hub.source_id}").text
    assert "secret wish" in admin.get(f"/console/events/{uid}").text
    page = reader.get(f"/console/events/{uid}")
    assert page.status_code == 200
    assert "secret wish" not in page.text
    assert reader.get(f"/console/events/{uid}/raw").status_code == 403


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_form_without_the_pages_token_changes_nothing(hub: Hub, token: str | None) -> None:
    admin = hub.signed_in("admin")
    fields = {"name": "Intruder"} | ({} if token is None else {"form_token": token})
    answer = admin.client.post("/console/owners", data=fields)
    assert answer.status_code == 403
    assert "expired" in answer.text
    assert hub.rows("SELECT 1 FROM owner WHERE name = 'Intruder'") == []


def test_form_from_another_site_changes_nothing(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    answer = admin.client.post(
        "/console/owners", data={"name": "Intruder", "form_token": admin.token}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert hub.rows("SELECT 1 FROM owner WHERE name = 'Intruder'") == []


def test_unknown_page_has_a_way_out(hub: Hub) -> None:
    for address in ("/console/nonsense", "/console/leads/0", "/console/leads/99999999999999999999", "/console/events/x"):
        answer = hub.signed_in("admin").get(address)
        assert (answer.status_code, address) == (404, address)
        assert 'href="/console/"' in answer.text


def test_root_leads_to_the_console(hub: Hub) -> None:
    assert hub.new_visitor().get("/").headers["Location"] == "/console/"
