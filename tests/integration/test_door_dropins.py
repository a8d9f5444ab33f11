"""A site that moved by its host name alone: the old path and the old id bring its inquiries to a source of the hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from door_client import Door, Heard, call, open_door

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Invalid, NotFound
from ingest.sources.aliases import add_alias, list_aliases, remove_alias
from ingest.sources.changes import remove_source
from ingest.sources.sources import list_sources, rotate_token

KEY = "0123abcd-0000-4000-8000-00000000abcd"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"
CALLTOUCH = "/calls-service/RestAPI/requests/77/register/"
ROISTAT = "/api/proxy/1.0/leads/add"


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config, max_body_bytes=100_000) as opened:
        yield opened


def moved(door: Door, *aliases: str) -> int:
    """A source that these old ids lead to."""
    source_id = door.add().id
    with door.engine.begin() as connection:
        for alias in aliases:
            add_alias(connection, HUB, door.config, source_id, alias)
    return source_id


def post(door: Door, path: str, body: bytes = b"name=Anna", **more: object) -> Heard:
    return call(door.entrance, "POST", path, body, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "alias, path, body, seen",
    [
        ("formspree:xyzabcde", "/f/xyzabcde", b"name=Anna", "formspree/xyzabcde"),
        ("basin:0123456789ab", "/f/0123456789ab", b"name=Anna", "basin/0123456789ab"),
        ("basin:0123456789ab", "/f/0123456789ab.json", b'{"name":"Anna"}', "basin/0123456789ab"),
        ("getform:abcd-efgh", "/f/abcd-efgh", b"name=Anna", "getform/abcd-efgh"),
        ("formsubmit:info@example.com", "/ajax/info@example.com", b'{"name":"Anna"}', "formsubmit/info@example.com"),
        ("formsubmit:info@example.com", "/INFO@example.com", b"name=Anna", "formsubmit/INFO@example.com"),
        (f"web3forms:{KEY}", "/submit", f"access_key={KEY}&name=Anna".encode(), "web3forms"),
        (f"web3forms:{KEY}", "/submit", f'{{"access_key":"{KEY.upper()}"}}'.encode(), "web3forms"),
        ("hubspot:123/abcd-ef01", "/submissions/v3/integration/submit/123/ABCD-EF01", b"{}", "hubspot/123/ABCD-EF01"),
        ("hubspot:123", "/submissions/v3/integration/submit/123/any-form", b"{}", "hubspot/123/any-form"),
        ("hubspot:123", "/submissions/v3/integration/secure/submit/123/any-form", b"{}", "hubspot/123/any-form"),
        ("roistat:abc==", ROISTAT, b"key=abc%3D%3D&name=Anna", "roistat"),
        ("calltouch:77", CALLTOUCH, b"fio=Anna", "calltouch/77"),
    ],
)  # fmt: skip
def test_inquiry_reaches_the_source_when_the_old_id_leads_there(
    door: Door, alias: str, path: str, body: bytes, seen: str
) -> None:
    source_id = moved(door, alias)
    heard = post(door, path, body, headers={"Origin": "https://shop.example.com"})
    assert heard.status == 200
    assert heard.headers["access-control-allow-origin"] == "https://shop.example.com"
    [row] = door.rows()
    assert (row["source_id"], row["path"], row["body"], row["unclaimed"]) == (source_id, seen, body, False)


@pytest.mark.parametrize(
    "path, body",
    [
        ("/f/{}", b"name=Anna"), ("/f/{}.json", b"{}"), ("/ajax/{}", b"{}"), ("/submit", b"access_key={}"),
        ("/submissions/v3/integration/submit/1/{}", b"{}"), ("/submissions/v3/integration/submit/{}/x", b"{}"),
        (ROISTAT, b"key={}"), ("/calls-service/RestAPI/requests/{}/register/", b"fio=Anna"),
    ],
)  # fmt: skip
def test_own_token_serves_as_the_id_when_a_site_is_made_anew(door: Door, path: str, body: bytes) -> None:
    source = door.add()
    heard = post(door, path.replace("{}", source.token), body.replace(b"{}", source.token.encode()))
    assert (heard.status, [row["source_id"] for row in door.rows()]) == (200, [source.id])


@pytest.mark.parametrize(
    "path", ["/f/nobody12", "/f/", "/f/a/b", "/ajax/nobody@example.com", "/submit", "/nobody@example.com",
             "/submissions/v3/integration/submit/1/2", ROISTAT, CALLTOUCH],
)  # fmt: skip
def test_unknown_id_is_refused_with_cors(door: Door, path: str) -> None:
    heard = post(door, path, headers={"Origin": "null"})
    assert (heard.status, heard.headers["access-control-allow-origin"]) == (404, "null")
    assert heard.json()["error"]["code"] == "unknown_source"
    assert b"<h1>" in post(door, path, headers={"Accept": BROWSER}).body
    assert door.rows() == []


@pytest.mark.parametrize("path, field", [("/submit", "access_key"), (ROISTAT, "key")])
def test_missing_key_is_named_in_the_refusal(door: Door, path: str, field: str) -> None:
    heard = post(door, path, b"name=Anna")
    assert (heard.status, heard.json()["error"]["code"]) == (404, "unknown_source")
    assert f"The field {field} is missing" in heard.json()["error"]["message"]
    strange = post(door, path, f"{field}=00000000-nobody".encode())
    assert (strange.status, strange.json()["error"]["message"]) == (404, "Nobody receives messages at this address.")


def test_preflight_and_size_are_those_of_every_address(door: Door) -> None:
    moved(door, "formspree:xyzabcde")
    sent = {"Origin": "https://example.com"}
    assert call(door.entrance, "OPTIONS", "/f/xyzabcde", headers=sent).status == 204
    large = post(door, "/f/xyzabcde", b"x" * 100_001, headers=sent)
    assert (large.status, large.headers["access-control-allow-origin"]) == (413, "https://example.com")
    assert call(door.entrance, "DELETE", "/f/xyzabcde", headers=sent).status == 405
    assert door.rows() == []


def test_json_address_never_answers_with_a_page(door: Door) -> None:
    moved(door, "formspree:xyzabcde")
    sent = {"Accept": BROWSER, "Content-Type": FORM}
    assert post(door, "/f/xyzabcde.json", headers=sent).headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("path, query", [(ROISTAT, "key=abc1&name=Anna"), (CALLTOUCH, "fio=Anna")])
def test_get_is_an_inquiry_where_the_old_service_took_it(door: Door, path: str, query: str) -> None:
    moved(door, "roistat:abc1", "calltouch:77")
    assert call(door.entrance, "GET", path, query=query).status == 200
    assert [(row["method"], row["query"]) for row in door.rows()] == [("GET", query)]


@pytest.mark.parametrize(
    "method, headers",
    [
        ("HEAD", {}), ("GET", {"Purpose": "prefetch"}), ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"X-Moz": "prefetch"}), ("GET", {"X-Purpose": "preview"}),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}),
        ("GET", {"User-Agent": "TelegramBot (like TwitterBot)"}), ("GET", {"User-Agent": "facebookexternalhit/1.1"}),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)"}),
    ],
)  # fmt: skip
def test_looking_creates_nothing_even_where_a_get_is_an_inquiry(door: Door, method: str, headers: dict[str, str]) -> None:
    moved(door, "roistat:abc1")
    assert call(door.entrance, method, ROISTAT, query="key=abc1&name=Anna", headers=headers).status == 200
    assert door.rows() == []


def test_get_creates_nothing_where_the_old_service_took_posts_only(door: Door) -> None:
    moved(door, "formspree:xyzabcde")
    assert call(door.entrance, "GET", "/f/xyzabcde", query="name=Anna").status == 405  # and not a 200 for nothing
    assert call(door.entrance, "GET", "/f/xyzabcde").status == 200
    assert door.rows() == []


def test_alias_is_never_shown_as_the_address_and_outlives_a_rotation(door: Door) -> None:
    source_id = moved(door, "formspree:xyzabcde")
    with door.engine.begin() as connection:
        [row] = list_sources(connection, door.config)
        assert "formspree" not in row.url
        rotate_token(connection, HUB, door.config, source_id)
        assert [one.alias for one in list_aliases(connection, door.config, source_id)] == ["formspree:xyzabcde"]
    assert post(door, "/f/xyzabcde").status == 200
    assert [row["unclaimed"] for row in door.rows()] == [False]


def test_alias_is_refused_when_another_source_has_it(door: Door) -> None:
    first = moved(door, "formspree:xyzabcde")
    second = moved(door)
    with door.engine.begin() as connection:
        assert add_alias(connection, HUB, door.config, first, "formspree:xyzabcde") == "formspree:xyzabcde"  # twice is once
        with pytest.raises(Conflict, match=rf"formspree:xyzabcde belongs to source {first} \(A source\)"):
            add_alias(connection, HUB, door.config, second, "formspree:xyzabcde")
        with pytest.raises(NotFound):
            remove_alias(connection, HUB, door.config, second, "formspree:xyzabcde")


def test_removed_alias_accepts_as_unclaimed_until_somebody_takes_it(door: Door) -> None:
    first = moved(door, "formspree:xyzabcde")
    with door.engine.begin() as connection:
        remove_alias(connection, HUB, door.config, first, "formspree:xyzabcde")
        assert list_aliases(connection, door.config, first) == []
    assert post(door, "/f/xyzabcde").status == 200
    second = door.add().id
    with door.engine.begin() as connection:
        add_alias(connection, HUB, door.config, second, "https://formspree.io/f/xyzabcde")
        assert [one.alias for one in list_aliases(connection, door.config, second)] == ["formspree:xyzabcde"]
        remove_source(connection, HUB, second)
    assert [(row["source_id"], row["unclaimed"]) for row in door.rows()] == [(first, True)]


@pytest.mark.parametrize(
    "typed, alias",
    [
        ("formspree:xyzabcde", "formspree:xyzabcde"), (" Formspree: xyzabcde ", "formspree:xyzabcde"),
        ("https://formspree.io/f/xyzabcde", "formspree:xyzabcde"), ("https://formspree.io/info@example.com", "formspree:info@example.com"),
        ("https://formsubmit.co/ajax/Info@example.com", "formsubmit:info@example.com"),
        ("https://usebasin.com/f/0123456789ab.json", "basin:0123456789ab"), ("https://getform.io/f/abcd-efgh", "getform:abcd-efgh"),
        ("https://api.hsforms.com/submissions/v3/integration/submit/123/ABCD-ef01", "hubspot:123/abcd-ef01"),
        ("https://cloud.roistat.com/api/proxy/1.0/leads/add?roistat=1&key=abc1", "roistat:abc1"),
        ("https://api.calltouch.ru/calls-service/RestAPI/requests/77/register/", "calltouch:77"),
        (f"web3forms:{KEY.upper()}", f"web3forms:{KEY}"),
        ("nobody:1234", None), ("formspree:", None), ("formspree", None), ("", None), ("hubspot:abc", None),
        ("calltouch:7a", None), ("formspree:a b", None), ("https://example.com/f/xyzabcde", None), ("http://[::1", None),
        ("formspree:a\x00bcd", None),
    ],
)  # fmt: skip
def test_alias_is_understood_as_it_is_typed_or_pasted(door: Door, typed: str, alias: str | None) -> None:
    source_id = door.add().id
    with door.engine.begin() as connection:
        if alias is None:
            with pytest.raises(Invalid, match="service:id"):
                add_alias(connection, HUB, door.config, source_id, typed)
        else:
            assert add_alias(connection, HUB, door.config, source_id, typed) == alias


SERVICES = [
    ("formspree:xyzabcde", "/f/xyzabcde", b'{"name":"Anna","email":"anna@example.com","message":"Hi"}',
     {"ok": True, "success": "email sent", "next": "", "errors": []}),
    ("formsubmit:info@example.com", "/ajax/info@example.com", b'{"name":"Anna","email":"anna@example.com"}',
     {"success": "true", "message": "The form was submitted successfully."}),
    (f"web3forms:{KEY}", "/submit", f'{{"access_key":"{KEY}","name":"Anna","email":"anna@example.com"}}'.encode(),
     {"success": True, "message": "Email sent successfully!"}),
    ("hubspot:123/abcd-ef01", "/submissions/v3/integration/submit/123/abcd-ef01",
     (b'{"fields":[{"objectTypeId":"0-1","name":"firstname","value":"Anna"},{"name":"email","value":"anna@example.com"}],'
     b'"context":{"pageUri":"https://example.com/"}}'),
     {"inlineMessage": "Thank you. We have received your request."}),
    ("roistat:abc1", ROISTAT, b"roistat=77&key=abc1&name=Anna&email=anna%40example.com", {"status": "ok"}),
    ("calltouch:77", CALLTOUCH, b"fio=Anna&email=anna%40example.com&sessionId=5", {}),
    ("basin:0123456789ab", "/f/0123456789ab.json", b'{"name":"Anna","email":"anna@example.com"}',
     {"success": True, "id": None, "error": None}),
    ("getform:abcd-efgh", "/f/abcd-efgh", b'{"name":"Anna","email":"anna@example.com"}', {"success": True}),
]  # fmt: skip


@pytest.mark.parametrize("alias, path, body, said", SERVICES, ids=[row[0].partition(":")[0] for row in SERVICES])
def test_script_of_the_old_service_hears_what_it_expects_and_a_lead_is_made(
    door: Door, alias: str, path: str, body: bytes, said: dict[str, object]
) -> None:
    from ingest.processing.process import drain

    moved(door, alias)
    content_type = "application/json" if body.startswith(b"{") else FORM
    heard = post(door, path, body, headers={"Accept": "application/json", "Content-Type": content_type})
    assert (heard.status, heard.json()) == (200, said)
    drain(None, door.config, "form")
    with door.engine.begin() as connection:
        [lead] = connection.exec_driver_sql("SELECT c.name FROM lead l JOIN contact c ON c.id = l.contact_id").all()
    assert lead.name == "Anna"


@pytest.mark.parametrize("alias, path", [(row[0], row[1]) for row in SERVICES[:1]] + [
    ("formsubmit:info@example.com", "/info@example.com"), (f"web3forms:{KEY}", "/submit"), ("basin:0123456789ab", "/f/0123456789ab"),
])  # fmt: skip
def test_browser_of_the_old_form_is_sent_on_or_thanked(door: Door, alias: str, path: str) -> None:
    source = door.add(allowed_hosts=["example.com"])
    with door.engine.begin() as connection:
        add_alias(connection, HUB, door.config, source.id, alias)
    body = f"access_key={KEY}&name=Anna".encode()
    sent = {"Accept": BROWSER, "Content-Type": FORM}
    assert b"<h1>Thank you</h1>" in post(door, path, body, headers=sent).body
    name = b"redirect" if path == "/submit" else b"_next"
    on = post(door, path, body + b"&" + name + b"=https%3A%2F%2Fexample.com%2Fok", headers=sent)
    assert (on.status, on.headers["location"]) == (303, "https://example.com/ok?lead=ok")
    off = post(door, path, body + b"&" + name + b"=https%3A%2F%2Fevil.test%2F", headers=sent)
    assert (off.status, "location" in off.headers) == (200, False)
