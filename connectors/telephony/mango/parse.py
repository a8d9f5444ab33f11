"""The envelope of Mango's events: which path is which event, and what makes two posts the same one.

Source: MangoOffice_VPBX_API_v1.9. A post is a form with `vpbx_api_key`, `sign` and `json`; the path names the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import decode, read_json
from connectors.kit.forms.fields import text_of
from connectors.telephony.mango import legs, recordings, summary
from connectors.telephony.mango.values import Tree
from crm_core.base.errors import Malformed
from crm_core.parsed import CallEvent, Ignored, ParsedItem

Reader = Callable[[Tree, ZoneInfo], CallEvent | Ignored]

# Not here, so ignored: events/record/tagged, events/dtmf, events/sms, result/<command> and whatever is new.
_EVENTS: dict[str, tuple[Reader, Callable[[Tree], str]]] = {
    "events/call": (legs.read_leg, legs.identity),
    "events/summary": (summary.read_summary, summary.identity),
    "events/recording": (recordings.read_state, recordings.state_identity),
    "events/record/added": (recordings.read_added, recordings.added_identity),
}


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    path = request.path.strip("/")
    if path not in _EVENTS:
        return [Ignored("unsupported_event", path)]
    data = _event(request)
    if not text_of(data.get("entry_id")):
        raise Malformed("no_entry_id", "The event names no call (entry_id).", path="$.json.entry_id")
    read, _ = _EVENTS[path]
    return [read(data, ZoneInfo(config.timezone or "UTC"))]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """The identity and the signature: a forged post must not take the place of the genuine one."""
    path = request.path.strip("/")
    if path not in _EVENTS:
        return None
    try:
        data = _event(request)
        sign = text_of(decode(request).fields.get("sign"))
    except Malformed:
        return None
    _, identity = _EVENTS[path]
    return f"{identity(data)}|{sign[:64]}" if text_of(data.get("entry_id")) else None


def _event(request: Request) -> Tree:
    text = text_of(decode(request).fields.get("json"))
    if not text:
        raise Malformed("no_json", "The post has no field json.", path="$.json")
    data = read_json(text)
    if not isinstance(data, dict):
        raise Malformed("not_an_object", "The field json holds no event.", path="$.json")
    return data
