"""X-Hub-Signature-256: `sha256=` and the hexadecimal HMAC-SHA256 of the body under the app secret.

Source: developers.facebook.com, Graph API webhooks. It covers the whole body and no time: a repeat is stopped by the
message's id. Meta signs what it sends, with letters beyond ASCII escaped; the bytes as received are what counts.
"""

from __future__ import annotations

import hashlib
import hmac

from connectors.forms.whatsapp.config import WhatsAppConfig
from connectors.kit import ConnectorConfig, Request
from crm_core.base.errors import NotAuthentic

HEADER = "x-hub-signature-256"


def verify(request: Request, config: ConnectorConfig) -> None:
    assert isinstance(config, WhatsAppConfig)
    if not config.app_secret:
        return
    given = request.headers.get(HEADER, "").strip()
    if not given:
        raise NotAuthentic("no_signature", "The event carries no X-Hub-Signature-256 header.")
    expected = "sha256=" + hmac.new(config.app_secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise NotAuthentic("wrong_signature", "The signature does not fit the app secret of this source.")
