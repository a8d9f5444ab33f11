"""Whose post it is, at an address for any form: by signs, the most particular first, the same each time."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path

import pytest
from preset_maker import NOW, posted

from connectors.forms.generic_form import CONNECTOR
from connectors.kit import Connector, Detect, Request, registry
from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.detect import HEAD_BYTES, TAIL_BYTES, compiled, recognised
from connectors.kit.tools.samples import samples_of
from crm_core.parsed import Inquiry

CONFIG = FormConfig(region="RU", timezone="Europe/Moscow")


def one(name: str, *signs: tuple[str, ...]) -> Connector:
    return Connector(name, "form", name, lambda _request, _config: [], detect=Detect(signs))


@pytest.mark.parametrize(
    "part, body, holds",
    [
        ("field:tranid", b"tranid=1", True),
        ("field:tranid", b"a=1&tranid=2", True),
        ("field:tranid", b"a=1&my_tranid=2", False),
        ("field:tranid", b'{"tranid": 1}', True),
        ("field:tranid", b'name="tranid"\r\n\r\n1', True),
        ("field:form[id]", b"a=1&form%5Bid%5D=2", True),
        ("field:form[id]", b"form[id]=2", True),
        ("body:test=test", b"test=test", True),
        ("body:test=test", b"test=test&a=b", False),
        ('"a"', b'{"a":1}', True),
        ('"a"', b"a=1", False),
        ("loose", b"x=a loose word", True),
        ("loose", b"x" * (HEAD_BYTES + TAIL_BYTES) + b"loose" + b"y" * TAIL_BYTES, False),
        ("loose", b"x" * 50_000 + b"loose", True),
    ],
)
def test_sign_holds_when_its_bytes_are_where_they_belong(part: str, body: bytes, holds: bool) -> None:
    detector = compiled([one("acme", (part,))])
    assert recognised(detector, posted(body)) == ("acme" if holds else "")


def test_header_and_query_are_signs_when_they_are_there() -> None:
    detector = compiled(
        [
            one("h", ("header:x-acme",)),
            one("q", ("query:key", "query:site")),
            one("both", ("query:key", "word")),
        ]
    )
    assert recognised(detector, posted(b"a=1", x_acme="1")) == "h"
    assert recognised(detector, posted(b"a=1", query="site=1&key=2")) == "q"
    assert recognised(detector, posted(b"a=1", query="site=1&monkey=2")) == ""
    assert recognised(detector, posted(b"word", query="key=")) == "both"


def test_most_particular_wins_when_several_hold() -> None:
    connectors = [
        one("b", ("aa",)),
        one("a", ("aa",)),
        one("two", ("aa", "b")),
        one("long", ("aab",)),
        one("head", ("header:x", "q")),
    ]
    for order in (connectors, connectors[::-1]):
        detector = compiled(order)
        assert recognised(detector, posted(b"aa")) == "a", "ties by name"
        assert recognised(detector, posted(b"aab")) == "two"
        assert recognised(detector, posted(b"aabq", x="1")) == "head"
    assert recognised(compiled([]), posted(b"aa")) == ""


#: The same provider's other shape.
_SIBLINGS = {"tilda": "tilda_json"}


def choosable() -> list[str]:
    return [
        name
        for name, connector in registry.discover().items()
        if connector.detect is not None and connector.fetch is None and registry.folder_of(name)
        and not any(field.is_required() for field in connector.config_model.model_fields.values())
    ]  # fmt: skip


@pytest.mark.parametrize("name", choosable())
def test_preset_knows_its_own_samples_when_they_come_to_any_form(name: str) -> None:
    """At least one of its samples; and none is taken by a stranger."""
    folder = registry.folder_of(name)
    assert folder
    assert CONNECTOR.reads_as is not None
    posts = [s.request for s in samples_of(registry.get(name), folder) if s.expected and any(
        parsed_item["type"] == "Inquiry" for parsed_item in s.expected.get("arrivals", ()))]  # fmt: skip
    read_by = [CONNECTOR.reads_as(request) for request in posts]
    assert name in read_by
    assert set(read_by) <= {name, "", _SIBLINGS.get(name)}, f"samples of {name} are read by {set(read_by)}"


def test_plain_forms_belong_to_nobody_when_they_come_to_any_form() -> None:
    folder = registry.folder_of("generic_form")
    assert folder
    assert CONNECTOR.reads_as is not None
    strangers = {s.folder.name: name for s in samples_of(CONNECTOR, folder) if (name := CONNECTOR.reads_as(s.request))}
    assert set(strangers) <= {"html__elementor_advanced", "json__broken_by_a_quote"} | {
        n for n in strangers if n.startswith(("known__", "handshake__"))
    }


def test_preset_reads_and_answers_when_the_address_names_it() -> None:
    body = b'{"Name":"Anna","Phone":"+7 912 345-67-66","tranid":"1:2"}'
    named = Request("POST", "tilda", "", {"content-type": "application/json"}, body, NOW)
    assert CONNECTOR.reads_as is not None
    assert CONNECTOR.reads_as(named) == "tilda"
    assert CONNECTOR.provider_key is not None
    assert CONNECTOR.provider_key(named, CONFIG) == "tilda:1:2"
    assert CONNECTOR.reply is not None
    answer = CONNECTOR.reply(named, CONFIG)
    assert answer is not None
    assert answer.body == b"ok"
    assert CONNECTOR.handshake is not None
    shaken = CONNECTOR.handshake(Request("POST", "tilda", "", {}, b"test=test", NOW), CONFIG)
    assert shaken is not None
    assert shaken.body == b"ok"


@pytest.mark.parametrize("path", ["unknown", "generic_form", "zadarma", "meta", "tildas/x", "../tilda"])
def test_form_is_read_by_names_when_the_address_names_no_preset_for_it(path: str) -> None:
    request = Request(
        "POST",
        path,
        "",
        {"content-type": "application/x-www-form-urlencoded"},
        b"name=Anna&phone=89123456767",
        NOW,
    )
    assert CONNECTOR.reads_as is not None
    assert CONNECTOR.reads_as(request) == ""
    (read,) = CONNECTOR.parse(request, CONFIG)
    assert isinstance(read, Inquiry)
    assert (read.name, read.phones) == ("Anna", ("89123456767",))


def test_own_settings_reach_the_preset_when_it_reads_for_any_form() -> None:
    config = FormConfig(region="RU", timezone="Europe/Moscow", honeypots=["Trap"], consent_fields={"box": "marketing"})
    body = json.dumps({"Name": "Anna", "tranid": "1:2", "Trap": "filled"}).encode()
    (read,) = CONNECTOR.parse(Request("POST", "tilda", "", {}, body, NOW), config)
    assert isinstance(read, Inquiry)
    assert read.antispam_fields["honeypot"] == "Trap=filled"
    assert [(c.purpose, c.given) for c in read.consents] == [("marketing", False)]


def test_own_mapping_counts_when_a_source_for_any_form_has_one() -> None:
    mapping = {"fields": {"name": {"from": ["$.who"]}, "line": {"const": "doors"}}}
    assert CONNECTOR.map is not None
    body = b'{"fields":{"who":"Anna","phone":"89123456768"},"ctx":{"url":"https://a.example.com/?utm_source=vk"},"_key":"k","_age_ms":60000}'
    (read,) = CONNECTOR.map(posted(body), CONFIG, mapping)
    assert isinstance(read, Inquiry)
    assert (read.name, read.line, read.phones) == ("Anna", "doors", ("89123456768",))
    assert read.attribution.utm == {"utm_source": "vk"}
    assert read.submitted_at is not None
    assert (NOW - read.submitted_at).total_seconds() == 60
    tilda = Request("POST", "tilda", "", {}, b'{"who":"Anna","Phone":"89123456769"}', NOW)
    (read,) = CONNECTOR.map(tilda, CONFIG, mapping)
    assert isinstance(read, Inquiry)
    assert (read.name, read.line) == ("Anna", "doors")


def test_preset_is_never_chosen_when_it_cannot_work_without_a_setting(tmp_path: Path) -> None:
    assert "meta" not in choosable()
    assert CONNECTOR.reads_as is not None
    assert (
        CONNECTOR.reads_as(
            posted(
                b'{"object":"page","entry":[{"changes":[{"field":"leadgen"}]}]}',
                x_hub_signature_256="sha256=0",
            )
        )
        == ""
    )


class Headers(dict[str, str]):
    """A mapping that tells when it is gone."""


@pytest.mark.parametrize("body", [b"a=1", b'{"tranid":"1:2","Phone":"+7 912 345-67-66"}', b"your-name=Anna"])
def test_request_is_gone_at_once_when_the_door_has_asked(body: bytes) -> None:
    headers = Headers({"content-type": "text/plain"})
    gone = weakref.ref(headers)
    request = Request("POST", "", "", headers, body, NOW)
    for ask in (CONNECTOR.handshake, CONNECTOR.provider_key, CONNECTOR.reply, CONNECTOR.get_is_event):
        assert callable(ask)
        ask(request, CONFIG)
    gc.disable()  # else it could be what freed it
    try:
        del headers, request
        assert gone() is None, "something about the request points back at it"
    finally:
        gc.enable()


def test_settings_are_those_of_each_source_when_one_request_is_read_twice() -> None:
    request = posted(b"your-name=Anna&website=buy")
    strict = FormConfig(region="RU", timezone="Europe/Moscow", honeypots=["website"])
    for config, antispam_fields in ((CONFIG, {}), (strict, {"honeypot": "website=buy"}), (CONFIG, {})):
        (read,) = CONNECTOR.parse(request, config)
        assert isinstance(read, Inquiry)
        assert (read.name, read.antispam_fields) == ("Anna", antispam_fields)
    assert request == posted(b"your-name=Anna&website=buy"), "what was noted is no part of the value"
