"""The check of the address (`hub.challenge`), the signature, and what makes a notice the same notice.

`X-Hub-Signature-256: sha256=` + hex HMAC-SHA256(app secret, raw body); developers.facebook.com, Graph API, Webhooks,
"Getting Started". It carries no time: a genuine notice can be sent again, and then leads to the same leads.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from connectors.forms.meta.config import MetaConfig
from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode_query
from crm_core.base.errors import NotAuthentic

#: What is echoed is somebody's input shown under our name.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,128}")


def handshake(request: Request, config: ConnectorConfig) -> Reply | None:
    """`GET ?hub.mode=subscribe&hub.verify_token=…&hub.challenge=…`: the challenge back, or 403 for another token."""
    assert isinstance(config, MetaConfig)
    if request.method != "GET" or "hub.mode" not in request.query:
        return None
    query = decode_query(request.query, set())
    token, challenge = query.get("hub.verify_token"), query.get("hub.challenge")
    if not isinstance(challenge, str) or not _CHALLENGE.fullmatch(challenge):
        return Reply(b"The challenge is missing.", status=400)
    given = token.encode("utf-8", "replace") if isinstance(token, str) else b""
    if not config.verify_token or not hmac.compare_digest(config.verify_token.encode(), given):
        return Reply(b"The verify token is another one than that of this source.", status=403)
    return Reply(challenge.encode("ascii"))


def verify(request: Request, config: ConnectorConfig) -> None:
    assert isinstance(config, MetaConfig)
    given = request.headers.get("x-hub-signature-256", "").strip().lower()
    expected = "sha256=" + hmac.new(config.app_secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise NotAuthentic("wrong_signature", "The signature does not fit the app secret of this source.")


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """The notice itself, with its signature: a forged one never stands in the place of a genuine one. The leads that it
    names have keys of their own."""
    signature = request.headers.get("x-hub-signature-256", "").strip().lower().encode("utf-8", "replace")
    return "notice|" + hashlib.sha256(signature + b"\n" + request.body).hexdigest()
