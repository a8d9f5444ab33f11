"""An event under its source's own mapping: read by it, told by it, and never lost to it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit import registry
from crm_core.intake import ParsedEvent
from crm_core.parsed import Inquiry
from ingest.journal.claim import Claimed
from ingest.processing import parse
from ingest.sources.settings import LoadedSource

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def read(mapping: dict[str, Any] | None, body: bytes, path: str = "") -> ParsedEvent:
    connector = registry.get("generic_form")
    settings = connector.config_model(region="RU", timezone="Europe/Moscow")
    source = LoadedSource(
        1,
        "Site",
        connector,
        "form",
        settings,
        "active",
        "",
        None,
        (),
        mapping,
        7 if mapping is not None else 0,
    )
    event = claimed(body, path)
    item = parse.read(event, lambda _id: source)
    assert isinstance(item, ParsedEvent)
    return item


def claimed(body: bytes, path: str) -> Claimed:
    values: dict[str, Any] = {
        "id": 1, "uid": "u", "source_id": 1, "channel": "form", "method": "POST", "path": path, "query": "", "headers": {}, "remote_ip": "",
        "body": body, "received_at": NOW, "attempts": 0, "replayed": 0, "unclaimed": False, "first_time": True,
    }  # fmt: skip
    return Claimed(**{name: value for name, value in values.items() if name in Claimed.__dataclass_fields__})


def inquiry(item: ParsedEvent) -> Inquiry:
    (parsed_item,) = item.parsed_items
    assert isinstance(parsed_item, Inquiry)
    return parsed_item


def test_mapping_reads_and_is_told_when_the_source_has_one() -> None:
    item = read({"fields": {"name": {"from": ["$.who"]}}}, b"who=Anna&name=form")
    assert inquiry(item).name == "Anna"
    assert item.notes == {"mapping": 7}


def test_connector_that_read_is_told_when_a_form_was_recognised() -> None:
    assert read(None, b'{"Name":"Anna"}', "tilda").notes == {"read_by": "tilda"}
    assert read(None, b'{"Name":"Anna"}').notes == {}


def test_inquiry_is_kept_and_marked_when_its_mapping_cannot_be_followed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Rules of a version that knew other verbs: the schema of today would refuse them, the table still holds them."""
    with caplog.at_level(logging.ERROR):
        item = read({"unwrap": [{"some_old_verb": "$.a"}]}, b"name=Anna&phone=89123456760")
    assert (inquiry(item).name, inquiry(item).phones) == ("Anna", ("89123456760",))
    assert "mapping_failed" in inquiry(item).warnings
    assert "Anna" not in caplog.text
