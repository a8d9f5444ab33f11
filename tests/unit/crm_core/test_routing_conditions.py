"""Conditions of the rules: typed, true only where something was said, and bounded."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_core.base.errors import Invalid
from crm_core.routing.conditions import Context, compile_condition, traced

CONTEXT = Context(ZoneInfo("Europe/Moscow"), {"Ural": ((79122000000, 79122999999), (73430000000, 73439999999))})


def holds(fact: str, op: str, value: Any, actual: Any) -> bool | None:
    return compile_condition({"fact": fact, "op": op, "value": value}, CONTEXT)({fact: actual} if actual is not None else {})


@pytest.mark.parametrize(
    ("fact", "op", "value", "actual", "expected"),
    [
        ("utm_source", "eq", "Yandex", "yandex", True),
        ("utm_source", "in", ["google", "Yandex"], "YANDEX", True),
        ("page_url", "prefix", "https://a.example/doors", "https://a.example/Doors/7", True),
        ("page_url", "glob", "*/doors/*?utm", "https://a.example/doors/7?utm", True),
        ("page_url", "glob", "a*a", "a", False),
        ("title", "contains", "двер", "Входная ДВЕРЬ", True),
        ("value", "between", [10, 20], 20, True),
        ("value", "gte", 10, 9.99, False),
        ("click_ids", "contains", "gclid", ["gclid", "yclid"], True),
        ("phone", "phone_region", "ural", "+79122500001", True),
        ("phone", "phone_region", "Ural", "+79132500001", False),
        ("phone", "prefix", "+7343", "+73431234567", True),
        ("phone", "between", ["+79122000000", "+79122999999"], "+79122999999", True),
        ("received", "weekday", [6, 7], "2026-11-27T22:30:00+00:00", True),  # Saturday in Moscow, Friday in UTC
        ("received", "time_in", ["22:00", "06:00"], "2026-11-27T22:30:00+00:00", True),
        ("is_client", "eq", True, False, False),
        ("utm_source", "exists", True, None, False),
        ("utm_source", "exists", False, None, True),
        ("utm_source", "eq", "yandex", None, None),
        ("value", "gte", 10, None, None),
    ],
)
def test_comparison_holds_by_its_type(fact: str, op: str, value: Any, actual: Any, expected: bool | None) -> None:
    assert holds(fact, op, value, actual) is expected


def test_what_is_missing_is_neither_true_nor_turned_into_true() -> None:
    missing = {"fact": "utm_source", "op": "eq", "value": "yandex"}
    there = {"fact": "channel", "op": "eq", "value": "form"}
    facts = {"channel": "form"}
    for tree, expected in (
        ({"not": missing}, None), ({"all": [missing, there]}, None), ({"any": [missing, there]}, True), ({"any": [missing]}, None),
        ({"all": [{"not": there}, missing]}, False), ({}, True),
    ):  # fmt: skip
        assert compile_condition(tree, CONTEXT)(facts) is expected


def test_trace_shows_each_comparison_with_what_stood_there() -> None:
    tree = {"all": [{"fact": "channel", "op": "eq", "value": "form"}, {"not": {"fact": "value", "op": "gte", "value": 5}}]}
    assert traced(tree, {"channel": "form"}, CONTEXT) == [
        {"fact": "channel", "op": "eq", "value": "form", "turned": False, "actual": "form", "holds": True},
        {"fact": "value", "op": "gte", "value": 5, "turned": True, "actual": None, "holds": None},
    ]


@pytest.mark.parametrize("pattern", ["*a" * 200, "(a+)+$", "*" * 400])
def test_no_pattern_and_no_text_is_too_much(pattern: str) -> None:
    test = compile_condition({"fact": "utm_term", "op": "glob", "value": pattern}, CONTEXT)
    for _ in range(200):  # a megabyte each; what grows with a power of the length would never come back
        assert test({"utm_term": "a" * 1_000_000 + "!"}) in (True, False)


@pytest.mark.parametrize(
    "tree",
    [
        {"all": []}, {"all": "x"}, {"any": [{}], "not": {}}, {"not": []}, [], "x", 5, {"fact": "channel"}, {"fact": "channel", "op": "eq"},
        {"fact": "channel", "op": "eq", "value": ""}, {"fact": "channel", "op": "eq", "value": "x" * 501},
        {"fact": "channel", "op": "in", "value": []}, {"fact": "channel", "op": "in", "value": ["x"] * 1001},
        {"fact": "value", "op": "between", "value": [1]}, {"fact": "value", "op": "gte", "value": "1"},
        {"fact": "value", "op": "gte", "value": float("nan")}, {"fact": "received", "op": "weekday", "value": [0]},
        {"fact": "received", "op": "time_in", "value": ["9", "25:00"]}, {"fact": "phone", "op": "phone_region", "value": ["Mars"]},
        {"fact": "phone", "op": "between", "value": ["+79", "+7999"]}, {"fact": "channel", "op": "eq", "value": "x", "more": 1},
        {"fact": [], "op": {}}, {"all": [{"fact": "channel", "op": "eq", "value": "x"}] * 201},
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_its_place(tree: Any) -> None:
    with pytest.raises(Invalid) as refused:
        compile_condition(tree, CONTEXT)
    assert refused.value.data["fields"][0].startswith("when")


def test_a_tree_nests_only_so_deep() -> None:
    tree: Any = {"fact": "channel", "op": "eq", "value": "x"}
    for _ in range(5000):
        tree = {"not": tree}
    with pytest.raises(Invalid) as refused:
        compile_condition(tree, CONTEXT)
    assert refused.value.code == "condition_too_deep"
