"""Which form of the old service is meant, read out of the path or out of a body of any shape."""

from __future__ import annotations

import pytest

from crm_core.base.errors import UnknownSource
from webhooks.entrance import dropins

KEY = "0123abcd-0000-4000-8000-00000000abcd"
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    + b"access_key \x00\xff" * 30
    + b'\r\n--b\r\nContent-Disposition: form-data; name="access_key"\r\nContent-Type: text/plain\r\n\r\n'
    + KEY.encode()
    + b"\r\n--b--\r\n"
)
#: As a browser's FormData begins: the key's part has no header of its own, and short fields follow.
AHEAD = (
    b'--b\r\nContent-Disposition: form-data; name="access_key"\r\n\r\n'
    + KEY.encode()
    + b'\r\n--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnna\r\n--b--\r\n'
)


def first(path: str, query: str = "", body: bytes = b"") -> tuple[str, tuple[str, ...]]:
    found = dropins.read(path, query, body)
    return (found[0].path, found[0].tokens) if found else ("", ())


@pytest.mark.parametrize(
    "path, seen, tokens",
    [
        ("/f/xyzabcde", "formspree/xyzabcde", ("formspree:xyzabcde", "xyzabcde")),
        ("/f/xyzabcde/", "formspree/xyzabcde", ("formspree:xyzabcde", "xyzabcde")),
        ("/f/xyzabcde.json", "formspree/xyzabcde", ("formspree:xyzabcde", "xyzabcde")),
        ("/ajax/Info@Example.com", "formsubmit/Info@Example.com", ("formsubmit:info@example.com", "Info@Example.com")),
        ("/info@example.com", "formsubmit/info@example.com", ("formsubmit:info@example.com", "info@example.com")),
        ("/submissions/v3/integration/submit/123/ABCD-ef01", "hubspot/123/ABCD-ef01",
         ("hubspot:123/abcd-ef01", "hubspot:123", "ABCD-ef01", "123")),
        ("/submissions/v3/integration/secure/submit/123/abcd-ef01", "hubspot/123/abcd-ef01",
         ("hubspot:123/abcd-ef01", "hubspot:123", "abcd-ef01", "123")),
        ("/calls-service/RestAPI/requests/77/register/", "calltouch/77", ("calltouch:77", "77")),
        ("/calls-service/RestAPI/requests/77/register", "calltouch/77", ("calltouch:77", "77")),
        ("/f/", "", ()),
        ("/f/a/b", "", ()),
        ("/submission", "", ()),
        ("/ajax/", "", ()),
        ("/a/info@example.com", "", ()),
    ],
)  # fmt: skip
def test_form_is_named_when_its_id_stands_in_the_path(path: str, seen: str, tokens: tuple[str, ...]) -> None:
    assert first(path) == (seen, tokens)


def test_every_service_of_the_path_is_asked_when_they_share_it() -> None:
    assert [one.preset for one in dropins.read("/f/abc1", "", b"")] == ["formspree", "basin", "getform"]
    assert all(one.wants_json for one in dropins.read("/f/abc1.json", "", b""))
    assert not any(one.wants_json for one in dropins.read("/f/abc1", "", b""))


@pytest.mark.parametrize(
    "query, body",
    [
        ("", f"name=Anna&access_key={KEY}&x=1".encode()),
        ("", f"access_key={KEY}".encode()),
        ("", f'{{"name": "Anna", "access_key" : "{KEY}"}}'.encode()),
        ("", f'{{"access_key":"{KEY}"}}'.encode()),
        ("", MULTIPART),
        ("", AHEAD),
        ("", AHEAD.replace(b"\r\n", b"\n")),
        ("", AHEAD.replace(b'"access_key"', b"access_key; charset=utf-8")),
        ("", b"message=" + b"x" * 300_000 + f"&access_key={KEY}".encode()),
        ("", b"my_access_key=other&about=access_key&" + f"access_key={KEY}".encode()),
        (f"access_key={KEY}", b""),
    ],
    ids=[
        "urlencoded",
        "first",
        "json",
        "json-dense",
        "multipart",
        "multipart-first",
        "bare-newlines",
        "unquoted",
        "late",
        "look-alikes",
        "query",
    ],
)
def test_key_is_found_when_it_stands_among_the_fields(query: str, body: bytes) -> None:
    assert first("/submit", query, body)[1] == (f"web3forms:{KEY}", KEY)


@pytest.mark.parametrize(
    "query, body, key",
    [
        ("roistat=77&key=abc%3D%3D&name=Anna", b"", "abc=="),
        ("", b"monkey=1&key=ab%2Bc&title=x", "ab+c"),
        ("", b'{"monkey": "1", "key": "abc1"}', "abc1"),
    ],
)
def test_key_of_a_proxy_is_found_when_it_comes_by_get_or_post(query: str, body: bytes, key: str) -> None:
    found = dropins.read("/api/proxy/1.0/leads/add", query, body)
    assert (found[0].tokens[0], found[0].get_counts) == (f"roistat:{key}", True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"access_key=",
        b'{"access_key": null}',
        b"access_key" * 100_000,
        b"\xff" * 99,
        AHEAD.replace(KEY.encode(), b""),
        AHEAD.replace(b'"access_key"', b'"access_keyring"'),
    ],
)
def test_missing_key_is_named_when_there_is_none(body: bytes) -> None:
    with pytest.raises(UnknownSource, match="The field access_key is missing") as caught:
        dropins.read("/submit", "", body)
    assert caught.value.code == "unknown_source"


@pytest.mark.parametrize(
    "path, is_mail", [("/a@b.test", True), ("/@", False), ("/a@", False), ("/x/a@b.test", False), ("/a", False)]
)
def test_mail_path_is_told_when_it_is_one(path: str, is_mail: bool) -> None:
    assert dropins.is_mail_path(path) is is_mail
