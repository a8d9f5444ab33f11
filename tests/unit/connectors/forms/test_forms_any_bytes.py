"""Whatever bytes are posted to an address for any form: an inquiry or words why not, the same each time, nothing lost or invented."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.kit import Connector, Request, registry
from connectors.kit.decoding import decode, limits
from connectors.kit.forms.roles import role_of
from connectors.kit.tools.samples import Sample, plain, samples_of
from crm_core.base.errors import Malformed, NotAuthentic
from crm_core.parsed import Inquiry, ParsedItem

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
FORMS = sorted(name for name, one in registry.discover().items() if one.channel == "form")
GENERIC = registry.get("generic_form")
CONFIG = GENERIC.config_model(region="RU", timezone="Europe/Moscow")
FORM, JSON, PARTS = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=xYzZY"
#: A field that is itself an order to the hub, or a guard against robots, is no word of a person: docs/form-fields.md.
RESERVED = {"tech", "own", "proof", "cookies", "test"}

NAMES = st.one_of(
    st.sampled_from(
        ["name", "Имя", "phone", "Телефон", "email", "message", "Ваш вопрос", "city", "utm_source", "page_url", "form_id", "first_time", "State",
         "telegram", "subject", "company", "a[b]", "a[]", "a[b][c]", "a[0][label]", "a[0][value]", "a[", "a]b[", "1.3", "data", "fields", "payload", "tranid", "contacts",
         "quiz", "answers", "form[id]", "fields[a][value]", "roistat", "first_name", "last_name", "url", "file", "agree", "title", "value"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), min_size=1, max_size=12).filter(
        lambda name: name.strip() == name and name[0] != "_" and not RESERVED & {role_of(part) for part in (name, *re.split(r"[\[\]]", name))}
    ),
)  # fmt: skip
PAIRS = st.lists(NAMES, min_size=1, max_size=12).map(
    lambda names: [(n, f"Wort{'abcdefghijkl'[i]}ende") for i, n in enumerate(names)]
)


def request(body: bytes, kind: str) -> Request:
    return Request("POST", "", "", {"content-type": kind}, body, NOW)


def urlencoded(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()


def multipart(pairs: list[tuple[str, str]]) -> bytes:
    parts = (
        f'--xYzZY\r\nContent-Disposition: form-data; name="{name.replace(chr(34), "%22")}"\r\n\r\n{value}\r\n'
        for name, value in pairs
    )
    return ("".join(parts) + "--xYzZY--\r\n").encode()


def as_json(pairs: list[tuple[str, str]]) -> bytes:
    """Also with names that stand twice, which a dict would not write."""
    members = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs)
    return ("{" + ", ".join(members) + "}").encode()


def shown(parsed_items: Any) -> str:
    return json.dumps([plain(one) for one in parsed_items], ensure_ascii=False)


@pytest.mark.parametrize(
    "kind, made", [(FORM, urlencoded), (PARTS, multipart), (JSON, as_json), ("text/plain", as_json), ("", urlencoded)]
)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=PAIRS)
def test_every_word_is_somewhere_when_a_form_is_sent_in_any_shape(kind: str, made: Any, pairs: list[tuple[str, str]]) -> None:
    """In a role, among the fields, as a message, a mark or a guard."""
    posted = request(made(pairs), kind)
    parsed_items = GENERIC.parse(posted, CONFIG)
    kept = shown(parsed_items)
    assert [value for _, value in pairs if value not in kept] == []
    assert kept == shown(GENERIC.parse(replace(posted), CONFIG))
    (one,) = parsed_items
    assert isinstance(one, Inquiry)
    assert (one.phones, one.emails, one.consents, one.files) == ((), (), (), ()), "nobody sent one"


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["+7 912 345-67-41", "{}", "[1]", "a=1&b=2"])
)
_TREES = st.recursive(
    _SCALARS, lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES | st.text(max_size=6), below, max_size=4), max_leaves=25
)  # fmt: skip
_BODIES = st.one_of(
    st.binary(max_size=300),
    _TREES.map(lambda tree: json.dumps(tree).encode()),
    PAIRS.map(urlencoded),
    PAIRS.map(multipart),
    st.text("{}[]\":,&=%;\\-ab01\r\n\x00ё", max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(_BODIES, st.sampled_from([FORM, JSON, PARTS, "", "text/plain", "application/json; charset=utf-16", "a/b; charset=idna", "multipart/form-data"]),
       st.sampled_from(["", "gzip", "deflate"]))  # fmt: skip
def test_only_what_cannot_be_read_is_refused_when_bytes_are_any(body: bytes, kind: str, encoding: str) -> None:
    posted = Request("POST", "", "", {"content-type": kind, "content-encoding": encoding}, body, NOW)
    try:
        kept = shown(GENERIC.parse(posted, CONFIG))
    except Malformed:
        return
    kept.encode()
    assert "\\u0000" not in kept
    assert kept == shown(GENERIC.parse(replace(posted), CONFIG))


def _samples(name: str) -> Iterator[tuple[Connector, Sample]]:
    folder = registry.folder_of(name)
    assert folder
    yield from ((registry.get(name), sample) for sample in samples_of(registry.get(name), folder))


def _mutated(body: bytes, dice: random.Random) -> bytes:
    """One hurt copy: a piece twice, a piece gone, a foreign piece, a broken escape, another encoding."""
    at, to = sorted((dice.randrange(len(body) + 1), dice.randrange(len(body) + 1)))
    foreign = dice.choice(
        [
            b"%",
            b"%zz",
            b"\xff\xfe",
            b"&=&",
            b"[]",
            b'"',
            b"\\u",
            b"\\ud83d",
            b"\x00",
            b"}{",
            b"--xYzZY",
            "ё".encode("cp1251"),
            b"," * 50,
            b"[" * 600,
        ]
    )
    return dice.choice(
        [body[:at] + body[at:to] * 2 + body[to:], body[:at] + body[to:], body[:at] + foreign + body[at:], body[at:to]]
    )


@pytest.mark.parametrize("name", FORMS)
def test_known_words_come_when_a_sample_is_hurt(name: str) -> None:
    """Each connector, and the address for any form with the same bytes."""
    dice = random.Random(name)
    for connector, sample in _samples(name):
        if len(sample.request.body) > 20_000:
            continue
        for _ in range(8):
            hurt = replace(sample.request, body=_mutated(sample.request.body, dice))
            for reader, config in ((connector, sample.config), (GENERIC, CONFIG)):
                key = reader.provider_key(hurt, config) if reader.provider_key else None
                assert key == (reader.provider_key(replace(hurt), config) if reader.provider_key else None)
                try:
                    parsed_items = reader.parse(hurt, config)
                except (Malformed, NotAuthentic):
                    continue
                assert parsed_items
                assert all(isinstance(one, ParsedItem) for one in parsed_items)
                shown(parsed_items).encode()


@pytest.mark.parametrize(
    "body, kind",
    [
        (b"a" + b"[b]" * 20_000 + b"=1", FORM),
        (b"&".join(b"a[%d][b]=1" % n for n in range(20_000)), FORM),
        (b"&".join(b"a=%d" % n for n in range(50_000)), FORM),
        (b"a=" + b"%D0%B0" * 200_000, FORM),
        (b"[" * 100_000 + b"]" * 100_000, JSON),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
        (b'{"a": "' + b'\\"' * 300_000 + b'", "b" "c"}', JSON),
        (b'{"' + b'a":"b","' * 100_000, JSON),
        (json.dumps([{"name": "Anna"}] * 2000).encode(), JSON),
        (json.dumps({"message": "+7 912 345-67-4" * 20_000}).encode(), JSON),
        (json.dumps({f"f{n}": {"label": "x" * 3000, "value": "y"} for n in range(300)}).encode(), JSON),
        (b"".join(b'--xYzZY\r\nContent-Disposition: form-data; name="a%d"\r\n\r\nb\r\n' % n for n in range(20_000)), PARTS),
        (b"--xYzZY\r\n" * 100_000, PARTS),
        (b'--xYzZY\r\nContent-Disposition: form-data; name="' + b"\\" * 300_000 + b'"\r\n\r\nb\r\n--xYzZY--', PARTS),
        (b"\xd0" * 1_000_000, "text/plain"),
    ],
)  # fmt: skip
def test_what_is_kept_is_bounded_when_a_body_is_huge(body: bytes, kind: str) -> None:
    """Neither time (it ends at all: anything quadratic would take minutes here) nor what is stored grows with a hostile body."""
    try:
        parsed_items = GENERIC.parse(request(body, kind), CONFIG)
    except Malformed:
        return
    assert len(parsed_items) <= limits.ROWS
    assert len(shown(parsed_items)) < 3 * limits.TEXT_CHARS
    decoded = decode(request(body, kind))
    assert decoded.flags or len(body) < limits.TEXT_CHARS
