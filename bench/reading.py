"""How long it takes to understand one form: bytes to Inquiry, in microseconds of processor time, without any server.

The baseline is what every framework does with the same bytes: `parse_qsl` of the text, `json.loads`, or Flask's reading of a
multipart. The figure is the quickest part of a round: what else a machine does only ever adds to processor time.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from werkzeug.formparser import FormDataParser

from bench.stage import Stage
from bench.table import Line, ratio
from connectors.kit import Connector, ConnectorConfig, Request, registry
from connectors.kit.tools.samples import samples_of

_BAR_MICROSECONDS = 150.0  # decode + map of a typical body of up to a kilobyte, and of each kilobyte of a longer one
_CALLS = 40  # in one part of a round: short enough to be alone on a processor at least once
_PARTS = 6
_RECEIVED_AT = datetime(2026, 1, 15, tzinfo=UTC)
_FORM = "application/x-www-form-urlencoded"
_FIELDS = {
    "name": "Иван Пример", "phone": "+7 912 345-67-41", "email": "ivan@example.com",
    "message": "Хочу узнать цену кухни, размеры 3 на 4 метра", "city": "Тверь", "utm_source": "yandex", "utm_medium": "cpc",
    "utm_campaign": "kitchens", "page_url": "https://shop.example.com/kitchens?utm_source=yandex&yclid=123",
    "referrer": "https://search.example.com/", "form_id": "7", "agree": "on",
}  # fmt: skip
_SNIPPET = {
    "_key": "8e03978e-40d5-43dd-bc93-6894a57f9324", "_age_ms": 120, "_try": 0,
    "fields": {name: _FIELDS[name] for name in ("name", "phone", "email", "message", "city", "agree", "form_id")},
    "ctx": {
        "url": _FIELDS["page_url"], "ref": _FIELDS["referrer"], "title": "Кухни", "ga": "GA1.2.111.222", "ym": "1700000000123",
        "first": {"u": "https://shop.example.com/?utm_source=vk", "r": "", "t": 1768478400000},
    },
}  # fmt: skip
_TILDA = {
    "Name": "Иван", "Phone": "+7 (999) 111-22-33", "Email": "ivan@example.com", "Comments": "Перезвоните", "Checkbox": "yes",
    "formid": "form550324991", "formname": "Cart", "tranid": "6778771:4632011511",
    "COOKIES": "_ga=GA1.2.1.2; TILDAUTM=utm_source%3Dvk%7C%7C%7Cutm_medium%3Dsocial%7C%7C%7Cutm_campaign%3Dautumn;"
               " roistat_visit=77; PHPSESSID=abc",
}  # fmt: skip


#: What the presets of the main builders and services are sent, as their samples have it.
_SAMPLES = (
    ("cf7", "json__full"), ("elementor", "advanced__full"), ("webflow", "v2__signed"), ("typeform", "form_response__full"),
    ("jotform", "submission__full_number"), ("tally", "form_response__full"), ("fillout", "submission__full"),
    ("google_ads", "lead__full"), ("vk", "lead_forms_new__full"), ("marquiz", "lead__full"), ("jivo", "offline_message__full"),
)  # fmt: skip


def measure(_stage: Stage, rounds: int) -> list[Line]:
    as_json = json.dumps(_FIELDS, ensure_ascii=False).encode()
    snippet = json.dumps(_SNIPPET, ensure_ascii=False).encode()
    return [
        _own("a form of 12 fields", "generic_form", urlencode(_FIELDS).encode(), _FORM, rounds),
        _own("JSON of 12 fields", "generic_form", as_json, "application/json", rounds),
        _own("the page snippet's envelope", "generic_form", snippet, "text/plain;charset=UTF-8", rounds),
        _own("Tilda with cookies", "tilda", urlencode(_TILDA).encode(), _FORM, rounds),
        *(_sample(name, folder, rounds) for name, folder in _SAMPLES),
        _knowing(urlencode(_FIELDS).encode(), rounds),
        _at_the_door(urlencode(_FIELDS).encode(), rounds),
    ]


def _own(what: str, name: str, body: bytes, content_type: str, rounds: int) -> Line:
    connector = registry.get(name)
    return _line(what, connector, _request(body, content_type), _config(connector), rounds)


def _sample(name: str, folder: str, rounds: int) -> Line:
    connector = registry.get(name)
    place = registry.folder_of(name)
    assert place is not None
    sample = next(one for one in samples_of(connector, place) if one.folder.name == folder)
    return _line(connector.title, connector, sample.request, sample.config, rounds)


def _line(what: str, connector: Connector, request: Request, config: ConnectorConfig, rounds: int) -> Line:
    beside, plain = _plainly(request)
    ours, theirs = _in_turns(lambda one: connector.parse(one, config), request, plain, rounds)
    bar = _BAR_MICROSECONDS * max(1.0, len(request.body) / 1000)
    return Line(
        f"decode and map {what}, {len(request.body):,} bytes", f"{min(ours):.0f} µs", f"{beside} {min(theirs):.0f} µs",
        str(ratio(ours, theirs)), f"≤ {bar:.0f} µs", min(ours) <= bar,
    )  # fmt: skip


def _knowing(body: bytes, rounds: int) -> Line:
    """A post that no provider sent has all signs looked for."""
    reads_as = registry.get("generic_form").reads_as
    assert reads_as is not None
    return _short("knowing that no provider sent a form", body, reads_as, 5.0, rounds)


def _at_the_door(body: bytes, rounds: int) -> Line:
    """All that an entrance asks the connector of an address for any form."""
    connector = registry.get("generic_form")
    config = _config(connector)
    asked = [connector.handshake, connector.get_is_event, connector.provider_key, connector.reply]

    def ask(request: Request) -> None:
        for question in asked:
            assert callable(question)
            question(request, config)

    return _short("all that the entrance asks about it", body, ask, 12.0, rounds)


def _short(what: str, body: bytes, work: Callable[[Request], object], bar: float, rounds: int) -> Line:
    ours, theirs = _in_turns(work, _request(body, _FORM), lambda: parse_qsl(body.decode()), rounds)
    return Line(
        what, f"{min(ours):.1f} µs", f"parse_qsl {min(theirs):.0f} µs", str(ratio(ours, theirs)), f"≤ {bar:g} µs",
        min(ours) <= bar,
    )  # fmt: skip


def _plainly(request: Request) -> tuple[str, Callable[[], object]]:
    """What every framework does with these bytes, and what it is called."""
    body, media = request.body, request.content_type.partition(";")[0]
    if media == _FORM:
        return "parse_qsl", lambda: parse_qsl(body.decode())
    if media == "multipart/form-data":
        options = {"boundary": request.content_type.partition("boundary=")[2]}
        return "werkzeug", lambda: FormDataParser().parse(io.BytesIO(body), media, len(body), options)[1]
    return "json.loads", lambda: json.loads(body)


def _request(body: bytes, content_type: str) -> Request:
    return Request("POST", "", "", {"content-type": content_type}, body, _RECEIVED_AT)


def _config(connector: Connector) -> ConnectorConfig:
    return connector.config_model(region="RU", timezone="Europe/Moscow")


def _in_turns(
    ours: Callable[[Request], object], request: Request, theirs: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    taken = [(_microseconds(ours, _anew(request)), _microseconds(lambda _: theirs(), [request] * _CALLS))
             for _ in range(_PARTS * rounds + 1)]  # fmt: skip
    del taken[0]  # the first round fills the caches of names
    return [one for one, _ in taken], [other for _, other in taken]


def _anew(request: Request) -> list[Request]:
    """The same again and again, as it comes from outside: nothing is noted on it yet."""
    return [replace(request) for _ in range(_CALLS)]


def _microseconds(work: Callable[[Request], object], requests: list[Request]) -> float:
    began = time.process_time()
    for request in requests:
        work(request)
    return (time.process_time() - began) / len(requests) * 1e6
