"""The three modes of CloudEvents as what they wrap: each event's data as a post of its own, its attributes in the query.

Source: cloudevents/spec 1.0.2, HTTP protocol binding. An event is known by its source and id together.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlencode

from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import decode
from connectors.kit.decoding.charset import clean
from connectors.kit.forms.fields import text_of
from crm_core.base.errors import Malformed
from crm_core.parsed import Ignored, ParsedItem

_DATA = ("data", "data_base64")
_PREFIX = "ce-"


@dataclass(frozen=True, slots=True)
class _Event:
    attributes: Mapping[str, str]  # by their names in the specification: id, source, type, time, …
    body: bytes
    content_type: str


def parsed_items(request: Request, read: Callable[[Request], Sequence[ParsedItem]]) -> Sequence[ParsedItem]:
    """What the events of a request mean; `read` reads the data of one."""
    found: list[ParsedItem] = []
    for event in _events(request):
        if not event.body.strip():
            found.append(Ignored("no_data", event.attributes["type"]))
        else:
            found += read(_alone(event, request))
    return found


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """source and id of the event; of a batch the digest of all of them, in their order."""
    try:
        events = _events(request)
    except Malformed:
        return None
    keys = [f"{event.attributes['source']}|{event.attributes['id']}" for event in events]
    if len(keys) == 1:
        return keys[0]
    return "batch|" + hashlib.sha256("\n".join(keys).encode("utf-8", "replace")).hexdigest()


def _alone(event: _Event, request: Request) -> Request:
    attributes = {_PREFIX + name: value for name, value in event.attributes.items()}
    # What an event holds within JSON is unpacked already; a body that is the data itself is not.
    done = {"content-encoding"} if event.body is not request.body else set()
    headers = {k: v for k, v in request.headers.items() if not k.startswith(_PREFIX) and k not in done}
    query = urlencode(attributes, errors="replace")
    return replace(request, query=query, headers={**headers, "content-type": event.content_type}, body=event.body)


def _events(request: Request) -> list[_Event]:
    """The events of a request. Raises Malformed where it is no CloudEvent."""
    if "ce-id" in request.headers:
        named = {
            name.removeprefix(_PREFIX): clean(unquote(value))
            for name, value in request.headers.items()
            if name.startswith(_PREFIX)
        }
        found = [_Event(named, request.body, request.content_type)]
    else:
        data = decode(request).data
        rows = data if isinstance(data, list) else [data]
        found = [_structured(row) for row in rows if isinstance(row, dict) and "specversion" in row]
    if not found:
        raise Malformed("no_event", "This is no CloudEvent: neither ce-id nor specversion is there.")
    if not all(event.attributes.get(name) for event in found for name in ("id", "source", "type")):
        raise Malformed("no_event_id", "An event lacks id, source or type, by which it is known.", path="id")
    return found


def _structured(row: Mapping[str, Any]) -> _Event:
    """An event as a JSON object: its data as bytes of the type that it declares."""
    attributes = {name: text_of(value) for name, value in row.items() if name not in _DATA and text_of(value)}
    kind, data, packed = attributes.get("datacontenttype", ""), row.get("data"), row.get("data_base64")
    if isinstance(packed, str):
        try:
            return _Event(attributes, base64.b64decode(packed, validate=True), kind)
        except (binascii.Error, ValueError):
            raise Malformed("broken_base64", "The event's data_base64 is no base64.", path="data_base64") from None
    if isinstance(data, str):
        return _Event(attributes, data.encode("utf-8", "replace"), kind)
    body = b"" if data in (None, {}, []) else json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
    return _Event(attributes, body, "application/json")
