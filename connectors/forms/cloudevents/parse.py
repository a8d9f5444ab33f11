"""The three modes of CloudEvents into inquiries; what an event's data holds is read by its names, as any form is.

Source: cloudevents/spec 1.0.2, HTTP protocol binding. An event is known by its source and id together.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any
from urllib.parse import unquote

from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode, decode_body
from connectors.kit.decoding.charset import clean
from connectors.kit.leaves import text_of
from connectors.kit.reading import Draft, read
from connectors.kit.times import read_time
from crm_core.arrivals import Arrival, Ignored
from crm_core.errors import Malformed

#: Attributes that say how the data is written, or were read into the inquiry itself.
_READ = {"specversion", "time", "data", "data_base64", "datacontenttype", "dataschema"}


@dataclass(frozen=True, slots=True)
class _Event:
    attributes: Mapping[str, Any]
    data: Any
    flags: tuple[str, ...] = ()


def parse(request: Request, config: ConnectorConfig) -> Sequence[Arrival]:
    return [_arrival(event, config) for event in _events(request)]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """source and id of the event; of a batch the digest of all of them, in their order."""
    try:
        events = _events(request)
    except Malformed:
        return None
    keys = [f"{text_of(e.attributes.get('source'))}|{text_of(e.attributes.get('id'))}" for e in events]
    if len(keys) == 1:
        return keys[0]
    return "batch|" + hashlib.sha256("\n".join(keys).encode("utf-8", "replace")).hexdigest()


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    return Reply()


def _events(request: Request) -> list[_Event]:
    """The events of a request. Raises Malformed where it is no CloudEvent."""
    decoded = decode(request)
    if "ce-id" in request.headers:
        named = {
            name.removeprefix("ce-"): clean(unquote(value))
            for name, value in request.headers.items()
            if name[:3] == "ce-"
        }
        found = [_Event(named, decoded.data, decoded.flags)]
    else:
        rows = decoded.data if isinstance(decoded.data, list) else [decoded.data]
        found = [
            _Event(row, _data_of(row), decoded.flags)
            for row in rows
            if isinstance(row, dict) and "specversion" in row
        ]
    if not found:
        raise Malformed("no_event", "This is no CloudEvent: neither ce-id nor specversion is there.")
    if not all(text_of(event.attributes.get(name)) for event in found for name in ("id", "source", "type")):
        raise Malformed("no_event_id", "An event lacks id, source or type, by which it is known.", path="id")
    return found


def _data_of(event: Mapping[str, Any]) -> Any:
    """The event's data, also as base64, and as text that is itself a body of the declared type."""
    kind, packed = text_of(event.get("datacontenttype")), event.get("data_base64")
    data = event.get("data")
    if isinstance(packed, str):
        try:
            raw = base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            raise Malformed(
                "broken_base64", "The event's data_base64 is no base64.", path="data_base64"
            ) from None
    elif isinstance(data, str):
        raw = data.encode("utf-8", "replace")
    else:
        return data
    return decode_body(raw, kind, "", set())[1]


def _arrival(event: _Event, config: ConnectorConfig) -> Arrival:
    kind, data = text_of(event.attributes.get("type")), event.data
    if isinstance(data, str):
        data = {"message": data}
    if not isinstance(data, dict) or not data:
        return Ignored("no_data", kind)
    draft = Draft(submitted_at=read_time(event.attributes.get("time"), UTC), warnings=set(event.flags))
    inquiry = read(data, draft, region=config.region)
    rest = {f"ce-{name}": value for name, value in event.attributes.items() if name not in _READ and value}
    if not inquiry.form_id:  # the event's type tells one form of a sender from another
        del rest["ce-type"]
        inquiry = replace(inquiry, form_id=kind, form_name=inquiry.form_name or kind)
    return replace(inquiry, fields={**rest, **inquiry.fields})
