"""No form can send a browser to a host that its source does not allow."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.entrance.reply_page import language
from webhooks.entrance.reply_redirect import allowed_address, asked_address

HOSTS = ("example.com", "localhost:8000", "xn--e1aybc.xn--p1ai", "окна.рф", "двери.рф:8443", "." * 3 + "я")


@pytest.mark.parametrize(
    "asked, goes",
    [
        ("https://example.com", "https://example.com?lead=ok"),
        ("http://EXAMPLE.com/a?b=c#d", "http://EXAMPLE.com/a?b=c&lead=ok#d"),
        ("https://example.com:8443/", "https://example.com:8443/?lead=ok"),
        ("http://localhost:8000/x", "http://localhost:8000/x?lead=ok"),
        (
            "https://example.com/спасибо",
            "https://example.com/%D1%81%D0%BF%D0%B0%D1%81%D0%B8%D0%B1%D0%BE?lead=ok",
        ),
        ("https://тест.рф/a", "https://xn--e1aybc.xn--p1ai/a?lead=ok"),
        ("https://тест.рф:8443/a", "https://xn--e1aybc.xn--p1ai:8443/a?lead=ok"),
        ("https://окна.рф/a", "https://xn--80atjc.xn--p1ai/a?lead=ok"),
        ("https://xn--80atjc.xn--p1ai/a", "https://xn--80atjc.xn--p1ai/a?lead=ok"),
        ("https://xn--b1adem3b.xn--p1ai:8443/a", "https://xn--b1adem3b.xn--p1ai:8443/a?lead=ok"),
        ("https://двери.рф/a", ""),
        ("http://localhost:8001/x", ""),
        ("https://example.com:99999/", ""),
        ("https://example.com:x/", ""),
        ("https://sub.example.com/", ""),
        ("ftp://example.com/", ""),
        ("https://user@example.com/", ""),
        ("https:///example.com/", ""),
        ("///example.com/", ""),
        ("https://example.com\t/", ""),
        ("https://example.com\\@evil.com", ""),
    ],
)
def test_address_is_allowed_only_on_a_named_host(asked: str, goes: str) -> None:
    assert allowed_address(asked, "", HOSTS) == goes


def test_path_is_allowed_when_the_site_was_named_in_its_own_alphabet() -> None:
    """A browser's Referer has the other spelling of the same host."""
    assert allowed_address("/thanks", "https://xn--80atjc.xn--p1ai/form", HOSTS) == "https://xn--80atjc.xn--p1ai/thanks?lead=ok"


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(["https:", "http:", "//", "/", "\\", "example.com", "evil.com", "@", ":", "?", "#", ".", "\x00", " "]), max_size=8),
    st.sampled_from(["", "https://example.com/p", "https://evil.com/p"]),
)  # fmt: skip
def test_no_combination_of_parts_leads_elsewhere(parts: list[str], referrer: str) -> None:
    goes = allowed_address("".join(parts), referrer, ("example.com",))
    if goes:
        assert urlsplit(goes).hostname == "example.com"
        assert urlsplit(goes).scheme in ("http", "https")
        assert goes.isascii()
        assert goes.isprintable()


def test_asked_address_takes_the_first_known_field_and_survives_floods() -> None:
    assert asked_address("", b"redirect=b&_next=a") == "a"
    assert asked_address("multipart/form-data", b'name="_next"\r\n\r\nx\r\n') == "x"
    assert asked_address("", b"&".join(b"f%d=1" % number for number in range(2000)) + b"&_next=a") == ""
    assert asked_address("", b"\xff\xfe\x00") == ""


@pytest.mark.parametrize(
    "accept, chosen",
    [
        ("", "en"),
        ("ru", "ru"),
        ("en;q=0.1, ru;q=0.9", "ru"),
        ("RU-ru", "ru"),
        ("zh, ja", "en"),
        ("pt-BR, de;q=0.9", "pt"),
        ("de;q=0.1, it;q=0.2", "it"),
        (",;q=,", "en"),
        ("ru;q=nan", "en"),
    ],
)
def test_language_follows_the_weights(accept: str, chosen: str) -> None:
    assert language(accept, "en") == chosen
