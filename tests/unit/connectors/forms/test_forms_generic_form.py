"""The sender's own key, and the edges of what is one inquiry. Everything else of generic_form is in its samples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.forms.generic_form import CONNECTOR
from connectors.kit import ConnectorConfig, Request
from crm_core.arrivals import Inquiry
from crm_core.errors import Malformed

CONFIG = ConnectorConfig(region="RU", timezone="Europe/Moscow")
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def request(body: bytes, **headers: str) -> Request:
    return Request("POST", "", "", {k.replace("_", "-"): v for k, v in headers.items()}, body, NOW)


def key(body: bytes, **headers: str) -> str | None:
    assert CONNECTOR.provider_key is not None
    return CONNECTOR.provider_key(request(body, **headers), CONFIG)


@pytest.mark.parametrize(
    "body",
    [
        b'{"_key":"k-1","name":"x"}',
        b'{ "name":"x", "_key" : "k-1" }',
        b"_key=k-1&name=x",
        b"name=x&_key=k%2D1",
        b'--b\r\nContent-Disposition: form-data; name="_key"\r\n\r\nk-1\r\n--b--',
        b'{"_key":"k-1","text":"' + b"x" * 100_000 + b'"}',
        b"text=" + b"x" * 100_000 + b"&_key=k-1",
    ],
)
def test_key_is_found_when_it_is_in_the_body(body: bytes) -> None:
    found = key(body)
    assert found is not None
    assert found.partition("~")[0] == "k-1"
    assert key(body) == found


def test_key_of_a_page_counts_together_with_what_was_sent() -> None:
    """A page that a cache keeps has the same hidden `_key` for everybody."""
    assert key(b"_key=k-1&name=Anna") != key(b"_key=k-1&name=Boris")
    parts = b'--%s\r\nContent-Disposition: form-data; name="_key"\r\n\r\nk-1\r\n--%s--'
    assert key(parts % (b"first", b"first")) == key(parts % (b"other", b"other"))
    assert key(b'{"_key":"k-1","_age_ms":5,"_try":0}') == key(b'{"_key":"k-1","_age_ms":900,"_try":1}') == "k-1"


def test_header_goes_first_when_there_are_both() -> None:
    assert key(b"_key=b", idempotency_key='"quoted"') == "quoted"
    assert key(b"_key=b", idempotency_key="bare") == "bare"


def test_key_is_shortened_when_it_is_5_kb() -> None:
    long = key(b"", idempotency_key="k" * 5000)
    assert long is not None
    assert len(long) == 64
    assert long != key(b"", idempotency_key="k" * 5001)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"name=x",
        b'{"text":"say \\"_key\\":\\"no\\""}',
        b"my_key=1",
        b'{"_key":""}',
        b'{"_key":5}',
        b"\xff\x00_key",
    ],
)
def test_there_is_no_key_when_none_was_meant(body: bytes) -> None:
    assert key(body) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"  ", b"[{}]", b'""'])
def test_form_is_malformed_when_it_has_no_field(body: bytes) -> None:
    with pytest.raises(Malformed, match="The form was sent without any field"):
        CONNECTOR.parse(request(body, content_type="application/json"), CONFIG)


@pytest.mark.parametrize(
    "age, back",
    [
        ("90000", timedelta(seconds=90)),
        ("9" * 12, timedelta(days=7)),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
    ],
)
def test_time_is_put_back_when_the_browser_kept_the_inquiry(age: str, back: timedelta | None) -> None:
    (inquiry,) = CONNECTOR.parse(request(b"name=x&_age_ms=" + age.encode()), CONFIG)
    assert isinstance(inquiry, Inquiry)
    assert inquiry.submitted_at == (NOW - back if back else None)
