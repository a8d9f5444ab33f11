"""webhook-signature: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; several of them while a secret is changed.

Source: standard-webhooks/standard-webhooks, spec (2026-08). It covers id, time and body. `v1a` (ed25519) is not read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from connectors.kit import ConnectorConfig, Request
from crm_core.base.errors import NotAuthentic

TOLERANCE_SECONDS = 300  # the specification's five minutes, to either side
_MOST_SIGNATURES = 20  # one for each secret that is valid at the same time; more is nonsense


def verify(request: Request, config: ConnectorConfig) -> None:
    """Raises NotAuthentic. Freshness is measured against the time of receipt, so that a replay finds the same."""
    secret = str(getattr(config, "secret", ""))
    if not secret:
        return
    message, sent = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    given = request.headers.get("webhook-signature", "")
    if not (message and sent and given):
        raise NotAuthentic("no_signature", "One of webhook-id, webhook-timestamp and webhook-signature is missing.")
    if not sent.isascii() or not sent.isdigit() or len(sent) > 12:
        raise NotAuthentic("wrong_timestamp", "The webhook-timestamp is no number of seconds.")
    expected = signature(secret, message, sent, request.body)
    if not any(hmac.compare_digest(expected, one) for one in _of_version_1(given)):
        raise NotAuthentic("wrong_signature", "No signature fits the secret of this source.")
    if abs(request.received_at.timestamp() - int(sent)) > TOLERANCE_SECONDS:
        raise NotAuthentic("stale", "It was signed more than five minutes before or after it was received.")


def signature(secret: str, message: str, sent: str, body: bytes) -> bytes:
    """What stands after `v1,`."""
    signed = f"{message}.{sent}.".encode("utf-8", "replace") + body
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())


def provider_key(request: Request, config: ConnectorConfig) -> str | None:
    """webhook-id, the same in every attempt, while each is signed anew. A post that is not genuine gets a key of its own."""
    message = request.headers.get("webhook-id", "").strip()
    if not message:
        return None
    try:
        verify(request, config)
    except NotAuthentic:
        return f"{message}|{request.headers.get('webhook-signature', '')[:64]}"
    return message


def _of_version_1(given: str) -> list[bytes]:
    pieces = (one.partition(",") for one in given.split()[:_MOST_SIGNATURES])
    return [value.encode("utf-8", "replace") for version, comma, value in pieces if version == "v1" and comma]


def _key(secret: str) -> bytes:
    """The key's bytes: base64 whose padding may be missing; some senders show the bytes themselves as text."""
    text = secret.strip().removeprefix("whsec_")
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return text.encode()
