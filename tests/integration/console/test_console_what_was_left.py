"""What a visitor left stands on the lead's page, also where no phone and no address can be made of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest


def _page(hub: Any, body: bytes | dict[str, Any], role: str = "head") -> str:
    hub.send(body if isinstance(body, bytes) else orjson.dumps(body))
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    return str(hub.signed_in(role).get(f"/console/leads/{lead_id}").text)


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        ({"phone": "555705"}, "phone as typed: 555705"),
        ({"email": "anna@b"}, "e-mail as typed: anna@b"),
        ({"phone": "<b>12</b>"}, "&lt;b&gt;12&lt;/b&gt;"),
    ],
)
def test_what_cannot_be_called_is_shown_as_typed(hub: Any, left: dict[str, str], shown: str) -> None:
    page = _page(hub, {"name": "Anna", "message": "hello", **left})
    assert shown in page
    assert "No phone or e-mail that can be used." in page


def test_messenger_is_a_way_to_reach_somebody(hub: Any) -> None:
    page = _page(hub, {"name": "Anna", "message": "hello", "telegram": "@annatele"})
    assert "<bdi>@annatele</bdi>" in page
    assert "No phone or e-mail that can be used." not in page


def test_number_that_can_be_called_is_not_told_twice(hub: Any) -> None:
    assert "as typed" not in _page(hub, {"name": "Anna", "phone": "+7 912 345-67-89"})


def test_damage_is_told_on_the_lead(hub: Any) -> None:
    assert "damaged JSON" in _page(hub, b'{"name": "Anna", "phone": "+79123456789",')


def test_marks_of_origin_have_names_and_the_first_visit_comes_last(hub: Any) -> None:
    page = _page(hub, {"name": "Anna", "phone": "+79123456789", "yclid": "777", "utm_source": "y", "first_utm_source": "g"})
    assert "<dt>yclid</dt>" in page
    assert page.index("<dt>utm_source</dt>") < page.index("<dt>First visit: utm_source</dt>")
    assert "click_ids." not in page


def test_source_is_not_named_where_nothing_was_said(hub: Any) -> None:
    page = _page(hub, {"name": "Anna", "phone": "+79123456789"})
    assert '<div class="said">' not in page
