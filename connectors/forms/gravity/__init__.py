"""Gravity Forms: a mapping (preset.yaml) over an entry whose names and consents in parts ("1.3", "1.6") were joined before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.forms.gravity.parts import joined
from connectors.kit import ConnectorConfig, Request, preset
from crm_core.parsed import ParsedItem

_PRESET = preset.load(Path(__file__).parent)
assert _PRESET.map is not None
_map = _PRESET.map


def _parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    return _PRESET.parse(joined(request), config)


def _read_under(request: Request, config: ConnectorConfig, mapping: Mapping[str, Any]) -> Sequence[ParsedItem]:
    return _map(joined(request), config, mapping)


CONNECTOR = replace(_PRESET, parse=_parse, map=_read_under, as_form=joined)
