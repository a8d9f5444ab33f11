"""A mapping instead of Python: what it can say, and how it says what is wrong with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from connectors.kit import Connector, ConnectorConfig, Request, preset
from connectors.kit.preset.paths import find, matches
from crm_core.base.errors import Malformed, Misconfigured
from crm_core.parsed import Ignored, Inquiry

CONFIG = ConnectorConfig(region="RU", timezone="Europe/Moscow")
PRESET = """
title: Builder
channel: form
reply: {status: 200, type: text/plain, body: ok}
handshake: [{form: {test: test}, size: 1}]
event_id: [$.tranid]
unwrap:
  - json_string: $.payment
  - {cookies: $.COOKIES, keep: [MARKS, _ga]}
  - {kv: $.MARKS, sep: "|||"}
fields:
  name: {from: [$.Name, "@role:name"]}
  phone: {from: [$.Phone, $.Phone2]}
  message: {join: [$.Comments, $.Textarea], sep: " / "}
  line: {const: kitchens}
  submitted_at: {from: [$.at]}
  utm: {from: ["$.MARKS.*", "@url:$.page"]}
  client_ids.ga: {from: [$.visitor]}
extra: {keep: "*", drop: [COOKIES, "x_*"]}
test_if: [{path: $.Email, eq: test@example.com}]
skip_if: [{path: $.kind, in: [ping, status], code: not_a_form}]
"""


def loaded(tmp_path: Path, text: str = PRESET, name: str = "builder") -> Connector:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    (folder / "preset.yaml").write_text(text, encoding="utf-8")
    return preset.load(folder)


def post(**data: str) -> Request:
    return raw(urlencode(data).encode(), "application/x-www-form-urlencoded")


def raw(body: bytes, content_type: str = "application/json") -> Request:
    return Request("POST", "", "", {"content-type": content_type}, body, datetime(2026, 1, 15, tzinfo=UTC))


def one(connector: Connector, request: Request) -> Inquiry:
    (parsed_item,) = connector.parse(request, CONFIG)
    assert isinstance(parsed_item, Inquiry)
    return parsed_item


def test_fields_are_filled_when_mapped(tmp_path: Path) -> None:
    connector = loaded(tmp_path)
    request = post(
        Name="Иван", Phone="8 912 345-67-50", Phone2="8 912 345-67-51", Comments="a", Textarea="b", tranid="1:2", at="2026-01-15 10:00:00",
        payment='{"orderid":"7","products":["P"]}', page="https://shop.example.com/?utm_campaign=c", visitor="v1", Цвет="red", x_noise="1",
        COOKIES="_ga=GA1.2.1.2; MARKS=utm_source%3Dvk%7C%7C%7Camp%3Butm_medium%3Dcpc; session=secret",
    )  # fmt: skip
    inquiry = one(connector, request)
    assert (inquiry.name, inquiry.message, inquiry.line) == ("Иван", "a / b", "kitchens")
    assert inquiry.phones == ("8 912 345-67-50", "8 912 345-67-51")
    assert inquiry.submitted_at == datetime.fromisoformat("2026-01-15T10:00:00+03:00")
    assert inquiry.attribution.utm == {"utm_source": "vk", "utm_medium": "cpc", "utm_campaign": "c"}
    assert inquiry.attribution.client_ids == {"ga": "v1"}
    assert inquiry.fields["payment"] == {"orderid": "7", "products": ["P"]}
    assert inquiry.fields["Цвет"] == "red"
    assert not {"x_noise", "COOKIES", "session"} & set(inquiry.fields)
    assert "secret" not in repr(inquiry)
    assert connector.provider_key is not None
    assert connector.provider_key(request, CONFIG) == "1:2"
    assert connector.reply is not None
    assert connector.reply(request, CONFIG).body == b"ok"


def test_handshake_is_answered_when_it_is_one_and_nothing_else(tmp_path: Path) -> None:
    connector = loaded(tmp_path)
    assert connector.handshake is not None
    assert connector.handshake(post(test="test"), CONFIG) is not None
    assert connector.handshake(post(test="test", Phone="89123456752"), CONFIG) is None
    assert connector.handshake(post(test="other"), CONFIG) is None
    assert connector.handshake(raw(b"\xff" * 2000), CONFIG) is None


def test_rest_is_read_by_name_when_the_mapping_is_silent(tmp_path: Path) -> None:
    inquiry = one(loaded(tmp_path), post(Имя="Анна", Телефон="+7 912 345-67-53", Email="anna@example.com", utm_term="t"))
    assert (inquiry.name, inquiry.phones, inquiry.emails) == (
        "Анна",
        ("+7 912 345-67-53",),
        ("anna@example.com",),
    )
    strict = loaded(tmp_path, "title: S\nchannel: form\nread_names: false\n", "strict")
    assert one(strict, post(Имя="Анна", utm_term="t")).fields == {"Имя": "Анна"}


def test_arrival_is_a_test_or_ignored_when_the_mapping_says_so(tmp_path: Path) -> None:
    connector = loaded(tmp_path)
    assert one(connector, post(Email="test@example.com")).is_test
    assert not one(connector, post(Email="nottest@example.com")).is_test
    assert connector.parse(post(kind="ping"), CONFIG) == [Ignored("not_a_form", "$.kind")]


def test_mark_has_the_chosen_name_when_mapped_one_by_one(tmp_path: Path) -> None:
    text = "title: M\nchannel: form\nfields:\n  client_ids.vendor: {from: [$.vid]}\n  utm.utm_source: {from: [$.src]}\n"
    attribution = one(loaded(tmp_path, text, "marks"), post(vid="v1", src="ya", utm_medium="cpc")).attribution
    assert (attribution.client_ids, attribution.utm) == (
        {"vendor": "v1"},
        {"utm_source": "ya", "utm_medium": "cpc"},
    )


def test_rows_are_all_read_when_json_is_an_array(tmp_path: Path) -> None:
    body = json.dumps([{"Name": "A"}, {"Name": "B", "tranid": 5}]).encode()
    assert [a.name for a in loaded(tmp_path).parse(raw(body), CONFIG) if isinstance(a, Inquiry)] == ["A", "B"]


def test_form_is_malformed_when_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="without any field"):
        loaded(tmp_path).parse(raw(b"{}"), CONFIG)


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "title: x\nchannel: form\nfields:\n  phon: {from: [$.a]}\n",
            "line 4: fields: 'phon' is not known here",
        ),
        ("title: x\nchannel: form\nevent_ids: [$.a]\n", "line 3: the file: 'event_ids' is not known here"),
        ("title: x\nchannel: mail\n", "line 2: channel: 'mail'"),
        ("channel: form\n", "'title' is a required property"),
        ("title: x\nchannel: form\nhandshake: [{form: {test: ~}}]\n", "line 3"),
        ("title: x\ntitle: y\nchannel: form\n", "line 2: 'title' stands twice"),
        ("title: &a x\nchannel: form\nreply: {body: *a}\n", "line 1: anchors, aliases and tags"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "anchors, aliases and tags"),
        ("title: !!python/object/apply:os.system ['true']\nchannel: form\n", "anchors, aliases and tags"),
        ("title: x\nchannel: form\nfields:\n  name:\n    from: ['@match:(a+)+$']\n", "line 5"),
        ("title: x\nchannel: form\nfields:\n  name:\n    from: ['$.*a*a*a*a*']\n", "line 5"),
        ("{" * 500, "preset.yaml"),
        ("- - - - x", "line 1"),
        ("", "line 1"),
        ("title: x\nchannel: form\n# " + "x" * 70_000, "at most"),
    ],
)
def test_mistake_is_told_with_its_line_when_a_preset_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        loaded(tmp_path, text)
    assert "builder/preset.yaml" in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize(
    "path, found",
    [
        ("$.a", [("a",)]),
        ("$.b.c", [("b", "c")]),
        ("$.1.3", [("1.3",)]),
        ("$.b.*", [("b", "c"), ("b", "d")]),
        ("$.utm_*", [("utm_source",), ("utm_medium",)]),
        ("$.list.x", [("list", 0, "x"), ("list", 1, "x")]),
        ("$.*.c", [("b", "c")]),
        ("$.none", []),
    ],
)
def test_path_finds_places_when_the_tree_has_them(path: str, found: list[tuple[str | int, ...]]) -> None:
    tree = {
        "a": 1,
        "b": {"c": 2, "d": 3},
        "1.3": 4,
        "utm_source": 5,
        "utm_medium": 6,
        "list": [{"x": 1}, {"x": 2}, "y"],
    }
    assert [place for place, _ in find(tree, path)] == found


def test_star_stands_for_any_text_when_matched() -> None:
    assert matches("utm_source", "utm_*")
    assert matches("abc", "a*c")
    assert not matches("ac", "ac*c")
    assert not matches("a" * 5000, "*b*b*b")
