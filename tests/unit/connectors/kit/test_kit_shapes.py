"""Texts that hold a form, descriptions beside values, and values that arrived damaged. The door's own cases: tests/cases/shapes.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from connectors.kit.decoding import Decoded, jsontext, limits, literal
from connectors.kit.forms.fields import form_fields
from connectors.kit.forms.shapes import (
    damage,
    data_of,
    lines,
    restructured,
    table,
    vcard,
    with_lines_of_message,
    xml,
)
from crm_core.base.errors import Malformed


def of_text(text: str, content_type: str = "text/plain") -> Any:
    return data_of(Decoded("text", text), content_type)


@pytest.mark.parametrize(
    "text",
    [
        "Здравствуйте! Сколько стоит кухня?\nМой телефон: 8 916 115-00-27",
        "Hello,\nplease call me: tomorrow",
        "Цена: 5000\nРазмер: 3 на 4",
        "See https://shop.example/a: it is broken\nhttps://shop.example/b: too",
        "<p>Hello</p>",
        "<!DOCTYPE html><html><body>Name: Ann</body></html>",
        "< 5 pieces, phone: 8 916",
        "a, b, c\nd, e, f",
        "name, what is your phone?\nI do not know",
        "BEGIN to end",
        "",
    ],
)
def test_words_stay_words(text: str) -> None:
    assert of_text(text) == text


def test_rows_of_a_table_are_inquiries_each() -> None:
    assert of_text("name,phone\nAnn,1\n\nBob,2\n", "text/csv") == [{"name": "Ann", "phone": "1"}, {"name": "Bob", "phone": "2"}]
    assert of_text("Имя|E-mail\nЗоя|z@example.ru") == {"Имя": "Зоя", "E-mail": "z@example.ru"}
    with pytest.raises(Malformed):
        of_text("name,phone\n" + "Ann,1\n" * (limits.ROWS + 1), "text/csv")


@pytest.mark.parametrize("text", ['name,phone\n"Ann,1\n', "name,phone\nAnn,1,2,3\n", "name,phone\r\rx\n1,2"])
def test_broken_table_is_read_or_left_but_never_raises(text: str) -> None:
    assert of_text(text, "text/csv")


@pytest.mark.parametrize(
    "text, fields",
    [
        ("<lead><name>A</name></lead>", {"name": "A"}),
        ("<x><y><z><name>A</name><phone>1</phone></z></y></x>", {"name": "A", "phone": "1"}),
        ("<l><tag>x</tag><tag>y</tag></l>", {"tag": ["x", "y"]}),
        ('<l><id source="s">7</id><e/><n a="1"/></l>', {"id": "7", "id_source": "s", "n": {"a": "1"}}),
        ('<l><param key="phone" value="1"/><param key="name">A</param></l>', {"phone": "1", "name": "A"}),
        ("<l><name>A</name><phone>1</pho", {"name": "A", "phone": "1"}),  # cut
        ("<l>\n<name>A &nbsp; & B</name><x>1</x></l>", {"name": "A &nbsp; & B", "x": "1"}),
    ],
)
def test_xml_becomes_fields(text: str, fields: dict[str, Any]) -> None:
    assert of_text(text) == fields


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><l><name>&b;</name></l>',
        '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]><l><name>&x;</name></l>',
        '<!DOCTYPE l SYSTEM "http://127.0.0.1/x.dtd"><l><name>&x;</name></l>',
    ],
)
def test_entities_are_never_resolved(text: str) -> None:
    read = json.dumps(of_text(text))
    assert "aaaaaaaaaaaa" not in read
    assert xml.fields_of(text, set()).get("name", "") in ("", "&x;")


def test_xml_is_bounded_in_depth_and_number() -> None:
    flags: set[str] = set()
    xml.fields_of("<a>" * 10_000 + "x" + "</a>" * 10_000, flags)
    many = xml.fields_of("<l>" + "<a>x</a>" * 50_000 + "</l>", flags)
    assert flags == {limits.TRUNCATED_BODY, limits.TOO_MANY_FIELDS}
    assert len(many["a"]) <= limits.KEYS


def test_message_with_labels_is_read_only_where_nothing_else_says_who_writes() -> None:
    told = "Имя: Зина\nТелефон: 8 916 115-00-27\nЖду звонка"
    assert with_lines_of_message({"message": told, "form": "x"}) == {
        "Имя": "Зина", "Телефон": "8 916 115-00-27", "message": "Жду звонка", "form": "x",
    }  # fmt: skip
    named = {"message": told, "name": "Olga"}
    assert with_lines_of_message(named) is named
    several = {"message": told, "note": told}
    assert with_lines_of_message(several) is several


@pytest.mark.parametrize(
    "data",
    [
        {"name": "A", "fields": {"phone": "1"}},
        {"name": "A", "labels": ["x", "y"]},
        {"key1": "A sentence", "note1": "x"},
        {"q1": "yes", "q2": "no"},
        {"fields": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]},
        {"name1": "Ann", "name2": "Bob", "phone1": "1"},
    ],
)
def test_form_that_needs_no_description_stays_as_it_is(data: dict[str, Any]) -> None:
    assert restructured(data) is data


def test_answers_stand_under_their_questions() -> None:
    rows = [{"question": "Phone", "answer": "1", "position": 0}, {"title": "Tags", "values": ["a", "b"]}]
    assert [(form_field.name, form_field.label, form_field.value) for form_field in form_fields({"answers": rows})] == [
        ("", "Phone", "1"), ("", "Tags", ["a", "b"]),
    ]  # fmt: skip
    # A form that has a field of such a name is no description.
    assert [form_field.name for form_field in form_fields({"order": {"name": "A", "phone": "1", "answer": "yes"}})] == [
        "name",
        "phone",
        "answer",
    ]


@pytest.mark.parametrize(
    "text, value",
    [
        ("{'a': 'it\\'s \"x\"', 'b': True, 'c': None, 'd': (1, 2), 'e': -1.5}", {"a": 'it\'s "x"', "b": True, "c": None, "d": [1, 2], "e": -1.5}),
        ("{a: 'x', b: \"y\", /* c */ d: [1,], // end\n}", {"a": "x", "b": "y", "d": [1]}),
        ('{"a"=>"x", "b"=>nil}', {"a": "x", "b": None}),
        ("{'a': u'x', 'b': '\\x41\\u0418\\n'}", {"a": "x", "b": "AИ\n"}),
        ("{`a`: `x`}", {"a": "x"}),
    ],
)  # fmt: skip
def test_literal_of_another_language_becomes_json(text: str, value: Any) -> None:
    assert json.loads(literal.as_json(text)) == value


@pytest.mark.parametrize("text", ["{'a': 'it's'}", "{'a': 'x", "{'a' + 1}", "{'a': f(x)}{", "{::}"])
def test_what_is_no_literal_is_left(text: str) -> None:
    written = literal.as_json(text)
    with pytest.raises(ValueError):
        json.loads(written)


def test_json_is_opened_as_often_as_it_was_encoded_within_reason() -> None:
    value: Any = {"a": "1"}
    for _ in range(2):
        assert jsontext.inner(value) == {"a": "1"}
        value = json.dumps(value)
    assert jsontext.inner("{no json") == "{no json"
    assert jsontext.inner(7) == 7


@pytest.mark.parametrize(
    "text",
    [
        "Tom & Jerry; friends", "AT&T", "50% off; 100%", "C:\\users\\ulia", "https://shop.example/?a=1&copy=2;b", "%D0", "a%20b",
        "https://shop.example/%D0%98%D0%B2", "Її", "Ні, ні", "СВЕТА И РОМА", "Рёв «Север»", "ESPAÑA", "NÃO", "Ñandú", "É «o»",
        "Ærøskøbing", "Ђорђе", '{"a": "&amp;"}', "Р°", "№ 5 Р/С", "Größe: 5×5",
    ],
)  # fmt: skip
def test_what_is_whole_stays_whole(text: str) -> None:
    assert damage.repaired_text(text) == text


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Иван", "page": "https://a.example/?a=1&b=2", "note": "СВЕТА И РОМА"},
        {"name": "Ann", "tags": ["a", {"b": "c & d"}], "file": {"x": 1}},
        {"Größe": "5", "Naïve": "é"},
        {"name": "50 %; A & B"},
    ],
)
def test_ordinary_form_is_the_very_same(fields: dict[str, Any]) -> None:
    assert damage.repaired(fields) is fields


def test_damage_is_mended_on_every_level_and_in_names() -> None:
    hurt = {"Ð˜Ð¼Ñ": "x", "a": [{"b": "Tom &amp; Jerry"}], "c": {"d": "%D0%98%D0%BB%D1%8C%D1%8F"}}
    assert damage.repaired(hurt)["a"] == [{"b": "Tom & Jerry"}]
    assert damage.repaired(hurt)["c"] == {"d": "Илья"}
    assert damage.repaired({"Ð¢ÐµÐ»": "1"}) == {"Тел": "1"}


def _steps(function: Callable[[], object]) -> int:
    """Lines of Python that were run."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


_HOSTILE = {
    "xml": (lambda text: xml.fields_of("<l>" + text, set()), ("<a>", "<a>x</a>", "&", "<a b='c' ", "<![CDATA[", "&#1;", "</a>", "<!--")),
    "lines": (lines.fields_of, ("a: b\n", "a\n", ":\n", "Phone: 1\n", ", a: ", "<br>", "<", "Name: \n", "* ")),
    "table": (lambda text: _quietly(table.rows_of, "name,phone\n" + text, "text/csv"), ("a,b\n", '"', '"a""', ",", "\r", "a\n")),
    "vcard": (lambda text: vcard.fields_of("BEGIN:VCARD\n" + text), ("TEL:1\n", "A", ";", ":", "TEL;A=B;", "\n ", "=\n", "N:;;\n")),
    "literal": (literal.as_json, ("'a',", "'", "\\", "{", "/*", "//", "a", "1.", "=>", " ", '"a":', "`")),
    "damage": (damage.repaired_text, ("&amp;", "&", "%D0%98", "%", "\\u0418", "\\u", "Ð˜", "РЁ", "Ð", "&#")),
    "pairs": (lambda text: restructured({f"{text[:3]}{n}": "x" for n in range(len(text))}), ("key", "kkk", "q_1")),
    "described": (lambda text: restructured({**dict.fromkeys(text, "v"), "labels": dict.fromkeys(text, "l")}), ("a", "ab")),
}  # fmt: skip


def _quietly(function: Callable[..., object], *given: Any) -> None:
    try:
        function(*given)
    except Malformed:
        return


@pytest.mark.parametrize("name, piece", [(name, piece) for name, (_, pieces) in _HOSTILE.items() for piece in pieces])
def test_twice_the_text_is_at_most_about_twice_the_work(name: str, piece: str) -> None:
    function = _HOSTILE[name][0]
    few, many = (_steps(lambda size=size: function(piece * size)) for size in (400, 800))  # type: ignore[misc]
    assert many <= 2.2 * few + 200
