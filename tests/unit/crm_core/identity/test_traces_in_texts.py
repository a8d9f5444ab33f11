"""A person's number and address in a text, in whatever spelling and encoding they stand there."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import pytest

from crm_core.identity.traces import sought

PHONE = sought([("phone", "+79123456701")])
EMAIL = sought([("email", "ivan.petrov@example.com")])


@pytest.mark.parametrize(
    "text",
    [
        "+79123456701", "89123456701", "9123456701", "8 (912) 345-67-01", "+7 912 345 67 01", "007 912 3456701",
        "8-912-345-67-01 доб. 12", "call 8.912.345.67.01, please", "tel:+7-912-345-67-01", "８９１２３４５６７０１",
        "٩١٢٣٤٥٦٧٠١", "89123456701, 84951234567", "84951234567 89123456701", "%2B79123456701", "%252B7%2520912%25203456701",
        "+7\u00a0912\u00a0345\u201167\u201101", "\\u002b7 912 345 67 01", "phone=8%28912%29345-67-01", "&#43;79123456701",
        base64.b64encode("Иван, +7 912 345-67-01".encode()).decode(),
        base64.urlsafe_b64encode(b'{"phone":"79123456701"}').decode().rstrip("="),
    ],
)  # fmt: skip
def test_number_when_it_is_written_somehow_is_found(text: str) -> None:
    assert PHONE.is_in(text)


@pytest.mark.parametrize(
    "text",
    ["", "+79123456702", "123456789123456701", "91234567010", "912345670", "912,345,67,01", "9123456 and 701", "order 912-345"],
)
def test_number_when_it_is_another_one_is_not_found(text: str) -> None:
    assert not PHONE.is_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "ivan.petrov@example.com", "Ivan.Petrov@EXAMPLE.com", "<ivan.petrov@example.com>", "mailto:ivan.petrov@example.com",
        "Иван <Ivan.Petrov@example.com>, Пётр", "email=ivan.petrov%40example.com", "ivan.petrov&#64;example.com",
        "ivan.petrov\\u0040example.com", "?q=1&mail=ivan.petrov%2540example.com&x", "write to ivan.petrov@example.com.",
        '{"a":"ivan.petrov@example.com"}', base64.b64encode(b"reply-to ivan.petrov@example.com").decode(),
        "x" * 5000 + " ivan.petrov@example.com",
    ],
)  # fmt: skip
def test_address_when_it_is_written_somehow_is_found(text: str) -> None:
    assert EMAIL.is_in(text)


@pytest.mark.parametrize("text", ["", "petrov@example.com", "ivan.petrov@example.org", "ivan petrov at example.com", "@", "a@@b"])
def test_address_when_it_is_another_one_is_not_found(text: str) -> None:
    assert not EMAIL.is_in(text)


def test_mailbox_when_the_provider_ignores_dots_is_one() -> None:
    assert sought([("email", "ivanpetrov@gmail.com")]).is_in(quote("Ivan.Petrov+shop@googlemail.com"))


def test_number_when_it_is_too_short_is_no_trace() -> None:
    short = sought([("phone", "+7123")])
    assert short
    assert not short.is_in("7123")
    assert not sought([])


@pytest.mark.parametrize(
    "text",
    ["a" * 2_000_000 + "@", "@" * 20_000, "9 1 2 3 4 5 6 7 0 " * 50_000, "%25" * 300_000, "\\u0041" * 200_000],
    ids=["no_blank", "at_signs", "digits", "percents", "escapes"],
)
def test_search_when_the_text_is_hostile_comes_to_an_end(text: str) -> None:
    started = time.process_time()
    both = sought([("phone", "+79123456701"), ("email", "ivan.petrov@example.com")])
    assert not both.is_in(text)
    assert time.process_time() - started < 20  # no measure of speed: what goes wrong here goes wrong by hours
