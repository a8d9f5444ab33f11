"""What the console shows of codes, moments and encoded bodies, in words."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest


def _said(visitor: Any, path: str) -> str:
    return html.unescape(str(visitor.get(path).text))


def _russian(hub: Any, role: str) -> Any:
    visitor = hub.signed_in(role)
    visitor.post("/console/language", locale="ru")
    return visitor


@pytest.mark.parametrize(
    ("code", "typed", "shown"),
    [
        ("erased", "", "Данные человека стёрты по его требованию"), ("merged", "", "Вошёл в другой лид"),
        ("", "Too dear", "Too dear"), ("", "erased", "erased"), ("merged", "he has another", "he has another"),
    ],
)  # fmt: skip
def test_lost_reason_is_told_in_words_where_the_hub_gave_it(hub: Any, code: str, typed: str, shown: str) -> None:
    hub.send(orjson.dumps({"name": "Anna", "phone": "+79123456789"}))
    close = "UPDATE lead SET state = 'closed', closed_at = now(), lost_reason = :why, closed_code = :code RETURNING id"
    [(lead_id,)] = hub.rows(close, why=typed, code=code)
    assert f"<bdi>{shown}</bdi>" in _said(_russian(hub, "head"), f"/console/leads/{lead_id}")


def test_first_visit_is_a_moment_of_the_hubs_zone(hub: Any) -> None:
    body = {"name": "Anna", "phone": "+79123456789", "first_visit": {"u": "https://example.com/", "t": 1_767_225_600_000}}
    hub.send(orjson.dumps(body))
    [(lead_id, kept)] = hub.rows("SELECT id, attribution->'first'->>'at' FROM lead")
    assert str(kept).startswith("2026-01-01T00:00:00")
    page = _said(hub.signed_in("head"), f"/console/leads/{lead_id}")
    assert "1 January 2026, 03:00:00 (Europe/Moscow)" in page
    assert str(kept) not in page


def test_urlencoded_body_can_be_read_on_the_page_of_its_event(hub: Any) -> None:
    sent = {"Имя": "Анна & Ко", "phone": "+79123456789", "order[size]": "90x210\nwhite", "x": "a\u202eb"}
    hub.send(urlencode(sent).encode(), "application/x-www-form-urlencoded")
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event")
    page = _said(hub.signed_in("admin"), f"/console/events/{uid}")
    assert "What was filled in" in page
    for name, value in (("Имя", "Анна & Ко"), ("order.size", "90x210\nwhite"), ("x", "ab")):
        assert f'<dt><bdi>{name}</bdi></dt><dd><bdi class="pre-line">{value}</bdi></dd>' in page
    assert f'/console/sources/{hub.source_id}/mapping">How it is read</a>' in page
    hidden = _said(hub.signed_in("readonly"), f"/console/events/{uid}")
    assert "Анна & Ко" not in hidden
    assert "How it is read" not in hidden


@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"phone": "+79123456789"}', "application/json"), (b"\x00\x01", "application/octet-stream"), (b"", "")]
)
def test_other_bodies_are_shown_once(hub: Any, body: bytes, kind: str) -> None:
    hub.send(body, kind)
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event")
    assert "What was filled in" not in _said(hub.signed_in("admin"), f"/console/events/{uid}")


def test_settings_are_shown_in_words(hub: Any) -> None:
    hub.rows(
        "UPDATE source SET config = CAST(:config AS jsonb) RETURNING id", config='{"spam": "mark", "consent_unknown": "hold"}'
    )
    page = _said(_russian(hub, "admin"), f"/console/sources/{hub.source_id}")
    assert "<bdi>Показывать баллы на лиде</bdi>" in page
    assert "<bdi>Держать, пока не решит человек</bdi>" in page
    form = _said(_russian(hub, "admin"), f"/console/sources/{hub.source_id}/change")
    assert '<option value="mark" selected>Показывать баллы на лиде</option>' in form
