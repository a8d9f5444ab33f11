"""What a visitor's browser is shown: where the form asks to go, or a page, and when it fails a way back and a number to call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from door_client import Door, call, open_door, stand_in

from connectors.kit.forms.config import FormConfig
from crm_core.base.config import HubConfig
from ingest.sources.sources import NewSource

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Content-Type": "application/x-www-form-urlencoded"}
PHONE = "+7 (999) 111-22-33"


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config, max_body_bytes=100_000) as opened:
        yield opened


@pytest.fixture
def source(door: Door, monkeypatch: pytest.MonkeyPatch) -> NewSource:
    """A source that names the business's phone."""
    stand_in(monkeypatch, config_model=FormConfig)
    return door.add("probe", {"visitors_phone": PHONE})


@pytest.mark.parametrize(
    "body, query, content_type",
    [
        (b'{"name": "Anna", "_next": "https://example.com/ok"}', "", "application/json"),
        (b'{"name": "Anna", "_next": "https://example.com/ok"}', "", "text/plain"),
        (b"name=Anna", "_next=https%3A%2F%2Fexample.com%2Fok", "application/x-www-form-urlencoded"),
        (b"redirect=https%3A%2F%2Fexample.com%2Fok", "_redirect=https%3A%2F%2Fexample.com%2Fother", ""),
    ],
)
def test_browser_is_sent_on_when_json_or_the_address_asks_for_it(door: Door, body: bytes, query: str, content_type: str) -> None:
    sent = {"Accept": BROWSER["Accept"], "Content-Type": content_type}
    heard = door.post(door.add(allowed_hosts=["example.com"]), body, query=query, headers=sent)
    assert heard.status == 303
    assert heard.headers["location"] in ("https://example.com/ok?lead=ok", "https://example.com/other?lead=ok")


@pytest.mark.parametrize("asked", ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)", "data:text/html,x"])
@pytest.mark.parametrize("where", ["form", "json", "query"])
def test_browser_stays_when_it_is_asked_to_go_elsewhere(door: Door, asked: str, where: str) -> None:
    import orjson

    body = {"form": urlencode({"_next": asked}).encode(), "json": orjson.dumps({"_next": asked}), "query": b"name=Anna"}[where]
    query = urlencode({"_next": asked}) if where == "query" else ""
    sent = {**BROWSER, "Referer": "https://example.com/form"}
    heard = door.post(door.add(allowed_hosts=["example.com"]), body, query=query, headers=sent)
    assert (heard.status, "location" in heard.headers) == (200, False)
    assert b"evil" not in heard.body
    assert len(door.rows()) == 1


def test_refusal_is_a_page_with_a_way_back_and_the_number_to_call(door: Door, source: NewSource) -> None:
    sent = {**BROWSER, "Referer": "https://shop.example.com/form?a=1&b=2", "Accept-Language": "ru"}
    heard = door.post(source, b"x" * 100_001, headers=sent)
    shown = heard.body.decode()
    assert (heard.status, heard.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert '<a href="https://shop.example.com/form?a=1&amp;b=2">Вернуться на сайт</a>' in shown
    assert f'<a href="tel:+79991112233">{PHONE}</a>' in shown
    assert door.rows() == []


def test_number_is_shown_when_the_hub_cannot_store(door: Door, source: NewSource, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_core.base.errors import Transient

    def away(*_: Any) -> None:
        raise Transient("database_away", "The journal is away.")

    monkeypatch.setattr(door.acceptor, "accept", away)
    heard = door.post(source, headers={**BROWSER, "Origin": "null"})
    assert (heard.status, heard.headers["access-control-allow-origin"]) == (503, "null")
    assert "retry-after" in heard.headers
    assert PHONE in heard.body.decode()
    assert PHONE not in door.post(source, headers={"Accept": "*/*"}).body.decode()


@pytest.mark.parametrize(
    "referrer", ["javascript:alert(1)", "https://a@evil.test/", "https://x.test/\\y", "file:///etc", "http://[", ""]
)
def test_no_way_back_is_offered_when_the_page_is_no_web_address(door: Door, source: NewSource, referrer: str) -> None:
    shown = door.post(source, b"x" * 100_001, headers={**BROWSER, "Referer": referrer}).body.decode()
    assert "Back to the site" not in shown
    assert "Too large" in shown


@pytest.mark.parametrize("headers", [{"Accept": "*/*"}, BROWSER], ids=["program", "browser"])
def test_defect_of_ours_is_told_with_cors(door: Door, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(door.acceptor, "accept", broken)
    heard = door.post(door.add(), headers={**headers, "Origin": "https://example.com"})
    assert (heard.status, heard.headers["access-control-allow-origin"]) == (500, "https://example.com")
    assert b"ZeroDivision" not in heard.body


@pytest.mark.parametrize(
    "agent", ["", "curl/8.0", "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0", "PHP/8.2", "WordPress/6.5; https://example.com"]
)
def test_get_of_a_program_or_a_person_counts_where_a_get_is_an_arrival(
    door: Door, monkeypatch: pytest.MonkeyPatch, agent: str
) -> None:
    stand_in(monkeypatch, get_is_event=True)
    source = door.add("probe")
    heard = call(door.entrance, "GET", f"/in/{source.token}", query="fio=Anna", headers={"User-Agent": agent})
    assert (heard.status, len(door.rows())) == (200, 1)


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch"}, {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}]
)
def test_post_counts_whoever_sends_it(door: Door, headers: dict[str, str]) -> None:
    assert door.post(door.add(), headers=headers).status == 200
    assert len(door.rows()) == 1
