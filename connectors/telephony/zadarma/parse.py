"""Zadarma's events in the hub's words. Source: zadarma/user-api-v1 and zadarma.com/en/support/api.

NOTIFY_INTERNAL comes for every extension that rings and is never a miss; NOTIFY_END is the last word on the call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.kit import ConnectorConfig, Request
from connectors.kit.times import read_time
from connectors.telephony.zadarma.config import ZadarmaConfig
from connectors.telephony.zadarma.fields import fields_of
from crm_core.base.errors import Malformed
from crm_core.parsed import CallEvent, CallKind, CallOutcome, Direction, Ignored, ParsedItem

_KINDS: dict[str, CallKind] = {
    "NOTIFY_START": "ringing",
    "NOTIFY_INTERNAL": "ringing",
    "NOTIFY_IVR": "observed",
    "NOTIFY_ANSWER": "answered",
    "NOTIFY_END": "call_ended",
    "NOTIFY_OUT_START": "ringing",
    "NOTIFY_OUT_END": "call_ended",
    "NOTIFY_RECORD": "recording_ready",
}

_IN_RESULTS: dict[str, CallOutcome] = {
    "answered": "answered",
    "busy": "busy",
    "cancel": "missed",  # the caller gave up
    "no answer": "missed",
    "failed": "failed",
    "no money": "failed",
    "unallocated number": "failed",
    "no limit": "failed",
    "no day limit": "failed",
    "line limit": "failed",
    "no money, no limit": "failed",
}
_OUT_RESULTS: dict[str, CallOutcome] = {
    **_IN_RESULTS,
    "answered": "out_answered",
    "cancel": "out_no_answer",
    "no answer": "out_no_answer",
}

_HIDDEN = {"", "anonymous", "unknown", "restricted", "private", "unavailable"}
_READ = {
    "event", "caller_id", "called_did", "destination", "internal", "pbx_call_id", "call_start", "duration", "disposition",
    "call_id_with_rec",
}  # fmt: skip

_IDENTITY = (
    "event", "pbx_call_id", "internal", "destination", "disposition", "call_start", "call_id_with_rec", "wait_dtmf.digits",
)  # fmt: skip

#: A time further from the receipt than this is a wrong clock or a wrong time zone setting, and is not used.
_BELIEVED = timedelta(hours=24)


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    assert isinstance(config, ZadarmaConfig)
    data = fields_of(request)
    event = data.get("event", "")
    if event not in _KINDS:
        if not event:
            raise Malformed("no_event", "This is no event of Zadarma: the field event is missing.", path="event")
        return [Ignored("unsupported_event", event)]
    if not data.get("pbx_call_id"):
        raise Malformed("no_call_id", "The event names no call: pbx_call_id is missing.", path="pbx_call_id")
    return [_event(event, data, request, config)]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """Zadarma numbers calls, not events: what happened to which call, leg and file is what identifies an event.

    The signature belongs to it, so that a forged event cannot take the place of the genuine one that comes after it.
    """
    try:
        data = fields_of(request)
    except Malformed:
        return None
    if not data.get("event") or not data.get("pbx_call_id"):
        return None
    return f"{_identity(data)}|{request.headers.get('signature', '')[:64]}"


def _identity(data: Mapping[str, str]) -> str:
    return "|".join(data.get(name, "") for name in _IDENTITY)


def _event(event: str, data: Mapping[str, str], request: Request, config: ZadarmaConfig) -> CallEvent:
    outgoing = _direction(event, data) == "out"
    extension = data.get("internal") or (data.get("destination", "") if event == "NOTIFY_ANSWER" else "")
    final = event in ("NOTIFY_END", "NOTIFY_OUT_END")
    disposition = data.get("disposition", "").casefold()
    hint = (_OUT_RESULTS if outgoing else _IN_RESULTS).get(disposition) if final else None
    human = True if event in ("NOTIFY_ANSWER", "NOTIFY_INTERNAL") else False if event == "NOTIFY_IVR" else None
    if hint == "answered" and not extension and config.unanswered_without_extension:
        hint, human = "abandoned_in_ivr", False  # an answer that came from NOTIFY_ANSWER still beats it
    started_at = _started(data, request, config)
    remote = data.get("destination" if outgoing else "caller_id", "")
    return CallEvent(
        call_key=data["pbx_call_id"],
        event_id=_identity(data),
        kind=_KINDS[event],
        direction=_direction(event, data),
        remote="anonymous" if remote.casefold() in _HIDDEN and event != "NOTIFY_RECORD" else remote,
        our_number=data.get("caller_id" if outgoing else "called_did", ""),
        extension=extension,
        leg_key=extension if event in ("NOTIFY_INTERNAL", "NOTIFY_ANSWER") else "",
        is_final=final,
        human=human,
        occurred_at=started_at if event != "NOTIFY_ANSWER" else None,  # every event repeats the start of the call
        ended_at=request.received_at if final else None,
        talk_seconds=_seconds(data.get("duration", "")) if hint in ("answered", "out_answered") else None,
        outcome_hint=hint,
        cause=disposition,
        recording=data.get("call_id_with_rec", ""),
        fields={k: v for k, v in data.items() if k not in _READ and v},
    )


def _direction(event: str, data: Mapping[str, str]) -> Direction:
    if event.startswith("NOTIFY_OUT"):
        return "out"
    if event == "NOTIFY_RECORD":
        return {"in_": "in", "out": "out"}.get(data["pbx_call_id"][:3], "unknown")  # type: ignore[return-value]
    return "in"


def _started(data: Mapping[str, str], request: Request, config: ZadarmaConfig) -> datetime | None:
    """call_start is the wall clock of the account's cabinet, without an offset."""
    started = read_time(data.get("call_start", ""), ZoneInfo(config.timezone or "UTC"))
    return started if started and abs(started - request.received_at) <= _BELIEVED else None


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
