"""An event of any sender: `{"type", "timestamp", "data"}`. What `data` holds is read by its names, as any form is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from connectors.forms.standard_webhooks.verify import verify
from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode
from connectors.kit.leaves import text_of
from connectors.kit.reading import Draft, read
from connectors.kit.times import read_time
from crm_core.arrivals import Arrival
from crm_core.errors import Malformed, NotAuthentic


def parse(request: Request, config: ConnectorConfig) -> Sequence[Arrival]:
    decoded = decode(request)
    body = decoded.fields
    if not body:
        raise Malformed("no_object", "The event should be a JSON object with members and is not.")
    data, kind = body.get("data"), text_of(body.get("type"))
    enveloped = isinstance(data, dict) and bool(data) and bool(kind)
    draft = Draft(warnings=set(decoded.flags))
    if not enveloped:
        return [read(body, draft, region=config.region)]
    assert isinstance(data, dict)
    draft.submitted_at = read_time(body.get("timestamp"), UTC)
    rest = {name: value for name, value in body.items() if name not in ("data", "timestamp")}
    inquiry = read(data, draft, region=config.region)
    if not inquiry.form_id:  # the event's type tells one form of a sender from another
        del rest["type"]
        inquiry = replace(inquiry, form_id=kind, form_name=inquiry.form_name or kind)
    return [replace(inquiry, fields=_beside(rest, inquiry.fields))]


def provider_key(request: Request, config: ConnectorConfig) -> str | None:
    """webhook-id, the same in every attempt. One that is not genuine gets a key of its own, with its signature."""
    message = request.headers.get("webhook-id", "").strip()
    if not message:
        return None
    try:
        verify(request, config)
    except NotAuthentic:
        return f"{message}|{request.headers.get('webhook-signature', '')[:64]}"
    return message


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    return Reply()


def _beside(envelope: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the envelope says, beside what the data said, also where both use one name."""
    renamed = {f"event_{name}" if name in fields else name: value for name, value in envelope.items()}
    return {**renamed, **fields}
