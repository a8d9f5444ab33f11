"""Reads CTI events. First cut: JSON and urlencoded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from connectors.kit import ConnectorConfig, Reply, Request
from crm_core.arrivals import Arrival, CallEvent, CallKind, Ignored
from crm_core.errors import Malformed

_KINDS: dict[str, CallKind] = {"newCall": "ringing", "answer": "answered", "hangup": "call_ended"}


def parse(request: Request, config: ConnectorConfig) -> Sequence[Arrival]:
    data = _read(request)
    call_key = str(data.get("callId") or "")
    if not call_key:
        raise Malformed("no_call_id", "The event names no call (callId is missing).", path="$.callId")
    event = str(data.get("event") or "")
    if event not in _KINDS:
        return [Ignored("unsupported_event", event)]
    out = data.get("direction") == "out"
    return [
        CallEvent(
            call_key=call_key,
            event_id=f"{event}|{call_key}|{data.get('answeringNumber') or ''}",
            kind=_KINDS[event],
            direction="out" if out else "in",
            remote=str(data.get("to" if out else "from") or ""),
            our_number=str(data.get("from" if out else "to") or ""),
            extension=str(data.get("answeringNumber") or ""),
            is_final=event == "hangup",
            human=True if event == "answer" else None,
            cause=str(data.get("cause") or ""),
        )
    ]


def provider_key(request: Request, config: ConnectorConfig) -> str | None:
    return None


def reply(request: Request, config: ConnectorConfig) -> Reply:
    return Reply(b"{}", content_type="application/json")


def _read(request: Request) -> dict[str, Any]:
    text = request.body.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except ValueError:
        return dict(parse_qsl(text))
    return data if isinstance(data, dict) else {}
