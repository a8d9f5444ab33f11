"""A connector declared by a mapping (preset.yaml) instead of Python.

Not there yet, and refused by the schema rather than half done: signatures, look-ups in arrays of answers, value tables.
A provider that needs them is written in Python (docs/adding-a-connector.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.kit import preset_file
from connectors.kit.connector import Connector, ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode
from connectors.kit.leaves import text_of
from connectors.kit.paths import find
from connectors.kit.preset_mapping import arrivals_of
from crm_core.arrivals import Arrival
from crm_core.errors import Malformed

#: For the key only the beginning of a large body is read; the ids of every known provider stand in it.
KEY_BYTES = 64 * 1024

Rules = Mapping[str, Any]


def load(folder: Path) -> Connector:
    """The connector of a folder with preset.yaml. Raises Misconfigured, naming the line that is wrong."""
    rules = preset_file.read(folder / "preset.yaml")
    answer = _reply(rules["reply"]) if "reply" in rules else None

    def parse(request: Request, config: ConnectorConfig) -> Sequence[Arrival]:
        return arrivals_of(rules, request, config)

    def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
        return _key(rules, request)

    def handshake(request: Request, _config: ConnectorConfig) -> Reply | None:
        return _handshake(rules, request, answer or Reply())

    def reply(_request: Request, _config: ConnectorConfig) -> Reply:
        return answer or Reply()

    return Connector(
        name=folder.name,
        channel=rules["channel"],
        title=rules["title"],
        parse=parse,
        provider_key=provider_key if "event_id" in rules else None,
        handshake=handshake if "handshake" in rules else None,
        reply=reply if answer else None,
        rules=rules,
        experimental=rules.get("experimental", False),
    )


def _reply(rule: Rules) -> Reply:
    return Reply(
        str(rule.get("body", "")).encode(),
        rule.get("status", 200),
        rule.get("type", "text/plain") + "; charset=utf-8",
    )


def _handshake(rules: Rules, request: Request, answer: Reply) -> Reply | None:
    if (
        len(request.body) > 1024
    ):  # a provider's test of an address is a few words; a real form need not be read here
        return None
    try:
        data = _data(request)
    except Malformed:
        return None
    for rule in rules["handshake"]:
        fits = all(text_of(data.get(key)) == value for key, value in rule["form"].items())
        if fits and len(data) == rule.get("size", len(data)):
            return _reply(rule["reply"]) if "reply" in rule else answer
    return None


def _key(rules: Rules, request: Request) -> str | None:
    body = request.body[:KEY_BYTES]
    beginning = Request(
        request.method, request.path, request.query, request.headers, body, request.received_at
    )
    try:
        data = _data(beginning)
    except Malformed:
        return None
    parts = [_first(data, path) for path in rules["event_id"]]
    return "|".join(parts) if all(parts) else None


def _data(request: Request) -> dict[str, Any]:
    decoded = decode(request)
    return {**decoded.query, **decoded.fields}


def _first(data: dict[str, Any], path: str) -> str:
    return next(filter(None, (text_of(value) for _, value in find(data, path))), "")
