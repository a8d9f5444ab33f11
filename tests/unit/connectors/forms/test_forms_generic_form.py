"""The sender's own key, and the edges of what is one inquiry. Everything else of generic_form is in its samples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from connectors.forms.generic_form import CONNECTOR
from connectors.kit import ConnectorConfig, Request
from crm_core.base.errors import Malformed
from crm_core.parsed import Inquiry

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


SERIALIZED = """[
    {"name": "name", "value": "Анна"}, {"name": "phone", "value": "+7 912 345-67-41"},
    {"name": "message", "value": "Перезвоните"}, {"name": "form_id", "value": "7"}
]"""


def inquiries(body: str, content_type: str = "application/json") -> list[Inquiry]:
    found = CONNECTOR.parse(request(body.encode(), content_type=content_type), CONFIG)
    return [one for one in found if isinstance(one, Inquiry)]


def test_form_is_one_inquiry_when_its_fields_come_as_an_array() -> None:
    (inquiry,) = inquiries(SERIALIZED)
    assert (inquiry.name, inquiry.phones, inquiry.message) == ("Анна", ("+7 912 345-67-41",), "Перезвоните")
    assert inquiry.form_id == "7"


@pytest.mark.parametrize(
    "body",
    [
        '[{"name": "Анна", "phone": "+79123456741", "value": "5000"}, {"name": "Ольга", "phone": "+79123456742"}]',
        '[{"name": "Анна", "value": "5000", "email": "a@example.com"}, {"name": "Ольга", "value": "1", "email": "o@example.com"}]',
        '[{"name": "Анна", "value": "1", "city": "Тверь"}, {"name": "Ольга", "value": "2", "city": "Омск"}]',
        '[{"name": "Анна", "value": "+79123456741"}, {"name": "Ольга", "message": "Перезвоните"}]',
    ],
)
def test_forms_are_inquiries_of_their_own_when_they_come_as_an_array(body: str) -> None:
    assert [inquiry.name for inquiry in inquiries(body)] == ["Анна", "Ольга"]


def test_form_is_understood_when_jquery_packed_it_into_one_field() -> None:
    packed = "name=%D0%90%D0%BD%D0%BD%D0%B0&phone=%2B7+912+345-67-41&city=%D0%A2%D0%B2%D0%B5%D1%80%D1%8C"
    (inquiry,) = inquiries(urlencode({"action": "send_lead", "data": packed}), "application/x-www-form-urlencoded")
    assert (inquiry.name, inquiry.phones) == ("Анна", ("+7 912 345-67-41",))
    assert inquiry.fields == {"data": {"city": "Тверь"}}


@pytest.mark.parametrize("text", ["a=b", "1=1&2", "name=Анна&x=1", "цена=5 & срок=3", "?name=x&phone=1"])
def test_words_stay_words_when_they_only_look_packed(text: str) -> None:
    (inquiry,) = inquiries(urlencode({"name": "Анна", "data": text}), "application/x-www-form-urlencoded")
    assert inquiry.fields == {"data": text}
