"""Lists of answers where two of them share a label, or a value has several parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from preset_maker import inquiry, made

from connectors.kit.preset.answers import answers

_RULE = {"answers": "$.list", "label": "l", "value": "v", "pick": ["labels", "label", "other"]}


def opened(*items: dict[str, Any]) -> dict[str, Any]:
    return answers({"list": list(items)}, _RULE, {})


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("a", "b", ["a", "b"]),
        (1, 2, [1, 2]),
        (True, 2.5, [True, 2.5]),
        (["a", "b"], "c", ["a", "b", "c"]),
        ({"city": "Tver"}, {"city": "Omsk"}, [{"city": "Tver"}, {"city": "Omsk"}]),
    ],
)
def test_answers_of_one_label_are_all_kept(first: Any, second: Any, both: list[Any]) -> None:
    assert opened({"l": "Q", "v": first}, {"l": "Q", "v": second}) == {"Q": both}


@pytest.mark.parametrize(
    ("value", "picked"),
    [
        ({"label": "a", "id": "1"}, "a"),
        ({"labels": ["a", "b"], "ids": ["1", "2"]}, ["a", "b"]),
        ({"labels": ["a"], "other": "my own words"}, ["a", "my own words"]),
        ({"label": "", "other": "my own words"}, "my own words"),
        ({"labels": [], "label": None, "other": 7}, 7),
        ({"amount": 5}, {"amount": 5}),
    ],
)
def test_members_of_a_value_are_picked_when_they_are_there(value: dict[str, Any], picked: Any) -> None:
    assert opened({"l": "Q", "v": value}) == {"Q": picked}


def test_form_is_one_when_json_is_an_array_of_its_fields(tmp_path: Path) -> None:
    acme = made(tmp_path, "fields:\n  name: {from: ['@name:who']}\nextra: {keep: '*'}\n")
    sent = [{"name": "who", "value": "Анна"}, {"name": "phone", "value": "+79123456741"}, {"name": "city", "value": "Тверь"}]
    read = inquiry(acme, sent)
    assert (read.name, read.phones) == ("Анна", ("+79123456741",))
    assert "Тверь" in repr(read.fields)
