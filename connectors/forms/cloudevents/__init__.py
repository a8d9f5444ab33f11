"""CloudEvents 1.0 over HTTP: one event with its attributes in headers, one as a JSON object, or several in a list."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.forms.cloudevents.events import parsed_items, provider_key
from connectors.kit import ConnectorConfig, Request, preset
from crm_core.parsed import ParsedItem

_PRESET = preset.load(Path(__file__).parent)


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    return parsed_items(request, lambda one: _PRESET.parse(one, config))


def read_under(request: Request, config: ConnectorConfig, mapping: Mapping[str, Any]) -> Sequence[ParsedItem]:
    assert _PRESET.map, "every preset has one"
    read = _PRESET.map
    return parsed_items(request, lambda one: read(one, config, mapping))


CONNECTOR = replace(_PRESET, parse=parse, map=read_under, provider_key=provider_key)
