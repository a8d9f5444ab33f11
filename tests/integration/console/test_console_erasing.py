"""The pages of an erasure: what would be emptied, the deed, and that no address ever carries a person's data."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from webhooks.console.shell.language import catalogue

if TYPE_CHECKING:
    from conftest import Hub

PHONE = "+7 912 345-67-01"


def _send(hub: Hub, **fields: str) -> str:
    hub.send(urlencode(fields).encode(), "application/x-www-form-urlencoded")
    return str(hub.rows("SELECT uid FROM inbound_event ORDER BY id DESC LIMIT 1")[0][0])


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_address_when_it_is_erased_is_shown_first_and_emptied_then(hub: Hub, locale: str) -> None:
    uid = _send(hub, phone=PHONE, _gotcha="x")
    admin = hub.signed_in("admin")
    admin.post("/console/language", locale=locale)
    assert admin.get("/console/contacts").text.count('href="/console/erase"') == 1
    admin.get("/console/erase")
    page = admin.post("/console/erase", phone="8 912 345 67 01")
    assert (page.status_code, uid in page.text) == (200, True)
    assert hub.rows("SELECT octet_length(body) > 0 FROM inbound_event") == [(True,)]
    assert admin.post("/console/erase/now", phone=PHONE, why="a letter").status_code == 422
    assert admin.post("/console/erase/now", phone=PHONE, sure="yes").status_code == 422
    assert hub.rows("SELECT octet_length(body) > 0 FROM inbound_event") == [(True,)]
    done = admin.post("/console/erase/now", phone=PHONE, why="a letter", sure="yes")
    assert done.status_code == 200
    assert catalogue(locale)["erase.done"].format(events="1", calls="0") in done.text
    assert "345-67-01" not in done.text
    assert hub.rows("SELECT octet_length(body), outcome FROM inbound_event") == [(0, "spam")]
    assert admin.get(f"/console/events/{uid}").status_code == 200


def test_contact_when_he_is_erased_takes_events_of_nobody_along(hub: Hub) -> None:
    _send(hub, name="Anna Sidorova", phone=PHONE, message="doors")
    uid = _send(hub, comment="call 8(912)345-67-01", _gotcha="x")
    [(contact,)] = hub.rows("SELECT id FROM contact")
    admin, path = hub.signed_in("admin"), f"/console/contacts/{contact}"
    assert f'href="{path}/erase"' in admin.get(path).text
    page = admin.get(f"{path}/erase").text
    assert uid in page
    assert f"Type {contact} to confirm" in page
    assert admin.post(f"{path}/erase", why="a letter", sure="no").status_code == 422
    assert admin.post(f"{path}/erase", why="a letter", sure=str(contact)).status_code == 303
    assert hub.rows("SELECT DISTINCT octet_length(body) FROM inbound_event") == [(0,)]
    assert hub.rows("SELECT name FROM contact") == [("",)]
    assert "/erase" not in hub.signed_in("head").get(path).text


def test_person_when_it_is_none_is_told_so(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.get("/console/erase")
    for fields in ({}, {"phone": "call me"}, {"phone": PHONE, "email": "a@example.com"}):
        assert admin.post("/console/erase", **fields).status_code == 422
    page = admin.post("/console/erase", email="<b>x</b>@example.com")
    assert "<b>x</b>" not in page.text


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_contact_is_left_whole_with_words_when_the_erasure_cannot_be_noted(hub: Hub, locale: str) -> None:
    _send(hub, name="Anna Sidorova", phone=PHONE, message="doors")
    [(contact,)] = hub.rows("SELECT id FROM contact")
    (hub.config.home / "erasures.log").mkdir()  # stands for a disk that does not take a line
    admin, path = hub.signed_in("admin"), f"/console/contacts/{contact}"
    admin.post("/console/language", locale=locale)
    admin.get(f"{path}/erase")
    answer = admin.post(f"{path}/erase", why="a letter", sure=str(contact))
    assert (answer.status_code, catalogue(locale)["problem.erasure_not_noted"] in unescape(answer.text)) == (409, True)
    assert hub.rows("SELECT name FROM contact") == [("Anna Sidorova",)]
