"""Keys by which a repeated delivery is known: never wider than one inquiry, never narrower, the same for the same bytes."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.kit import Connector, Request, registry
from connectors.kit.preset.reply import HEAD_BYTES
from connectors.kit.tools.samples import Sample, samples_of

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
FORMS = sorted(n for n, one in registry.discover().items() if one.channel == "form" and one.provider_key)


def key(name: str, body: bytes, kind: str = JSON, **headers: str) -> str | None:
    connector = registry.get(name)
    assert connector.provider_key is not None
    config = connector.config_model(region="RU", timezone="Europe/Moscow")
    return connector.provider_key(Request("POST", "", "", {"content-type": kind, **headers}, body, NOW), config)


def raw(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def samples() -> list[tuple[Connector, Sample]]:
    found = []
    for name in FORMS:
        folder = registry.folder_of(name)
        assert folder
        found += [(registry.get(name), sample) for sample in samples_of(registry.get(name), folder)]
    return found


#: An answer that somebody went back to and changed: the provider sends it again under the id that it had.
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "jotform": (
        {"submissionID": "5", "formID": "1", "rawRequest": '{"q1_phone": "+79123456741"}'},
        {"submissionID": "5", "formID": "1", "rawRequest": '{"q1_phone": "+79123456742"}'},
    ),
    "fillout": (
        {"formId": "1", "submission": {"submissionId": "5", "questions": [{"name": "Phone", "value": "+79123456741"}]}},
        {"formId": "1", "submission": {"submissionId": "5", "questions": [{"name": "Phone", "value": "+79123456742"}]}},
    ),
    "gravity": (
        {"id": "5", "form_id": "1", "2": "+79123456741", "date_updated": "2026-01-15 11:00:00"},
        {"id": "5", "form_id": "1", "2": "+79123456742", "date_updated": "2026-01-15 11:05:00"},
    ),
    "marquiz": (
        {"created": "2026-01-15T11:00:00Z", "contacts": {"phone": "+79123456741"}, "answers": [{"q": "Этаж?", "a": "1"}]},
        {"created": "2026-01-15T11:00:00Z", "contacts": {"phone": "+79123456741"}, "answers": [{"q": "Этаж?", "a": "2"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_changed_answer_is_no_repeat_when_the_provider_keeps_its_id(name: str) -> None:
    """The door keeps one body of a key: under one key the corrected number would be gone."""
    first, second = CHANGED[name]
    assert key(name, raw(first)) == key(name, raw(first)) != key(name, raw(second)) is not None


@pytest.mark.parametrize("at", range(-36, 37, 6))
@pytest.mark.parametrize("kind", ["form", "json", "number", "multipart"])
def test_two_ids_are_two_keys_when_a_large_body_is_cut_within_them(kind: str, at: int) -> None:
    """Of a large body only the beginning is read for its key; half an id is the id of somebody else."""
    long, pair = "x" * (HEAD_BYTES - 300), ("67787710001", "67787710002")
    bodies = []
    for one in pair:
        if kind == "form":
            start, end = (
                urlencode({"Comments": long, "pad": "y"}).encode(),
                urlencode({"tranid": one, "formid": "form1"}).encode(),
            )
            body = start + b"y" * (HEAD_BYTES - len(start) - 20 + at) + b"&" + end
        elif kind == "multipart":
            part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
            start = part % (b"Comments", long.encode())
            pad = HEAD_BYTES - len(start) - 140 + at
            body = (
                start
                + part % (b"pad", b"y" * pad)
                + part % (b"tranid", one.encode())
                + part % (b"formid", b"form1")
                + b"--b--\r\n"
            )
        else:
            told = one if kind == "number" else f'"{one}"'
            start_text = '{"Comments": "' + long + '", "pad": "'
            body = (
                start_text + "y" * (HEAD_BYTES - len(start_text) - 25 + at) + f'", "tranid": {told}, "formid": "form1"}}'
            ).encode()
        assert len(body) > HEAD_BYTES or at < 0
        bodies.append(body + b" " * HEAD_BYTES if kind in ("json", "number") else body)
    types = {"form": FORM, "multipart": "multipart/form-data; boundary=b"}
    keys = [key("tilda", body, types.get(kind, JSON)) for body in bodies]
    assert keys in ([None, None], list(pair))


def test_key_is_none_when_a_large_body_is_packed() -> None:
    packed = b"\x1f\x8b" + random.Random(1).randbytes(2 * HEAD_BYTES)
    assert key("tilda", packed, FORM) is None
    assert key("tilda", b"tranid=1&" + packed, FORM, **{"content-encoding": "deflate"}) is None


@pytest.mark.parametrize("name", FORMS)
def test_key_is_the_same_when_the_same_bytes_come_again(name: str) -> None:
    for connector, sample in samples():
        if connector.name != name:
            continue
        assert connector.provider_key is not None
        again = [connector.provider_key(replace(sample.request), sample.config) for _ in range(2)]
        if name != "standard_webhooks":  # where an old signature is nobody's
            later = replace(sample.request, received_at=sample.request.received_at.replace(year=2027))
            again.append(connector.provider_key(later, sample.config))
        assert len(set(again)) == 1
