"""How long it takes to understand one form: bytes to Inquiry, in microseconds of processor time, without any server.

The baseline is what every framework does with the same bytes: `parse_qsl` of the text, or `json.loads`. The figure is the
quickest round: what else a machine does only ever adds to processor time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from bench.stage import Stage
from bench.table import Line, ratio
from connectors.kit import Request, registry

BAR_MICROSECONDS = 150.0  # decode + map of a typical body
_CALLS = 400  # in one round of one figure
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


def measure(_stage: Stage, rounds: int) -> list[Line]:
    as_json = json.dumps(_FIELDS, ensure_ascii=False).encode()
    snippet = json.dumps(_SNIPPET, ensure_ascii=False).encode()
    return [
        _line("a form of 12 fields", "generic_form", urlencode(_FIELDS).encode(), _FORM, rounds),
        _line("JSON of 12 fields", "generic_form", as_json, "application/json", rounds),
        _line("the page snippet's envelope", "generic_form", snippet, "text/plain;charset=UTF-8", rounds),
        _line("a preset with cookies (Tilda)", "tilda", urlencode(_TILDA).encode(), _FORM, rounds),
    ]


def _line(what: str, name: str, body: bytes, content_type: str, rounds: int) -> Line:
    connector = registry.get(name)
    request = Request("POST", "", "", {"content-type": content_type}, body, datetime(2026, 1, 15, tzinfo=UTC))
    config = connector.config_model(region="RU", timezone="Europe/Moscow")
    plain: Callable[[], object] = (
        (lambda: parse_qsl(body.decode())) if content_type == _FORM else (lambda: json.loads(body))
    )
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds + 1):
        theirs.append(_microseconds(plain))
        ours.append(_microseconds(lambda: connector.parse(request, config)))
    del ours[0], theirs[0]  # the first round fills the caches of names
    taken = min(ours)
    return Line(
        f"decode and map {what}", f"{taken:.0f} µs",
        f"{'parse_qsl' if content_type == _FORM else 'json.loads'} {min(theirs):.0f} µs", str(ratio(ours, theirs)),
        f"≤ {BAR_MICROSECONDS:g} µs", taken <= BAR_MICROSECONDS,
    )  # fmt: skip


def _microseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(_CALLS):
        work()
    return (time.process_time() - began) / _CALLS * 1e6
