"""Bodies as they really arrive. The numbers in comments are those of the list of cases for forms."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit import Request
from connectors.kit.decoding import Decoded, decode, limits, raw_values, read_json
from connectors.kit.forms.read_form import Draft
from connectors.kit.forms.read_form import read as kit_read
from crm_core.base.errors import Malformed

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=b"


def read(body: bytes, content_type: str = "", query: str = "", **headers: str) -> Decoded:
    given_headers = {"content-type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return decode(Request("POST", "", query, given_headers, body, datetime(2026, 1, 15, tzinfo=UTC)))


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b"name=%C8%E2%E0%ED", FORM),  # 7
        (b"name=%C8%E2%E0%ED", FORM + "; charset=windows-1251"),  # 8
        ("name=Иван".encode("cp1251"), FORM),  # 9
        ("name=Иван".encode(), FORM),  # 10
        ("name=Иван".encode(), FORM + "; charset=windows-1251"),  # declared wrongly: UTF-8 proves itself
        (b"name=%D0%98%D0%B2%D0%B0%D0%BD", ""),  # 17
        (b"name=%D0%98%D0%B2%D0%B0%D0%BD", JSON),  # 19
        ("name=Иван".encode("koi8-r"), FORM + "; charset=KOI8-R"),
        ('{"name":"Иван"}'.encode(), "text/plain;charset=UTF-8"),  # 16
        ('{"name":"Иван"}'.encode(), FORM),  # 18
        ('{"name":"Иван"}'.encode("utf-8-sig"), JSON),  # 13
        ('{"name":"Иван"}'.encode("cp1251"), JSON + "; charset=windows-1251"),  # 14
        ('{"name":"Иван"}'.encode("cp1251"), JSON),
        ('{"name":"Иван"}'.encode("utf-16"), JSON),  # 15
        ('{"name":"Иван"}'.encode("utf-16-le"), JSON),
        ('{"name":"Иван"}'.encode("utf-16-be"), JSON + "; charset=utf-16be"),
        (b'{"name":"\\u0418\\u0432\\u0430\\u043d"}', "; ; charset=nonsense"),
        ('--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nИван\r\n--b--'.encode(), MULTIPART),
        (
            '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nИван\r\n--b--'.encode("cp1251"),
            MULTIPART,
        ),  # 11
        (
            '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nИван\r\n--b--'.encode(),
            "multipart/form-data",
        ),  # 20
        ("--b\nContent-Disposition: form-data; name=name\n\nИван\n--b--".encode(), ""),
        (gzip.compress("name=Иван".encode(), mtime=0), FORM),  # 22, without the header that says so
    ],
)
def test_name_is_read_when_bytes_are_in_any_shape(body: bytes, content_type: str) -> None:
    decoded = read(body, content_type)
    assert decoded.fields["name"] == "Иван"
    assert decoded.flags == ()


def test_each_value_finds_its_encoding_when_mixed() -> None:  # 12
    body = b"name=" + "Иван".encode() + b"&city=" + "Тверь".encode("cp1251")
    assert read(body, FORM).fields == {"name": "Иван", "city": "Тверь"}
    inside = b'{"name":"' + "Иван".encode() + b'","city":"' + "Тверь".encode("cp1251") + b'"}'
    assert read(inside, JSON).fields == {"name": "Иван", "city": "Тверь"}


def test_text_stays_utf8_when_its_last_character_is_cut() -> None:
    assert read("name=Ива".encode()[:-1], FORM).fields["name"] == "Ив"
    assert read(("message=" + "слово " * 20).encode() + b"\xff", FORM).fields["message"].startswith("слово")


@pytest.mark.parametrize("body, data", [(b"", {}), (b" \r\n", {}), (b"\0" * 50, {}), (b"{}", {}), (b"[]", []), (b"null", {})])
def test_nothing_is_read_when_nothing_was_sent(body: bytes, data: Any) -> None:  # 23
    assert read(body, JSON).data == data


def test_json_values_are_kept_when_not_mappings() -> None:  # 23
    assert read(b'"str"', JSON).data == "str"
    assert read(b'[{"a":1},{"a":2}]', JSON).data == [{"a": 1}, {"a": 2}]


def test_pairs_are_split_when_separated_otherwise() -> None:
    assert read(b"a=1;b=2", FORM).fields == {"a": "1", "b": "2"}  # 24
    assert read(b"a=1;2&b=3", FORM).fields == {"a": "1;2", "b": "3"}
    assert read(b"a=1\r\nb=x y\r\n", "text/plain").fields == {"a": "1", "b": "x y"}
    assert read(b"message=first; second", FORM).fields == {"message": "first; second"}


def test_leading_space_is_kept_when_a_plus_was_not_escaped() -> None:  # 25
    assert read(b"phone=+79123456740", FORM).fields["phone"] == " 79123456740"


def test_text_can_be_stored_when_it_was_hostile() -> None:  # 26
    fields = read(b'{"a":"x\\u0000y","b":"\\ud83d!","c":NaN,"d":1e999,"e":"\xf0\x9f\x98\x80","f":"\xe2\x80\xaez"}', JSON).fields
    assert fields == {"a": "xy", "b": "!", "c": "NaN", "d": "1e999", "e": "😀", "f": "z"}
    assert read(b"a=x%00y&%00b=%ED%A0%BD1", FORM).fields["a"] == "xy"


def test_long_numbers_keep_their_digits_when_json() -> None:
    assert read(b'{"id":12345678901234567890,"n":123}', JSON).fields == {
        "id": "12345678901234567890",
        "n": 123,
    }


def test_duplicates_are_kept_when_names_repeat() -> None:  # 27
    assert read(b"city=A&city=B&city=C", FORM).fields == {"city": ["A", "B", "C"]}
    assert read(b'{"city":"A","city":"B"}', JSON).fields == {"city": ["A", "B"]}
    assert read(b'{"tags":["A","B"],"tags":"C"}', JSON).fields == {"tags": [["A", "B"], "C"]}


@pytest.mark.parametrize(
    "body, data",
    [
        (b"opt[]=1&opt[]=2", {"opt": ["1", "2"]}),
        (b"opt[]=1", {"opt": ["1"]}),
        (b"fields[name][value]=x", {"fields": {"name": {"value": "x"}}}),
        (b"a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        (b"r[0]=x&r[1]=y", {"r": ["x", "y"]}),
        (b"u[][0]=x", {"u": [["x"]]}),
        (b"a[b=1&a]b=2&[c]=3", {"a[b": "1", "a]b": "2", "[c]": "3"}),
        (b"a=1&a[b]=2", {"a": "1", "a[b]": "2"}),
        (
            b"1.3=Ivan&__proto__=1&constructor=2&=x",
            {"1.3": "Ivan", "__proto__": "1", "constructor": "2", "": "x"},
        ),  # 30
    ],
)
def test_brackets_become_levels_when_they_fit(body: bytes, data: dict[str, Any]) -> None:  # 28
    assert read(body, FORM).data == data


def test_name_stays_flat_when_its_brackets_are_a_bomb() -> None:  # 28
    assert read(b"a" + b"[" * 10_000 + b"=1", FORM).flags == (limits.TRUNCATED_VALUE,)
    assert len(read(b"a" + b"[b]" * 40 + b"=1", FORM).fields) == 1
    assert read(b"a" + b"[b]" * 40 + b"=1", FORM).flags == (limits.TOO_DEEP,)


def test_fields_above_the_limit_are_flagged_when_there_are_many() -> None:  # 29
    decoded = read(b"&".join(b"f%d=v" % n for n in range(100_000)), FORM)
    assert (len(decoded.fields), decoded.flags) == (limits.KEYS, (limits.TOO_MANY_FIELDS,))
    as_json = read(json.dumps({f"f{n}": "v" for n in range(1200)}).encode(), JSON)
    assert (len(as_json.fields), as_json.flags) == (limits.KEYS, (limits.TOO_MANY_FIELDS,))
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    assert limits.TOO_MANY_FIELDS in read(part * 1200 + b"--b--", MULTIPART).flags


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b"a=" + b"x" * 5_000_000, FORM),
        (b'{"a":"' + b"x" * 5_000_000 + b'"}', JSON),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 5_000_000 + b"\r\n--b--",
            MULTIPART,
        ),
        (gzip.compress(b"a=" + b"x" * 60_000_000, mtime=0), FORM),
    ],
)
def test_value_is_cut_when_it_is_huge(body: bytes, content_type: str) -> None:  # 29
    decoded = read(body, content_type)
    assert len(decoded.fields["a"]) == limits.VALUE_CHARS
    assert limits.TRUNCATED_VALUE in decoded.flags


def test_key_is_cut_when_it_is_huge() -> None:  # 29, 30
    assert list(read(b"k" * 64_000 + b"=1", FORM).fields) == ["k" * limits.KEY_CHARS]
    assert list(read(("я" * 300).encode() + b"=1", FORM).fields) == ["я" * limits.KEY_CHARS]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b"[" * 1_000_000,
        b"[" + b"1," * 2_500_000 + b"1]",
        b"\xff\xd8\xff\xe0" + bytes(range(32)) * 40,
        b'{"' + b'\\"' * 500_000,
        b"--b\r\n" * 100,
    ],
)
def test_error_has_words_when_nothing_can_be_read(body: bytes) -> None:
    assert _complaint(body) or read(body, JSON).data in ({}, []), "a tree of nothing is nothing"


def _complaint(body: bytes) -> str:
    try:
        read(body, JSON)
    except Malformed as error:
        return error.message
    return ""


def test_deep_values_are_kept_as_text_when_nested_too_far() -> None:
    deep = read(b'{"name":"Ivan","x":' + b'{"y":' * 20 + b"1" + b"}" * 20 + b"}", JSON)
    assert (deep.fields["name"], deep.flags) == ("Ivan", (limits.TOO_DEEP,))
    bomb = read(b'{"name":"Ivan","x":' + b'{"y":' * 10_000 + b"1" + b"}" * 10_000 + b"}", JSON)
    assert (bomb.fields["name"], bomb.flags) == ("Ivan", (limits.BROKEN_JSON,))


def test_fields_are_saved_when_json_is_broken() -> None:  # 35
    decoded = read(b'{"name":"Ivan","text":"He said "hi", ok","n":007,"tel":"+7 912"}', JSON)
    assert decoded.fields == {"name": "Ivan", "text": 'He said "hi", ok', "n": "007", "tel": "+7 912"}
    assert decoded.flags == (limits.BROKEN_JSON,)
    assert read(b'{"a":"line\nbreak"}', JSON).flags == (), "a line break in a text is read as it is"


def test_rows_are_refused_when_cutting_them_would_lose_some() -> None:
    with pytest.raises(Malformed, match="2001 inquiries"):
        read(json.dumps([{"a": 1}] * (limits.ROWS + 1)).encode(), JSON)


def test_part_finds_its_encoding_when_it_names_one() -> None:  # 11
    head = '--b\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n'
    assert read(head.encode() + "Иван".encode("koi8-r") + b"\r\n--b--", MULTIPART).fields == {"name": "Иван"}


def test_dots_stay_in_names_when_a_form_writes_levels_so() -> None:  # 28: 1.3 is a name to some, contact.name to others
    fields = read(b"contact.name=Ivan&contact.phone=%2B7+912+345-67-41&1.3=x&user.email=i%40example.com", FORM).fields
    assert list(fields) == ["contact.name", "contact.phone", "1.3", "user.email"]
    inquiry = kit_read(fields, Draft(), region="RU")
    assert (inquiry.name, inquiry.phones, inquiry.emails) == ("Ivan", ("+7 912 345-67-41",), ("i@example.com",))


def test_deep_brackets_cost_nothing_when_there_are_ten_thousand() -> None:  # 28
    decoded = read(b"name=Ivan&a" + b"[b]" * 10_000 + b"=1", FORM)
    assert decoded.fields["name"] == "Ivan"
    assert limits.TRUNCATED_VALUE in decoded.flags
    nested = read(b'{"name":"Ivan","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", JSON)
    assert (nested.fields["name"], nested.flags) == ("Ivan", (limits.BROKEN_JSON,))


def test_name_of_a_part_is_flagged_when_it_is_64_kb() -> None:  # 29
    part = b'--b\r\nContent-Disposition: form-data; name="' + b"k" * 64_000 + b'"\r\n\r\n1\r\n'
    other = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nIvan\r\n--b--'
    decoded = read(part + other, MULTIPART)
    assert decoded.fields["name"] == "Ivan"
    assert decoded.flags == (limits.TRUNCATED_VALUE,)


def test_memory_is_not_doubled_when_30_mb_were_uploaded() -> None:  # 29
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
    body = head + b"x" * 30_000_000 + b"\r\n--b--"
    tracemalloc.start()
    try:
        fields = read(body, MULTIPART).fields
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fields["f"]["size"] == 30_000_000
    assert peak < 1_000_000


@pytest.mark.parametrize("body", [b"a=" + b"x" * 30_000_000, b'{"a":"' + b"x" * 30_000_000 + b'"}'])
def test_value_is_cut_when_it_is_30_mb(body: bytes) -> None:  # 29
    decoded = read(body, FORM)
    assert (len(decoded.fields["a"]), decoded.flags) == (limits.VALUE_CHARS, (limits.TRUNCATED_VALUE,))


def test_emoji_stay_and_turning_marks_go_when_they_are_in_a_name() -> None:  # 26
    assert read("name=Иван 👍".encode(), FORM).fields == {"name": "Иван 👍"}
    assert read(b"name=%E2%80%AE%D0%98%D0%B2%E2%81%A6", FORM).fields == {"name": "Ив"}


def test_files_are_noted_when_uploaded() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a%22b.pdf"\r\nContent-Type: application/pdf\r\n\r\nPDF\r\n'
        b"--b\r\nContent-Disposition: form-data; name=\"g\"; filename*=UTF-8''%D0%B0.txt\r\n\r\nx\r\n"
        b'--b\r\nContent-Disposition: form-data; name="none"; filename=""\r\n\r\n\r\n--b--'
    )
    fields = read(body, MULTIPART).fields
    digest = hashlib.sha256(b"PDF").hexdigest()
    assert fields["f"] == {"name": 'a"b.pdf', "type": "application/pdf", "size": 3, "sha256": digest}
    assert (fields["g"]["name"], fields["g"]["size"]) == ("а.txt", 1)
    assert "none" not in fields


def test_parts_are_read_when_multipart_is_cut() -> None:  # 21
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name="c"\r\n\r\n2\r\n-'
    assert read(body, MULTIPART).fields == {"a": "1", "c": "2"}
    assert read(body, MULTIPART).flags == (limits.TRUNCATED_BODY,)


def test_query_is_apart_when_the_address_carries_marks() -> None:
    decoded = read(b"a=1", FORM, query="utm_source=ya&b[]=2")
    assert (decoded.fields, decoded.query) == ({"a": "1"}, {"utm_source": "ya", "b": ["2"]})


def test_body_is_read_as_it_is_when_it_only_says_to_be_packed() -> None:
    assert read(b"a=1", FORM, content_encoding="gzip").fields == {"a": "1"}
    cut = read(gzip.compress(b"a=1&b=" + bytes(range(48, 58)) * 500)[:-20], FORM, content_encoding="gzip")
    assert (cut.fields["a"], limits.TRUNCATED_BODY in cut.flags) == ("1", True)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(["", FORM, JSON, MULTIPART, "text/plain; charset=iso-2022-jp", FORM + ";charset=utf-7"]),
)
def test_result_can_be_stored_when_bytes_are_any(body: bytes, content_type: str) -> None:
    try:
        decoded = read(body, content_type)
    except Malformed:
        return
    text = json.dumps(decoded.data, ensure_ascii=False, allow_nan=False)
    text.encode("utf-8")
    assert "\\u0000" not in text
    assert decoded == read(body, content_type)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text("abcя_ ", min_size=1, max_size=8),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf"]), max_size=20),
    )
)
def test_json_comes_back_when_it_was_clean(data: dict[str, str]) -> None:
    expected = {unicodedata.normalize("NFC", k): unicodedata.normalize("NFC", v) for k, v in data.items()}
    assert read(json.dumps(data).encode(), JSON).fields == expected


def test_raw_values_are_the_bytes_when_a_signature_covers_them() -> None:
    body = b"key=k&json=%7B%22a%22%3A+%22%00e%CC%81%22%7D&sign=s&sign=second"
    assert raw_values(body) == {"key": b"k", "json": b'{"a": "\x00e\xcc\x81"}', "sign": b"s"}
    assert raw_values(b"\xff&=&&a") == {"\ufffd": b"", "": b"", "a": b""}


def test_json_in_a_field_is_read_when_it_is_some() -> None:
    assert read_json('{"a":"x\\u0000","b":[1]}') == {"a": "x", "b": [1]}
    for broken in ("", "{", "[" * 10_000, "nothing"):
        with pytest.raises(Malformed, match="should hold JSON"):
            read_json(broken)


PIECES = st.sampled_from(
    ["a", "b[c]=", "b[0]=", "&", "=", "%", "+", "%D0%98", "%d0%b8", "%CC%86", "%26", "%3D", "%0D%0A", "%C8", "%E2%80%AE", "%00",
     "%7F", "%zz", "%%", "%25", "3D", "Я", "e\u0301", "data:;base64,AAAA", "\x00", ";", "x" * 300]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join), st.sampled_from(["", "; charset=windows-1251"]))
def test_form_reads_the_same_when_its_values_must_be_read_one_by_one(text: str, charset: str) -> None:
    body = f"&{text}&".encode()
    together = read(body + b"zz=1", FORM + charset)
    one_by_one = read(body + b"zz=%09", FORM + charset)  # a tabulator parts the values that are read together
    assert {**together.fields, "zz": ""} == {**one_by_one.fields, "zz": ""}
    assert together.flags == one_by_one.flags


KEYS = st.sampled_from(["a", "я", "name", "filename", "content", "data", "type", "e\u0301", "\x7f", "k" * 300])
TEXTS = st.sampled_from(
    ["", "x", "Имя", "e\u0301", "\u202e", "\x00", "\x08", "a.pdf", "QUJD", "data:;base64,QUJD", "😀", "é", "№", "—"]
)
TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=5), st.booleans())
def test_json_reads_the_same_when_it_must_be_walked_through(data: dict[str, Any], escaped: bool) -> None:
    quickly = read(json.dumps({**data, "zz": "1"}, ensure_ascii=escaped).encode(), JSON)
    walked = read(json.dumps({**data, "zz": "\x01"}, ensure_ascii=escaped).encode(), JSON)
    assert {**quickly.fields, "zz": ""} == {**walked.fields, "zz": ""}
    assert quickly.flags == walked.flags


def test_limits_hold_when_text_is_clean() -> None:
    deep: Any = "x"
    for _ in range(limits.DEPTH + 1):
        deep = [deep]
    assert read(json.dumps({"a": deep}).encode(), JSON).flags == (limits.TOO_DEEP,)
    many = read(json.dumps({f"k{number}": "x" for number in range(limits.KEYS + 1)}).encode(), JSON)
    assert many.flags == (limits.TOO_MANY_FIELDS,)
    assert len(many.fields) == limits.KEYS
    assert read(json.dumps({"k" * (limits.KEY_CHARS + 1): ["x"]}).encode(), JSON).flags == (limits.TRUNCATED_VALUE,)
    assert read(b'{"a":{"b":"1","b":"2"}}', JSON).fields == {"a": {"b": ["1", "2"]}}
