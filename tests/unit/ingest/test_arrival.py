"""Around the body everything becomes text that PostgreSQL can hold; keys stay recognisable."""

from __future__ import annotations

import hashlib

import orjson
import pytest

from crm_core.base.sealing import MASK
from ingest.journal.raw_event import masked_headers, new_uid, other_bytes_key, safe_json, safe_key, safe_text


@pytest.mark.parametrize(
    "text, safe",
    [
        ("", ""),
        ("Анна 👍", "Анна 👍"),
        ("a\x00b", "a\ufffdb"),
        ("\ud83d", "\ufffd"),
        ("x\ud83d\x00y", "x\ufffd\ufffdy"),
    ],
)
def test_safe_text_changes_only_what_cannot_be_stored(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_safe_json_cleans_names_and_values_at_every_depth() -> None:
    dirty = [{"a\x00": "b\ud83d", "headers": {"c": "d\x00"}, "n": 7, "none": None, "yes": True}]
    assert orjson.loads(safe_json(dirty)) == [
        {"a\ufffd": "b\ufffd", "headers": {"c": "d\ufffd"}, "n": 7, "none": None, "yes": True}
    ]


def test_safe_json_keeps_a_written_escape_as_the_six_characters_that_it_is() -> None:
    assert orjson.loads(safe_json({"a": "\\u0000"})) == {"a": "\\u0000"}


def test_safe_key_hashes_what_is_long_or_odd_and_drops_what_is_empty() -> None:
    assert safe_key(None) is safe_key("") is None
    assert safe_key("k" * 255) == "k" * 255
    assert safe_key("k" * 256) == "sha256:" + hashlib.sha256(b"k" * 256).hexdigest()
    assert safe_key("a\nb") == "sha256:" + hashlib.sha256(b"a\nb").hexdigest()


def test_other_bytes_key_depends_on_key_and_bytes_and_stays_short() -> None:
    made = {other_bytes_key(key, body) for key in ("k" * 400, "j") for body in (b"1", b"2")}
    assert len(made) == 4
    assert max(map(len, made)) < 300


def test_masked_headers_hides_the_usual_and_the_named_and_keeps_their_names() -> None:
    given = {"authorization": "Bearer x", "cookie": "", "x-token": "y", "signature": "z"}
    assert masked_headers(given, ["x-token"]) == {
        "authorization": MASK,
        "cookie": "",
        "x-token": MASK,
        "signature": "z",
    }


def test_new_uid_never_repeats() -> None:
    assert len({new_uid() for _ in range(10_000)}) == 10_000
