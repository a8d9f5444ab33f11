"""Forms whose sender escapes nothing, or calls what it sends something else: each sign may stand inside a value."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit import Request
from connectors.kit.decoding import decode, urlencoded

FORM, PLAIN, JSON = "application/x-www-form-urlencoded", "text/plain", "application/json"


def read(body: str, content_type: str) -> Any:
    return decode(Request("POST", "", "", {"content-type": content_type}, body.encode(), datetime(2026, 1, 15, tzinfo=UTC))).data


@pytest.mark.parametrize("content_type", [PLAIN, "text/plain; charset=utf-8", "", FORM])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Tom & Jerry", "phone": "+7 916 115-00-26"},
        {"name": "Жан", "phone": "+79161150026", "comment": "Текст & ещё"},
        {"name": "A", "url": "https://shop.example/?a=1&b=2&c=3&d=4", "phone": "+79161150026"},
        {"url": "https://shop.example/?a=1&b=2", "phone": "+79161150026"},
        {"name": "A", "formula": "x=y=z", "phone": "1"},
        {"name": "A; B", "note": "p=1; q=2;r=3", "phone": "1"},
        {"name": "R&D", "phone": "100%", "note": "5+5 %20 as it is"},
        {"q[1]": "x", "phone": "1"},
        {"name": "A", "comment": "1 < 2 > 0, {a}", "phone": "1"},
        {"name": "A", "empty": "", "phone": "1"},
    ],
)  # fmt: skip
def test_plain_lines_are_read_as_they_were_written(fields: dict[str, str], end: str, content_type: str) -> None:
    body = "".join(f"{name}={value}{end}" for name, value in fields.items())
    wanted = {"q": {"1": "x"}, "phone": "1"} if "q[1]" in fields else fields
    assert read(body, content_type) == wanted


@pytest.mark.parametrize(
    "fields", [{"Ваше имя": "Жан Код", "Ваш телефон": "+7 916 115-00-26"}, {"name": "Q&A=yes", "phone": "1"}]
)
def test_plain_lines_are_believed_further_where_the_body_calls_itself_plain(fields: dict[str, str]) -> None:
    assert read("".join(f"{name}={value}\r\n" for name, value in fields.items()), PLAIN) == fields


def test_value_keeps_its_own_lines_in_a_plain_form() -> None:
    body = "name=Жан\r\ncomment=Первая строка\r\nвторая & третья\r\n\r\nпятая\r\nphone=+79161150026\r\n"
    assert read(body, PLAIN) == {"name": "Жан", "comment": "Первая строка\nвторая & третья\n\nпятая", "phone": "+79161150026"}


@pytest.mark.parametrize("content_type", [PLAIN, JSON, FORM, "", "application/octet-stream", "text/html"])
def test_escaped_form_is_read_whatever_it_is_called(content_type: str) -> None:
    body = "name=Tom+%26+Jerry&phone=%2B7+916&note=a%3Db%3Bc%0D%0Ad"
    assert read(body, content_type) == {"name": "Tom & Jerry", "phone": "+7 916", "note": "a=b;c\r\nd"}


@pytest.mark.parametrize("content_type", [PLAIN, FORM, "", "text/plain;charset=UTF-8", "application/octet-stream"])
def test_json_is_read_whatever_it_is_called(content_type: str) -> None:
    fields = {"name": "Tom & Jerry = x; y", "phone": "+7", "note": "a\nb=c"}
    assert read(json.dumps(fields), content_type) == fields


@pytest.mark.parametrize("tail", ["=", "", "&"])
def test_json_is_read_when_it_is_the_name_of_a_field(tail: str) -> None:
    assert read("%7B%22name%22%3A%22%D0%90+%26+B%22%2C%22phone%22%3A%22%2B7%22%7D" + tail, FORM) == {
        "name": "А & B",
        "phone": "+7",
    }


@pytest.mark.parametrize(
    "body, fields",
    [
        ("name=Tom & Jerry&phone=+7 916", {"name": "Tom & Jerry", "phone": " 7 916"}),
        ("name=Том&Джерри ООО&phone=1", {"name": "Том&Джерри ООО", "phone": "1"}),
        ("name=A&amp;phone=1", {"name": "A", "phone": "1"}),
        ("company=R&D Ltd&phone=1", {"company": "R&D Ltd", "phone": "1"}),
        ("Ваше имя=А&Ваш телефон=1", {"Ваше имя": "А", "Ваш телефон": "1"}),
        ("message=first\nsecond&phone=1", {"message": "first\nsecond", "phone": "1"}),
        ("name=A&message=one\ntwo=2\nthree&phone=1", {"name": "A", "message": "one\ntwo=2\nthree", "phone": "1"}),
    ],
)
def test_form_that_forgot_to_escape_keeps_its_values_whole(body: str, fields: dict[str, str]) -> None:
    assert read(body, FORM) == fields


def test_names_without_a_value_stay_fields_of_an_escaped_form() -> None:
    assert read("subscribe&name=A", FORM) == {"subscribe": "", "name": "A"}


def test_sentence_with_a_sign_in_it_is_no_form() -> None:
    for words in ("Здравствуйте!\nЦена = 5 тысяч?\nТелефон 8 916 115-00-27", "I want A=B\nand so on"):
        assert read(words, PLAIN) == words


class _Counted:
    """A pattern that counts the bytes it was asked about."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern, self.asked = pattern, 0

    def match(self, text: bytes) -> re.Match[bytes] | None:
        self.asked += min(len(text), 256)
        return self.pattern.match(text)


@pytest.mark.parametrize("piece", [b"a\n", b"a=1\n", b"a=&b\n", b" =\n", b"a=b&c\n", b"&\n", b"=\n"])
def test_work_grows_with_the_length_only(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    work = []
    for repeat in (2_000, 4_000):
        counted = [_Counted(getattr(urlencoded, name)) for name in ("_LINE_KEY", "_LOOKS")]
        monkeypatch.setattr(urlencoded, "_LINE_KEY", counted[0])
        monkeypatch.setattr(urlencoded, "_LOOKS", counted[1])
        urlencoded.pairs(b"a=1\n" + piece * repeat, "", set(), is_plain=True)
        work.append(sum(one.asked for one in counted))
        monkeypatch.undo()
    assert work[1] <= 2 * work[0] + 1024
