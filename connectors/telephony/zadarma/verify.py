"""The Signature header: base64 of the hexadecimal HMAC-SHA1, over a few fields that depend on the event.

Source: zadarma/user-api-v1, lib/Webhook. It covers neither disposition nor duration and carries no time, so it proves
who sent the event, not that nobody changed it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from connectors.kit import ConnectorConfig, Request
from connectors.telephony.zadarma.config import ZadarmaConfig
from connectors.telephony.zadarma.fields import fields_of
from crm_core.base.errors import NotAuthentic

_INCOMING = ("caller_id", "called_did", "call_start")
_OUTGOING = ("internal", "destination", "call_start")
_SIGNED: Mapping[str, tuple[str, ...]] = {
    "NOTIFY_START": _INCOMING,
    "NOTIFY_INTERNAL": _INCOMING,
    "NOTIFY_END": _INCOMING,
    "NOTIFY_IVR": _INCOMING,
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": _OUTGOING,
    "NOTIFY_OUT_END": _OUTGOING,
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}


def verify(request: Request, config: ConnectorConfig) -> None:
    """Raises NotAuthentic. An event of a kind that is not known is left to `parse`, which ignores it."""
    assert isinstance(config, ZadarmaConfig)
    data = fields_of(request)
    names = _SIGNED.get(data.get("event", ""))
    if names is None:
        return
    given = request.headers.get("signature", "").strip()
    if not given:
        raise NotAuthentic("no_signature", "The event carries no Signature header.")
    expected = signature("".join(data.get(name, "") for name in names), config.secret)
    if not hmac.compare_digest(expected, given.encode("utf-8", "replace")):
        raise NotAuthentic("wrong_signature", "The Signature does not fit the API secret of this source.")


def signature(text: str, secret: str) -> bytes:
    """base64 of the hex digest (56 characters), not of the digest itself."""
    digest = hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha1).hexdigest()
    return base64.b64encode(digest.encode("ascii"))
