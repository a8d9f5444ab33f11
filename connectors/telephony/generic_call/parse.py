"""Reads CTI events (newCall, answer, hangup), as JSON or as a form. One event never claims that a call was missed.

A hangup's cause says how the line ended, and senders use the causes loosely, also after a talk. Missed is what the
reduction concludes when a call ended and no answer came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from connectors.kit.times import read_time
from crm_core.base.errors import Malformed
from crm_core.parsed import CallEvent, CallKind, CallOutcome, Direction, Ignored, ParsedItem

_KINDS: dict[str, CallKind] = {"newcall": "ringing", "answer": "answered", "hangup": "call_ended"}
_DIRECTIONS: dict[str, Direction] = {
    "in": "in",
    "inbound": "in",
    "out": "out",
    "outbound": "out",
    "internal": "internal",
}

#: What a cause says of an outgoing call that nobody answered; of an incoming one it says nothing that can be relied on.
_OUT_CAUSES: dict[str, CallOutcome] = {"busy": "busy", "congestion": "failed", "notfound": "failed"}

#: Numbers that stand for "hidden".
_HIDDEN = {"anonymous", "unknown", "restricted", "private", "unavailable", "hidden", "withheld"}

_READ = {
    "event", "callId", "originalCallId", "direction", "from", "to", "answeringNumber", "cause", "queue", "recording_url",
    "started_at", "answered_at",
}  # fmt: skip


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    data = _fields(request)
    event, call_key = text_of(data.get("event")), text_of(data.get("callId"))
    kind = _KINDS.get(event.casefold())
    if event and kind is None:
        return [Ignored("unsupported_event", event)]
    if not call_key:
        raise Malformed("no_call_id", "The event names no call: the field callId is missing.", path="$.callId")
    if kind is None:
        raise Malformed("no_event", "The event says not what happened: the field event is missing.", path="$.event")
    return [_event(kind, call_key, data, ZoneInfo(config.timezone or "UTC"))]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """Two equal bodies are one event sent twice; a call answered at two numbers is two events."""
    try:
        data = _fields(request)
    except Malformed:
        return None
    return _identity(data) if data.get("callId") and data.get("event") else None


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    return Reply(b"{}", content_type="application/json")


def _fields(request: Request) -> dict[str, Any]:
    decoded = decode(request)
    return {**decoded.query, **decoded.fields}


def _identity(data: Mapping[str, Any]) -> str:
    parts = (text_of(data.get(name)) for name in ("event", "callId", "answeringNumber", "recording_url"))
    return "|".join(parts)


def _event(kind: CallKind, call_key: str, data: Mapping[str, Any], zone: ZoneInfo) -> CallEvent:
    direction = _DIRECTIONS.get(text_of(data.get("direction")).casefold(), "unknown")
    caller, called = text_of(data.get("from")), text_of(data.get("to"))
    cause = text_of(data.get("cause"))
    users = text_of(data.get("user"))
    human = None
    answered_at = read_time(data.get("answered_at"), zone)
    if kind == "answered" or answered_at:
        human = "voicemail" not in users.casefold()
    outgoing = direction == "out"
    parent = text_of(data.get("originalCallId"))
    return CallEvent(
        call_key=call_key,
        event_id=_identity(data),
        kind=kind,
        direction=direction,
        remote=_remote(called if outgoing else caller),
        our_number=caller if outgoing else called,
        extension=text_of(data.get("answeringNumber")),
        parent_key=parent if parent != call_key else "",
        is_final=kind == "call_ended",
        human=human,
        occurred_at=None if kind != "ringing" else read_time(data.get("started_at"), zone),
        answered_at=answered_at,
        outcome_hint=_hint(human, answered_at, cause if outgoing and kind == "call_ended" else ""),
        cause=cause,
        queue=text_of(data.get("queue")),
        recording=text_of(data.get("recording_url")),
        fields={k: v for k, v in data.items() if k not in _READ and v not in ("", None)},
    )


def _hint(human: bool | None, answered_at: datetime | None, cause: str) -> CallOutcome | None:
    if human is False:
        return "voicemail"
    if answered_at:
        return "answered"
    return _OUT_CAUSES.get(cause.casefold())


def _remote(number: str) -> str:
    return "anonymous" if number.casefold() in _HIDDEN else number
