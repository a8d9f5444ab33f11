"""Names, addresses, checkboxes and consents in parts: only a name becomes a name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.forms.gravity import CONNECTOR
from connectors.forms.gravity.parts import joined
from connectors.kit import Request
from crm_core.parsed import Inquiry

_CONFIG = CONNECTOR.config_model(region="RU", timezone="Europe/Moscow")


def _request(data: Any, **headers: str) -> Request:
    return Request("POST", "", "", headers, json.dumps(data).encode(), datetime(2026, 1, 15, tzinfo=UTC))


def _read(data: dict[str, Any]) -> Inquiry:
    (parsed_item,) = CONNECTOR.parse(_request(data), _CONFIG)
    assert isinstance(parsed_item, Inquiry)
    return parsed_item


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"1.3": "Anna", "1.6": "Example"}, "Anna Example"),
        ({"1.2": "Dr.", "1.3": "Anna", "1.4": "", "1.6": "Example", "1.8": ""}, "Anna Example"),
        ({"12.3": "Anna", "12.6": ""}, "Anna"),
        ({"4.1": "Main street 1", "4.3": "Springfield", "4.6": "United States"}, ""),
        ({"6.3": "Walls", "6.6": "Doors", "6.7": "Windows"}, ""),
        ({"6.3": "Walls"}, ""),
    ],
)
def test_name_is_joined_when_its_parts_are_those_of_a_name(parts: dict[str, str], name: str) -> None:
    found = _read({"form_id": "2", **parts})
    assert found.name == name
    if not name:
        assert {key: found.fields[key] for key in parts} == parts


def test_second_name_stays_in_its_parts_when_a_form_has_two() -> None:
    found = _read({"1.3": "Anna", "1.6": "Example", "9.3": "Boris", "9.6": "Example"})
    assert (found.name, found.fields) == ("Anna Example", {"9.3": "Boris", "9.6": "Example"})


@pytest.mark.parametrize(("ticked", "given"), [("1", True), ("", False)])
def test_consent_has_its_words_and_version_when_joined(ticked: str, given: bool) -> None:
    (consent,) = _read({"2": "anna@example.com", "8.1": ticked, "8.2": "I agree to the policy.", "8.3": "3"}).consents
    assert (consent.given, consent.text, consent.text_id) == (given, "I agree to the policy.", "3")


def test_three_checkboxes_are_no_consent_when_joined() -> None:
    found = _read({"2": "anna@example.com", "6.1": "Roof", "6.2": "Walls", "6.3": "Doors"})
    assert found.consents == ()
    assert found.fields["6.2"] == "Walls"


@pytest.mark.parametrize("body", [b"", b"\x00\x01", b"[1]", b'"text"', b"{}", b"a=1"])
def test_request_is_the_same_when_there_is_nothing_to_join(body: bytes) -> None:
    request = Request("POST", "", "", {}, body, datetime(2026, 1, 15, tzinfo=UTC))
    assert joined(request) is request


def test_name_is_joined_when_a_source_has_its_own_mapping() -> None:
    assert CONNECTOR.map is not None
    data = {"1.3": "Anna", "1.6": "Example", "5": "+7 912 345-61-40", "7": "roof"}
    mapping = {"fields": {"phone": {"from": ["$.5"]}, "line": {"from": ["$.7"]}}}
    (found,) = CONNECTOR.map(_request(data), _CONFIG, mapping)
    assert isinstance(found, Inquiry)
    assert (found.name, found.phones, found.line) == ("Anna Example", ("+7 912 345-61-40",), "roof")
