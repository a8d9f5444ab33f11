"""Reads the fields of a form by their names. First cut: JSON and urlencoded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from connectors.kit import ConnectorConfig, Request
from crm_core.arrivals import Arrival, Attribution, Inquiry
from crm_core.errors import Malformed


def parse(request: Request, config: ConnectorConfig) -> Sequence[Arrival]:
    text = request.body.decode("utf-8", "replace").replace("\x00", "")
    try:
        data: Any = json.loads(text)
    except ValueError:
        data = dict(parse_qsl(text, keep_blank_values=True))
    if isinstance(data, Mapping) and isinstance(data.get("fields"), Mapping):
        data = data["fields"]
    if not isinstance(data, Mapping) or not data:
        raise Malformed("empty_form", "The form was sent without any field.")
    rest = {str(k): v for k, v in data.items()}
    name, phone, email, message = (str(rest.pop(k, "") or "") for k in ("name", "phone", "email", "message"))
    utm = {k: str(rest.pop(k)) for k in list(rest) if k.startswith("utm_")}
    return [
        Inquiry(
            name=name,
            phones=(phone,) if phone else (),
            emails=(email,) if email else (),
            message=message,
            fields=rest,
            attribution=Attribution(utm=utm),
        )
    ]


def provider_key(request: Request, config: ConnectorConfig) -> str | None:
    return None
