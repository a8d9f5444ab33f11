"""Presets and requests for the tests of the mapping language."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.kit import Connector, ConnectorConfig, Request, preset
from crm_core.parsed import Inquiry

HEAD = "title: T\nchannel: form\n"
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def made(folder: Path, text: str, name: str = "acme") -> Connector:
    """The connector of a preset with this text below its title and channel."""
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "preset.yaml").write_text(HEAD + text, encoding="utf-8")
    return preset.load(place)


def settings(connector: Connector, **values: Any) -> ConnectorConfig:
    return connector.config_model(region="RU", timezone="Europe/Moscow", **values)


def posted(body: Any, method: str = "POST", path: str = "", query: str = "", at: datetime = NOW, **headers: str) -> Request:
    """A request; `headers` with _ for -."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Request(method, path, query, {name.replace("_", "-"): value for name, value in headers.items()}, raw, at)


def inquiry(connector: Connector, body: Any, **more: Any) -> Inquiry:
    (parsed_item,) = connector.parse(posted(body, **more), settings(connector))
    assert isinstance(parsed_item, Inquiry)
    return parsed_item
