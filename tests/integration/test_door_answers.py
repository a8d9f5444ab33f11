"""What the door says to whom: pages to people, JSON to programs, CORS to everybody, and refusals to almost nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from door_client import Door, call, open_door, stand_in

from connectors.kit import ConnectorConfig, Reply, Request
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import NotAuthentic
from ingest.sources.sources import rotate_token, set_state

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config, max_body_bytes=100_000) as opened:
        yield opened


@pytest.mark.parametrize(
    "headers, wants",
    [
        ({"Accept": BROWSER, "Content-Type": FORM}, "page"),
        ({"Accept": BROWSER, "Content-Type": "multipart/form-data; boundary=b"}, "page"),
        ({"Accept": "application/json", "Content-Type": FORM}, "json"),
        ({"Accept": "application/json, text/html", "Content-Type": FORM}, "json"),
        ({"Accept": "*/*", "Content-Type": FORM}, "json"),
        ({"Accept": "*/*", "Content-Type": "application/json"}, "json"),
        ({"Accept": BROWSER, "X-Requested-With": "XMLHttpRequest", "Content-Type": FORM}, "json"),
        ({"Content-Type": "text/plain;charset=UTF-8"}, "json"),
        ({}, "json"),
    ],
)
def test_answer_is_a_page_when_a_browser_posts_a_form_and_json_otherwise(door: Door, headers: dict[str, str], wants: str) -> None:
    heard = door.post(door.add(), headers=headers)
    assert heard.status == 200
    [row] = door.rows()
    if wants == "json":
        assert heard.headers["content-type"] == "application/json"
        assert heard.json() == {"ok": True, "accepted": True, "event": row["uid"]}
    else:
        assert heard.headers["content-type"] == "text/html; charset=utf-8"
        assert b"Thank you" in heard.body
        assert b"http" not in heard.body  # the page fetches nothing
        assert "default-src 'none'" in heard.headers["content-security-policy"]


@pytest.mark.parametrize(
    "language, said",
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "Спасибо"),
        ("en-GB,ru;q=0.5", "Thank you"),
        ("de", "Vielen Dank"),
        ("uk-UA,uk;q=0.9,ru;q=0.8", "Дякуємо"),
        ("fr-CH, en;q=0.1", "Merci"),
        ("zz", "Thank you"),
        ("ru;q=x", "Thank you"),
    ],
)
def test_page_speaks_the_readers_language(door: Door, language: str, said: str) -> None:
    heard = door.post(door.add(), headers={"Accept": BROWSER, "Accept-Language": language, "Content-Type": FORM})
    assert said in heard.body.decode()


@pytest.mark.parametrize("field", ["_next", "_redirect", "redirect", "success_url"])
def test_browser_is_sent_on_when_the_host_is_allowed(door: Door, field: str) -> None:
    source = door.add(allowed_hosts=["Example.com"])
    heard = door.post(
        source, f"name=A&{field}=https%3A%2F%2Fexample.com%2Fthanks%3Fa%3D1".encode(),
        headers={"Accept": BROWSER, "Content-Type": FORM},
    )  # fmt: skip
    assert (heard.status, heard.headers["location"]) == (303, "https://example.com/thanks?a=1&lead=ok")


def test_browser_is_sent_on_when_the_form_is_multipart(door: Door) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnna\r\n'
        b'--b\r\nContent-Disposition: form-data; name="_next"\r\n\r\nhttps://example.com/ok\r\n--b--\r\n'
    )
    heard = door.post(
        door.add(allowed_hosts=["example.com"]), body,
        headers={"Accept": BROWSER, "Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert (heard.status, heard.headers["location"]) == (303, "https://example.com/ok?lead=ok")


@pytest.mark.parametrize(
    "asked",
    ["https://evil.com", "//evil.com", "/\\evil.com", "\\\\evil.com", "javascript:alert(1)", "https://example.com@evil.com/",
     "https://evil.com/example.com", "https://example.com.evil.com", "http://[::1", "/thanks", "https:example.com", "",
     "https://example.com\r\nX: y", "data:text/html,x", "https://example.com:99999/"],
)  # fmt: skip
def test_browser_stays_with_us_when_the_address_is_not_allowed(door: Door, asked: str) -> None:
    from urllib.parse import urlencode

    source = door.add(allowed_hosts=["example.com"])
    heard = door.post(source, urlencode({"_next": asked}).encode(), headers={"Accept": BROWSER, "Content-Type": FORM})
    assert heard.status == 200
    assert "location" not in heard.headers
    assert len(door.rows()) == 1


def test_relative_address_belongs_to_the_page_when_its_host_is_allowed(door: Door) -> None:
    source = door.add(allowed_hosts=["example.com"])
    browser = {"Accept": BROWSER, "Content-Type": FORM}
    heard = door.post(source, b"_next=/thanks", headers={**browser, "Referer": "https://example.com/contact?x=1"})
    assert (heard.status, heard.headers["location"]) == (303, "https://example.com/thanks?lead=ok")
    heard = door.post(source, b"_next=/thanks", headers={**browser, "Referer": "https://evil.com/"})
    assert heard.status == 200


def test_program_is_never_sent_on(door: Door) -> None:
    heard = door.post(door.add(allowed_hosts=["example.com"]), b"_next=https://example.com/", headers={"Accept": "*/*"})
    assert heard.status == 200


@pytest.mark.parametrize("origin", ["https://shop.example.com", "null"])
def test_cors_stands_on_every_status(door: Door, origin: str) -> None:
    source = door.add()
    sent = {"Origin": origin}
    statuses = []
    for heard in (
        door.post(source, headers=sent),
        door.post(source, b"x" * 100_001, headers=sent),
        call(door.entrance, "POST", "/in/unknown", headers=sent),
        call(door.entrance, "DELETE", f"/in/{source.token}", headers=sent),
        call(door.entrance, "GET", f"/in/{source.token}", headers=sent),
        call(door.entrance, "OPTIONS", f"/in/{source.token}", headers=sent),
        call(door.entrance, "POST", f"/in/{source.token}", b"half", headers=sent, length="99"),
    ):
        assert heard.headers["access-control-allow-origin"] == origin
        assert heard.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in heard.headers
        statuses.append(heard.status)
    assert statuses == [200, 413, 404, 405, 200, 204, 400]
    assert len(door.rows()) == 1


def test_origin_is_not_echoed_when_it_is_no_header_text(door: Door) -> None:
    heard = door.post(door.add(), headers={"Origin": "https://x\r\nSet-Cookie: a=b"})
    assert heard.headers["access-control-allow-origin"] == "*"


def test_preflight_allows_what_a_page_needs(door: Door) -> None:
    heard = call(
        door.entrance, "OPTIONS", "/in/whatever",
        headers={"Origin": "https://example.com", "Access-Control-Request-Method": "POST"},
    )  # fmt: skip
    assert heard.status == 204
    assert "POST" in heard.headers["access-control-allow-methods"]
    assert "Idempotency-Key" in heard.headers["access-control-allow-headers"]
    assert heard.headers["access-control-max-age"] == "7200"
    assert "webhook-allowed-origin" not in heard.headers


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("content-type,formspree-session-data", True),  # as Formspree's own library asks
        ("accept, x-csrf-token, x-xsrf-token", True),
        ("x-a\r\nSet-Cookie: b=1", False),
        ("x-a; b", False),
        ("x" * 101, False),
        (",".join(["x-a"] * 40), False),
    ],
)
def test_preflight_allows_whatever_header_a_script_of_the_page_sends(door: Door, asked: str, allowed: bool) -> None:
    """A browser that is told no sends no inquiry."""
    sent = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
    names = call(door.entrance, "OPTIONS", "/f/whatever", headers=sent).headers["access-control-allow-headers"]
    assert names.startswith("Content-Type, Accept, X-Requested-With, Idempotency-Key, Authorization")
    assert (names.endswith(asked)) is allowed
    assert "\n" not in names


def test_cloudevents_handshake_is_answered(door: Door) -> None:
    heard = call(door.entrance, "OPTIONS", "/in/whatever", headers={"WebHook-Request-Origin": "events.example.com"})
    assert heard.headers["webhook-allowed-origin"] == "events.example.com"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_looking_at_the_address_creates_nothing(door: Door, method: str, accept: str) -> None:
    source = door.add()
    heard = call(
        door.entrance,
        method,
        f"/in/{source.token}",
        query="name=Anna",
        headers={"Accept": accept, "Purpose": "prefetch"},
    )
    assert heard.status == 200
    assert (heard.body == b"") is (method == "HEAD")
    assert call(door.entrance, method, "/in/unknown").status == 404
    assert door.rows() == []


def test_get_with_fields_is_no_false_success_where_posts_are_taken(door: Door) -> None:
    source = door.add("generic_form")
    heard = call(door.entrance, "GET", f"/in/{source.token}", query="name=Anna&phone=79001234567")
    assert (heard.status, heard.json()["error"]["code"]) == (405, "get_not_taken")
    assert heard.headers["access-control-allow-origin"] == "*"
    page = call(door.entrance, "GET", f"/in/{source.token}", query="utm_source=x", headers={"Accept": BROWSER})
    assert page.status == 200
    assert door.rows() == []


def test_unknown_address_is_refused(door: Door) -> None:
    for token in ("", "nope", "\ud83d", "x" * 10_000, "ключ"):
        heard = call(door.entrance, "POST", f"/in/{token}", b"a=1")
        assert heard.status == 404
        assert heard.json()["error"]["code"] == "unknown_source"
    assert b"<h1>" in call(door.entrance, "POST", "/in/nope", b"a=1", headers={"Accept": BROWSER}).body


def test_rotated_address_is_accepted_as_unclaimed(door: Door) -> None:
    source = door.add()
    with door.engine.begin() as connection:
        address = rotate_token(connection, HUB, door.config, source.id)
    assert address.rpartition("/")[2] != source.token
    assert door.post(source, b"old").status == 200
    assert call(door.entrance, "POST", "/in/" + address.rpartition("/")[2], b"new").status == 200
    assert [(row["body"], row["unclaimed"]) for row in door.rows()] == [(b"old", True), (b"new", False)]


def test_paused_source_accepts(door: Door) -> None:
    source = door.add()
    with door.engine.begin() as connection:
        set_state(connection, HUB, source.id, "paused")
    assert door.post(source).status == 200
    assert [row["unclaimed"] for row in door.rows()] == [False]


def test_source_whose_connector_is_gone_accepts(door: Door) -> None:
    source = door.add()
    with door.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE source SET connector = 'uninstalled'")
    assert door.post(source, headers={"Idempotency-Key": "k"}).status == 200
    assert call(door.entrance, "GET", f"/in/{source.token}").status == 200
    assert len(door.rows()) == 1


@pytest.mark.parametrize("length", [None, ""], ids=["declared", "chunked"])
def test_body_above_the_limit_is_refused_and_one_of_it_is_not(door: Door, length: str | None) -> None:
    source = door.add()
    assert door.post(source, b"x" * 100_000, length=length).status == 200
    heard = door.post(source, b"x" * 100_001, length=length)
    assert heard.status == 413
    assert heard.json()["error"]["code"] == "too_large"
    assert len(door.rows()) == 1
    page = door.post(source, b"x" * 100_001, length=length, headers={"Accept": BROWSER, "Content-Type": FORM})
    assert "Too large" in page.body.decode()


@pytest.mark.parametrize("length", ["-1", "abc", "９", "1" * 30, " 5"])
def test_nonsense_for_a_length_is_never_an_error(door: Door, length: str) -> None:
    assert door.post(door.add(), b"hello", length=length).status in (200, 413)


def test_handshake_is_answered_and_creates_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def handshake(request: Request, config: ConnectorConfig) -> Reply | None:
        echo = request.query.removeprefix("zd_echo=")
        return Reply(echo.encode()) if request.query.startswith("zd_echo=") else None

    stand_in(monkeypatch, handshake=handshake)
    source = door.add("probe")
    for method in ("GET", "POST"):
        heard = call(door.entrance, method, f"/in/{source.token}", query="zd_echo=42")
        assert (heard.status, heard.body) == (200, b"42")
    assert call(door.entrance, "HEAD", f"/in/{source.token}", query="zd_echo=42").status == 200
    assert door.rows() == []
    assert door.post(source).status == 200
    assert len(door.rows()) == 1


def _refuse(request: Request, config: ConnectorConfig) -> None:
    if request.headers.get("authorization") != "Bearer right":
        raise NotAuthentic("signature", "The signature is wrong.")


def test_wrong_signature_is_kept_without_its_key_when_an_administrator_reads_the_refusal(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, verify=_refuse, verify_at_door=True, provider_key=lambda request, config: "call-1")
    source = door.add("probe")
    heard = door.post(source, b"forged")
    assert heard.status == 401
    assert heard.json()["error"]["message"] == "The signature is wrong."
    assert door.post(source, b"real", headers={"Authorization": "Bearer right"}).status == 200
    forged, real = door.rows()
    assert (forged["provider_key"], real["provider_key"]) == (None, "call-1")
    assert "x-leadhub-verified" not in forged["headers"]
    assert real["headers"]["x-leadhub-verified"] == "door"
    assert (forged["verified_at_door"], real["verified_at_door"]) == (False, True)


def test_wrong_signature_is_left_to_the_worker_when_nobody_reads_the_refusal(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, verify=_refuse)
    assert door.post(door.add("probe"), b"forged").status == 200
    assert len(door.rows()) == 1


def test_provider_hears_what_it_expects(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, reply=lambda request, config: Reply(b"ok", headers={"X-Own": "1"}))
    heard = door.post(door.add("probe"), headers={"Accept": BROWSER})
    assert (heard.status, heard.body, heard.headers["content-type"]) == (
        200,
        b"ok",
        "text/plain; charset=utf-8",
    )
    assert heard.headers["x-own"] == "1"
    assert heard.headers["access-control-allow-origin"] == "*"


def test_connector_that_breaks_at_the_door_costs_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: Request, config: ConnectorConfig) -> Any:
        raise RecursionError("a defect")

    stand_in(monkeypatch, handshake=broken, verify=broken, verify_at_door=True, provider_key=broken, reply=broken)
    heard = door.post(door.add("probe"), headers={"Idempotency-Key": "k"})
    assert heard.status == 200
    assert heard.json()["event"] == door.rows()[0]["uid"]


@pytest.mark.parametrize(
    "proxies, peer, forwarded, stored",
    [
        (0, "192.0.2.7", "203.0.113.9", "192.0.2.7"),  # nobody is trusted: a forged header says nothing
        (0, "2001:db8::7", "", "2001:db8::7"),
        (1, "127.0.0.1", "203.0.113.9", "203.0.113.9"),
        (
            1,
            "127.0.0.1",
            "10.9.9.9, 203.0.113.9",
            "203.0.113.9",
        ),  # the first was written by the caller himself
        (2, "127.0.0.1", "6.6.6.6, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
        (2, "127.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "127.0.0.1", "[2001:db8::9]:443", "2001:db8::9"),
        (1, "127.0.0.1", "203.0.113.9:5555", "203.0.113.9"),
        (1, "127.0.0.1", "nonsense", "127.0.0.1"),
        (1, "127.0.0.1", "", "127.0.0.1"),
        (0, "", "", ""),
    ],
)
def test_remote_address_is_the_one_that_trusted_proxies_saw(
    config: HubConfig, proxies: int, peer: str, forwarded: str, stored: str
) -> None:
    with open_door(config, trusted_proxies=proxies) as door:
        door.post(door.add(), remote=peer, headers={"X-Forwarded-For": forwarded})
        assert door.rows()[0]["remote_ip"] == stored


def test_answers_are_equal_when_the_same_key_comes_from_a_browser(door: Door) -> None:
    source = door.add()
    sent = {"Accept": "application/json", "Idempotency-Key": "k"}
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(door.post(source, headers=sent).body)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 5
    assert len(set(answers)) == 1


@pytest.mark.parametrize("allowed, query, kept", [(True, "fio=Anna", 1), (True, "", 0), (False, "fio=Anna", 0)])
def test_get_is_an_arrival_only_where_the_connector_says_so_and_it_carries_something(
    door: Door, monkeypatch: pytest.MonkeyPatch, allowed: bool, query: str, kept: int
) -> None:
    stand_in(monkeypatch, get_is_event=allowed)
    heard = call(door.entrance, "GET", f"/in/{door.add('probe').token}", query=query)
    assert heard.status == 200
    assert [row["query"] for row in door.rows()] == [query] * kept
