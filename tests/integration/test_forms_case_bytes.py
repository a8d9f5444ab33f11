"""Cases 7 to 30: exact bytes go in at the door; the same bytes are in the journal, and this is what a worker made of them.

Each goes to a source of its own with the settings that a new source has. One drain reads them all.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import servers
from case_hub import FORM, JSON, CaseHub, open_hub
from door_client import Heard

from crm_core.base.config import HubConfig
from crm_core.identity.names import clean_name
from ingest.sources.sources import NewSource

_NAME = {"name": "Иван"}
_IVAN = b"%C8%E2%E0%ED"  # as a page in cp1251 escapes it


def _part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n' + more + b"\r\n" + value + b"\r\n"


_MULTIPART = "multipart/form-data; boundary=b"
_END = b"--b--\r\n"
_BEACON = {
    "_key": "019bc1a2-0000-4000-8000-000000000016", "_age_ms": 90_000, "_try": 1,
    "fields": {"name": "Иван", "phone": "+79000000016"}, "ctx": {"url": "https://www.example.com/p?utm_source=ya"},
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """`wants`: of each inquiry, some of name, phones, emails, text, fields, warnings. None: it needs a person."""

    body: bytes
    content_type: str = FORM
    wants: list[dict[str, Any]] | None = field(default_factory=lambda: [_NAME])
    headers: Mapping[str, str] = field(default_factory=dict)


def _phone(number: int) -> bytes:
    return b"&phone=%2B7900" + b"%07d" % number


CASES: dict[str, Case] = {
    "7 percent cp1251 undeclared": Case(b"name=" + _IVAN + _phone(7)),
    "8 percent cp1251 declared": Case(b"name=" + _IVAN + _phone(8), FORM + "; charset=windows-1251"),
    "9 raw cp1251": Case("name=Иван".encode("cp1251") + _phone(9)),
    "10 raw utf-8": Case("name=Иван".encode() + _phone(10)),
    "11 multipart cp1251": Case(_part(b"name", "Иван".encode("cp1251")) + _part(b"phone", b"+79000000011") + _END, _MULTIPART),
    "11 multipart with a charset of the part": Case(
        _part(b"name", "Иван".encode("koi8-r"), b"Content-Type: text/plain; charset=koi8-r\r\n") + _part(b"phone", b"+79000001011") + _END,
        _MULTIPART,
    ),
    "12 two encodings in one body": Case(
        b"name=" + "Иван".encode() + b"&city=" + "Тверь".encode("cp1251") + _phone(12),
        wants=[{"name": "Иван", "fields": {"city": "Тверь"}}],
    ),
    "13 bom before json": Case(b"\xef\xbb\xbf" + '{"name":"Иван","phone":"+79000000013"}'.encode(), JSON),
    "14 json in cp1251": Case('{"name":"Иван","phone":"+79000000014"}'.encode("cp1251"), JSON + "; charset=windows-1251"),
    "15 json in utf-16": Case('{"name":"Иван","phone":"+79000000015"}'.encode("utf-16"), JSON),
    "15 json in utf-16 without bom": Case('{"name":"Иван","phone":"+79000001015"}'.encode("utf-16-le"), JSON + "; charset=utf-16"),
    "16 beacon": Case(json.dumps(_BEACON).encode(), "text/plain;charset=UTF-8", [{"name": "Иван", "phones": ["+79000000016"], "fields": {}}]),
    "17 no content type": Case("name=Иван".encode() + _phone(17), ""),
    "18 json called a form": Case(
        '{"name":"Иван","phone":"+79000000018","message":"a=1&b=2 & c"}'.encode(), wants=[{"name": "Иван", "text": "a=1&b=2 & c"}]
    ),
    "19 form called json": Case("name=Иван".encode() + _phone(19), JSON),
    "20 multipart without boundary": Case(
        _part(b"name", "Иван".encode()) + _part(b"phone", b"+79000000020") + _END, "multipart/form-data",
    ),
    "21 truncated multipart": Case(
        _part(b"name", "Иван".encode()) + _part(b"phone", b"+79000000021") + _part(b"message", b"cut he")[:-4], _MULTIPART,
        [{"name": "Иван", "phones": ["+79000000021"], "text": "cut", "warnings": ["truncated_body"]}],
    ),
    "22 gzip declared": Case(gzip.compress("name=Иван".encode() + _phone(22), mtime=0), headers={"Content-Encoding": "gzip"}),
    "22 gzip of 60 MB": Case(
        gzip.compress("name=Иван".encode() + b"&phone=%2B79000001022&x=" + b"x" * 60_000_000, mtime=0), headers={"Content-Encoding": "gzip"},
        wants=[{"name": "Иван", "warnings": ["truncated_body", "truncated_value"]}],
    ),
    "23 empty": Case(b"", wants=None),
    "23 empty object": Case(b"{}", JSON, None),
    "23 empty array": Case(b"[]", JSON, None),
    "23 null": Case(b"null", JSON, None),
    "23 a text": Case('"Перезвоните мне: +7 900 000-00-23"'.encode(), JSON, [{"phones": ["+7 900 000-00-23"]}]),
    "23 an array of inquiries": Case(
        b'[{"name":"Anna","phone":"+79000001023"},{"name":"Boris","phone":"+79000002023"}]', JSON,
        [{"name": "Anna", "phones": ["+79000001023"]}, {"name": "Boris", "phones": ["+79000002023"]}],
    ),
    "24 semicolons": Case(
        "name=Иван;phone=%2B79000000024;city=A".encode(), wants=[{"name": "Иван", "phones": ["+79000000024"], "fields": {"city": "A"}}]
    ),
    "25 plus not escaped": Case("name=Иван&phone=+79000000025".encode()),
    "26 nul": Case("name=Ив%00ан".encode() + _phone(26)),
    "26 half a pair": Case(b'{"name":"\\ud83d\\u0418\\u0432\\u0430\\u043d","phone":"+79000001026"}', JSON),
    "26 not a number": Case('{"name":"Иван","phone":"+79000002026","price":NaN}'.encode(), JSON, [{"name": "Иван", "fields": {"price": "NaN"}}]),
    "26 emoji": Case("name=Иван 👍".encode() + _phone(3026)),
    "26 turned around": Case(b'{"name":"\\u202e\\u0418\\u0432\\u0430\\u043d","phone":"+79000004026"}', JSON),
    "27 one name twice": Case(b"name=Anna&city=A&city=B" + _phone(27), wants=[{"fields": {"city": ["A", "B"]}}]),
    "27 one name twice in json": Case(b'{"phone":"+79000001027","city":"A","city":"B"}', JSON, [{"fields": {"city": ["A", "B"]}}]),
    "28 list": Case(b"opt[]=1&opt[]=2" + _phone(28), wants=[{"fields": {"opt": ["1", "2"]}}]),
    "28 levels": Case(
        b"fields[name][value]=Anna&a[b][c]=7" + _phone(1028), wants=[{"name": "Anna", "fields": {"a": {"b": {"c": "7"}}}}],
    ),
    "28 unbalanced": Case(b"a[b=1" + _phone(2028), wants=[{"fields": {"a[b": "1"}}]),
    "28 ten thousand deep": Case(b"name=Anna&a" + b"[b]" * 10_000 + b"=1" + _phone(3028), wants=[{"name": "Anna", "phones": ["+79000003028"]}]),
    "28 ten thousand deep json": Case(
        b'{"name":"Anna","phone":"+79000004028","a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", JSON, [{"name": "Anna", "phones": ["+79000004028"]}]
    ),
    "29 1200 fields": Case(b"name=Anna" + _phone(29) + b"&" + b"&".join(b"f%d=v" % n for n in range(1200)), wants=[{"name": "Anna", "warnings": ["too_many_fields"]}]),
    "29 1200 parts": Case(
        _part(b"name", b"Anna") + _part(b"phone", b"+79000001029") + b"".join(_part(b"f%d" % n, b"v") for n in range(1200)) + _END, _MULTIPART,
        [{"name": "Anna", "phones": ["+79000001029"], "warnings": ["too_many_fields"]}],
    ),
    "29 field of 600 kB": Case(b"name=Anna" + _phone(2029) + b"&about=" + b"x" * 600_000, wants=[{"name": "Anna", "warnings": ["truncated_value"]}]),
    "29 part of 600 kB": Case(
        _part(b"name", b"Anna") + _part(b"phone", b"+79000003029") + _part(b"about", b"x" * 600_000) + _END, _MULTIPART,
        [{"name": "Anna", "warnings": ["truncated_value"]}],
    ),
    "29 key of 64 kB": Case(b"name=Anna" + _phone(4029) + b"&" + b"k" * 64_000 + b"=1", wants=[{"name": "Anna", "warnings": ["truncated_value"]}]),
    "30 odd keys": Case(
        b"__proto__=1&constructor=2&=x" + _phone(30),
        # What begins with two underscores is a machine's (tokens against forgery are called so) and no field of a person.
        wants=[{"phones": ["+79000000030"], "fields": {"constructor": "2", "": "x"}}],
    ),
    "30 long label": Case(
        b"name=Anna&" + ("я" * 300).encode() + b"=1" + _phone(1030), wants=[{"name": "Anna", "fields": {"я" * 256: "1"}}]
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Sent:
    source: NewSource
    heard: Heard


@pytest.fixture(scope="module")
def hub(
    postgres_server: servers.RunPostgres, _brokers: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CaseHub]:
    with postgres_server.fresh_database() as url:
        home = tmp_path_factory.mktemp("home")
        config = HubConfig(home=home, database_url=url, broker_url=_brokers["valkey"], secret_key="only-for-tests-" + "0" * 32)
        with open_hub(config) as opened:
            yield opened


@pytest.fixture(scope="module")
def sent(hub: CaseHub) -> dict[str, Sent]:
    """All were sent and read."""
    given: dict[str, Sent] = {}
    for number, (name, case) in enumerate(CASES.items()):
        source = hub.add()
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        headers = {"User-Agent": agent, "Accept": "*/*", "Content-Type": case.content_type, **case.headers}
        given[name] = Sent(source, hub.send(source, case.body, headers, remote=f"198.51.100.{number + 1}"))
    hub.drain()
    return given


@pytest.mark.parametrize("name", CASES)
def test_bytes_are_answered_kept_and_read_when_they_come_so(hub: CaseHub, sent: dict[str, Sent], name: str) -> None:
    case, given = CASES[name], sent[name]
    (event,) = hub.events(given.source)
    assert given.heard.status == 200
    assert given.heard.json() == {"ok": True, "accepted": True, "event": event["uid"]}
    assert bytes(event["body"]) == case.body
    if case.wants is None:
        assert (event["state"], event["error"]["code"], event["lead_id"]) == ("needs_attention", "empty_form", None)
        assert hub.leads(given.source) == []
        return
    assert (event["state"], event["outcome"]) == ("done", "created")
    touches = hub.touches(given.source)
    assert [_some(touch, wanted) for touch, wanted in zip(touches, case.wants, strict=True)] == case.wants
    assert len(hub.leads(given.source)) == len(case.wants)


def _some(touch: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Of a touch what the case is about. Of its warnings, those about bytes; how a role was found is another matter."""
    data = touch["data"]
    of_bytes = [w for w in data["warnings"] if not w.endswith(("_by_value", "_in_message"))]
    seen = {**data, "text": touch["text"], "name": clean_name(data["name"]), "warnings": sorted(of_bytes)}
    return {key: seen[key] for key in wanted}


def test_number_is_the_persons_key_when_its_plus_was_not_escaped(hub: CaseHub, sent: dict[str, Sent]) -> None:  # 25
    (key,) = hub.keys(sent["25 plus not escaped"].source, "phone")
    assert (key["value"], key["strength"]) == ("+79000000025", "strong")


def test_beacon_is_dated_back_and_its_key_makes_a_repetition_the_same_event(hub: CaseHub, sent: dict[str, Sent]) -> None:  # 16
    given = sent["16 beacon"]
    again = hub.send(
        given.source, json.dumps(_BEACON | {"_age_ms": 95_000, "_try": 2}).encode(), {"Content-Type": "text/plain;charset=UTF-8"}
    )
    (event,) = hub.events(given.source)
    assert again.json()["event"] == event["uid"]
    (touch,) = hub.touches(given.source)
    assert 89 < (event["received_at"] - touch["at"]).total_seconds() < 91


def test_inquiry_is_kept_without_its_file_when_30_mb_were_uploaded(hub: CaseHub) -> None:  # 29
    source = hub.add()
    head = _part(b"name", b"Anna") + _part(b"phone", b"+79000009029")
    file = b'--b\r\nContent-Disposition: form-data; name="plan"; filename="plan.bin"\r\n\r\n'
    sent = {"Content-Type": _MULTIPART, "Origin": "https://www.example.com"}
    refused = hub.send(source, head + file + b"x" * 34_000_000 + b"\r\n" + _END, sent)
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (413, "https://www.example.com")
    assert hub.events(source) == []
    small = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="photo.bin"\r\n\r\n' + b"y" * 9_000 + b"\r\n"
    body = head + small + file + b"x" * 30_000_000 + b"\r\n" + _END
    assert hub.send(source, body, sent).status == 200
    hub.drain()
    assert hub.ends(source) == ["created"]
    files = hub.rows("SELECT a.* FROM attachment a JOIN lead l ON l.id = a.lead_id WHERE l.source_id = %s ORDER BY n", source.id)
    assert [(row["name"], row["size"], row["state"], row["note"]) for row in files] == [
        ("photo.bin", 9_000, "stored", ""), ("plan.bin", 30_000_000, "refused", "too_large"),
    ]  # fmt: skip


def test_nothing_breaks_when_all_cases_were_read(hub: CaseHub, sent: dict[str, Sent]) -> None:  # 26, 30
    assert hub.one("SELECT count(*) FROM inbound_event WHERE state NOT IN ('done', 'needs_attention')") == 0
    assert hub.one("SELECT count(*) FROM inbound_event WHERE error->>'code' IN ('connector_failed', 'internal_error')") == 0
    assert hub.one("SELECT bool_and(jsonb_typeof(fields) = 'object') FROM lead") is True
