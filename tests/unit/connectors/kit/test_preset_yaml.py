"""Mappings are text: what YAML 1.1 takes for times, days, numbers and booleans stays what was written, or is refused in words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.kit.preset.file import BYTES, check_rules
from crm_core.base.errors import Invalid, Misconfigured
from ingest.mapping.versions import checked

#: Plain scalars that some YAML takes for something else.
ODD = (
    "1:30", "12:30:45", "190:20:30.15", "-1:59", "2026-01-01", "2026-99-99", "2026-01-01 10:00:00", "2026-01-01T10:00:00Z", "yes", "no", "on",
    "off", "y", "n", "true", "False", "TRUE", "0", "5", "-7", "007", "0o17", "0x1f", "0b11", "0x_", "1_000", "1e3", "1.5", ".5", "1.", ".inf",
    "-.Inf", ".nan", "=", "<<", "1:60", "+12", "9" * 5000 if BYTES > 5000 else "9",
)  # fmt: skip


@pytest.mark.parametrize("word", [word for word in ODD if len(word) < 2000])
def test_plain_word_is_the_text_that_was_written(word: str) -> None:
    text = (
        f"fields:\n  name: {{from: [$.a], const: {word}, map: {{{word}: {word}}}}}\nskip_if:\n  - {{path: $.b, in: [{word}]}}\n"
    )
    if word == "=":
        text = text.replace("{=: =}", '{"=": "="}')
    rules = check_rules(text)
    assert rules["fields"]["name"] == {"from": ["$.a"], "const": word, "map": {word: word}}
    assert rules["skip_if"] == [{"path": "$.b", "in": [word]}]


@pytest.mark.parametrize("word", ODD)
@pytest.mark.parametrize("where", ["{}", "a: {}", "read_names: {}", "fields: {}", "fields: [{}]", "{}: x", "[{}]", "fields: {{phone: {{from: [{}]}}}}",
                                   "unwrap: {}", "extra: {{drop: {}}}", "skip_if: [{{path: $.a, exists: {}}}]"])  # fmt: skip
def test_odd_word_anywhere_is_read_or_refused_with_a_sentence(word: str, where: str) -> None:
    """Never anything but the known error: it becomes a 422 and not a 500."""
    with suppress(Invalid):
        checked(where.format(word))


@pytest.mark.parametrize("word, meant", [("true", True), ("false", False), ("True", True), ("yes", True), ("off", False)])
def test_word_is_a_boolean_where_one_is_wanted(word: str, meant: bool) -> None:
    assert check_rules(f"read_names: {word}\n") == {"read_names": meant}
    assert check_rules(f"skip_if: [{{path: $.a, exists: {word}}}]")["skip_if"] == [{"path": "$.a", "exists": meant}]


@pytest.mark.parametrize("text, said", [
    ("fields:\n  name: {const: ~}", "line 2: '~' means nothing at all"), ("fields:\n  name: {const: null}", "line 2: 'null' means nothing"),
    ("fields:\n  name:\n    const:\n", "line 3: an empty value means nothing"), ("read_names: \"true\"", "line 1: read_names: 'true' is not of type"),
    ("\nread_names: 1", "line 2: read_names: '1' is not of type"), ("a: !!binary eA==", "line 1: anchors, aliases and tags"),
    ("a: ! x", "line 1: anchors, aliases and tags"), ("a: &a x\nb: *a", "line 1: anchors"), ("<<: {a: b}", "line 1: the file: '<<' is not known"),
    ("read_names: true\nread_names: true", "line 2: 'read_names' stands twice"), ("read_names: true\n\"read_names\": true", "line 2: 'read_names' stands twice"),
    ("[" * 200 + "]" * 200, "nested too deep"), ("[" * 30_000, "nested too deep"), ("{a: " * 10_000, "nested too deep"), ("- " * 20_000, "nested too deep"),
    ("--- {}\n--- {}", "line 2: is not YAML"), ("a: [", "is not YAML"), ("a\tb: c\n\t- d", "line"), ("%YAML 9.9\n---\na: b", "YAML"), ("? [a]\n: b", "a plain word"),
    ("a: \x01", "not YAML"),
])  # fmt: skip
def test_what_is_no_plain_mapping_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        check_rules(text)
    assert said in caught.value.message


def test_answer_in_json_keeps_its_types(tmp_path: Any) -> None:
    """A preset's own reply may be any JSON."""
    from connectors.kit.preset.file import read

    folder = tmp_path / "connectors" / "forms" / "probe"
    folder.mkdir(parents=True)
    reply = {"ok": True, "n": 12, "x": -1.5, "none": None, "list": [1, "1", {"deep": False}], "time": "1:30"}
    (folder / "preset.yaml").write_text(f"title: x\nchannel: form\nreply: {{status: 200, json: {json.dumps(reply)}}}\n")
    assert read(folder / "preset.yaml")["reply"] == {"status": 200, "json": reply}


@given(some.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Invalid):
        checked(text)


def test_limit_is_the_same_in_bytes_whatever_the_alphabet() -> None:
    for letter in ("x", "ж"):
        fits = "# " + letter * ((BYTES - 2) // len(letter.encode()))
        assert checked(fits) == {}
        with pytest.raises(Invalid, match=f"more than {BYTES} bytes"):
            checked(fits + letter)
