"""The box on every page, and the page behind it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest


@pytest.fixture
def full(hub: Any) -> Any:
    hub.send(orjson.dumps({"name": "Фёдор Ершов", "phone": "+7 921 695-34-01", "message": "Нужны <b>ворота</b> секционные"}))
    return hub


def test_box_stands_on_every_page_of_whoever_may_read_leads(hub: Any) -> None:
    for role in ("admin", "manager", "readonly"):
        visitor = hub.signed_in(role)
        for path in ("/console/leads", "/console/contacts", "/console/owners", "/console/search", "/console/nowhere"):
            assert visitor.get(path).text.count('action="/console/search"') == (0 if path.endswith("nowhere") else 1)


def test_what_is_found_is_grouped_and_marked(full: Any) -> None:
    page = full.signed_in("admin").get("/console/search?q=ершов+федор+8+921+695-34-01").text
    assert "Found 2" in page
    for said in (
        "Clients",
        "Leads",
        "<mark>Фёдор</mark> <mark>Ершов</mark>",
        "<mark>+7 921 695-34-01</mark>",
        'href="tel:+79216953401"',
    ):
        assert said in page
    words = full.signed_in("manager").get("/console/search?q=секц").text
    assert "&lt;b&gt;" in words
    assert "<mark>секционные</mark>" in words
    assert "Mails, calls, forms" in words
    assert 'href="/console/leads?q=%D1%81%D0%B5%D0%BA%D1%86"' in words


def test_nothing_found_says_what_to_try(full: Any) -> None:
    page = full.signed_in("admin").get("/console/search?q=%3Cscript%3E").text
    assert "Nothing found" in page
    assert "four digits of the phone" in page
    assert "<script>" not in page.replace("<script src", "")
    assert "Whom do you look for?" in full.signed_in("admin").get("/console/search").text


@pytest.mark.parametrize(
    "typed", ["%00", "%25", "'", '"', "%F0%9F%98%80", "a" * 10_000, "%27" * 3_000, "{q}", "{0}", "%D0", "1" * 5_000]
)
def test_odd_input_is_answered_politely(full: Any, typed: str) -> None:
    visitor = full.signed_in("admin")
    for path in ("search", "leads", "contacts"):
        assert visitor.get(f"/console/{path}?q={typed}").status_code == 200
    assert ("Only the first 200" in visitor.get(f"/console/search?q={typed}").text) == (len(typed) >= 5_000)


def test_client_of_a_colleague_shows_only_whose_he_is(full: Any) -> None:
    full.rows("UPDATE contact SET owner_id = :id RETURNING id", id=_owner(full))
    full.rows("UPDATE lead SET owner_id = :id RETURNING id", id=_owner(full))
    page = full.signed_in("manager").get("/console/search?q=ершов").text
    assert "A colleague has a client like that: Anna Sidorova, ext. 102." in page
    for hidden in ("Фёдор", "695-34-01", "ворота", "/console/leads/1", "/console/contacts/"):
        assert hidden not in page


def _owner(hub: Any) -> int:
    found = hub.rows("SELECT id FROM owner WHERE extension = '102'")
    return int((found or hub.rows("INSERT INTO owner (name, extension) VALUES ('Anna Sidorova', '102') RETURNING id"))[0][0])
