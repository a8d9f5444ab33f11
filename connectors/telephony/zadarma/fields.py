"""The flat form of a Zadarma event."""

from __future__ import annotations

from connectors.kit import Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of


def fields_of(request: Request) -> dict[str, str]:
    """Names and texts; nested values (wait_dtmf) become `wait_dtmf.name`. Raises Malformed for unreadable bytes."""
    flat: dict[str, str] = {}
    for name, value in decode(request).fields.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{below}": text_of(inner) for below, inner in value.items()}
        else:
            flat[name] = text_of(value)
    return flat
