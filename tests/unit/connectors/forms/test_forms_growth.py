"""Reading a visitor's form grows as the form does: four times the bytes, nowhere near sixteen times the work of a worker.

A worker that is held up by one post takes no other, and the post goes to the next worker when its lease is over. Only the
growth of the thread's own processor time is judged, as in the door's own test (tests/unit/webhooks/test_door_growth.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from connectors.kit import Request, registry
from crm_core.base.errors import Malformed

#: Bytes of one value. From few to many, so that what grows with the cube is seen before it takes minutes.
_SIZES = (250, 1_000, 4_000, 16_000)
_MOST_GROWTH = 10.0  # between 4 and 16, with room for a noisy clock at both ends
_NOISE_SECONDS = 0.02  # below that a figure says nothing

_GENERIC = registry.get("generic_form")
_CONFIG = _GENERIC.config_model(region="RU", timezone="Europe/Moscow")
_FIELDS = (
    "name", "phone", "email", "message", "country", "city", "telegram", "company", "consent", "birthday", "language", "budget",
    "tags", "page_url", "referrer", "utm_source", "cookies", "other",
)  # fmt: skip
_FRAGMENTS = (
    "\n", " ", "\t", "(", "[", "{", "<a", "&amp", '"', "\\u0", "1", "1-", "1 ", "a", "a ", "ab ", "a@", "a.", "@", "a:", "a=", "a: b\n", ",",
    ";", "/", "_", "- ", "(a ", "aB", "%D0", "Рђ", "+7 ", "https://a.example/ ", ", ", " \n", "\u200b", "例", "\U0001f1e6",
)  # fmt: skip


def _seconds(made: Callable[[str, int], object], repeated: str) -> float:
    best = float("inf")
    for number in range(3):  # another text each time: what is known of a name is remembered
        body = json.dumps(made(repeated, number)).encode()
        request = Request("POST", "", "", {"content-type": "application/json"}, body, datetime(2026, 1, 15, 12, tzinfo=UTC))
        began = time.thread_time()
        with suppress(Malformed):
            _GENERIC.parse(request, _CONFIG)
        best = min(best, time.thread_time() - began)
        if best < _NOISE_SECONDS or best > 1:
            break  # it says nothing, or enough
    return best


def _require_linear(made: Callable[[str, int], object], fragment: str) -> None:
    before = _seconds(made, fragment * (_SIZES[0] // len(fragment)))
    for size in _SIZES[1:]:
        took = _seconds(made, fragment * (size // len(fragment)))
        if took >= _NOISE_SECONDS:
            assert took <= _MOST_GROWTH * before, f"{size} bytes took {took:.3f} s, a quarter of them {before:.3f} s"
        before = took


@pytest.mark.parametrize("fragment", _FRAGMENTS)
def test_a_value_of_any_sign_repeated_is_read_in_one_pass(fragment: str) -> None:
    def made(value: str, number: int) -> object:
        # An address before it, because what is not one at its beginning is no file; a letter after it, or the ends are stripped.
        fields = dict.fromkeys(_FIELDS, f"{value}x{number}") | {"file": f"https://a.example/a.pdf{value}x"}
        return {"phone": "+79990000001"} | fields

    _require_linear(made, fragment)


@pytest.mark.parametrize("fragment", _FRAGMENTS)
@pytest.mark.parametrize("told_as", ["name", "label", "question"])
def test_a_name_of_any_sign_repeated_is_read_in_one_pass(told_as: str, fragment: str) -> None:
    """Where a form tells the names of its fields as values, nothing has cut them to the length of a key."""

    def made(name: str, number: int) -> object:
        rows = [{told_as: f"{name}x{number}{letter}", "value": "a", "type": "text"} for letter in "abcde"]
        return {"phone": "+79990000001", "fields": rows}

    _require_linear(made, fragment)
