"""The challenge that LinkedIn repeats every two hours, the signature, and what makes a notice the same notice.

Challenge: hex HMAC-SHA256(client secret, challengeCode). Notices: `X-LI-Signature` = hex HMAC-SHA256(client secret,
"hmacsha256=" + raw body), the digest only. learn.microsoft.com, LinkedIn, API guide, "Webhook validation".
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re

from connectors.forms.linkedin.config import LinkedInConfig
from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode_query
from crm_core.base.errors import NotAuthentic

#: What is echoed is somebody's input; the documents show a UUID.
_CODE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PREFIX = b"hmacsha256="


def handshake(request: Request, config: ConnectorConfig) -> Reply | None:
    """`GET ?challengeCode=…` is answered within three seconds, or after three failures the address is blocked."""
    assert isinstance(config, LinkedInConfig)
    if request.method != "GET" or "challengeCode=" not in request.query:
        return None
    code = decode_query(request.query, set()).get("challengeCode")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return None
    answer = {"challengeCode": code, "challengeResponse": _digest(config, code.encode())}
    return Reply(json.dumps(answer).encode(), content_type="application/json")


def verify(request: Request, config: ConnectorConfig) -> None:
    assert isinstance(config, LinkedInConfig)
    given = request.headers.get("x-li-signature", "").strip().lower().removeprefix("hmacsha256=")
    expected = _digest(config, _PREFIX + request.body)
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise NotAuthentic("wrong_signature", "The signature does not fit the client secret of this source.")


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    """The notice itself, with its signature: a forged one never stands in the place of a genuine one."""
    signature = request.headers.get("x-li-signature", "").strip().lower().encode("utf-8", "replace")
    return "notice|" + hashlib.sha256(signature + b"\n" + request.body).hexdigest()


def _digest(config: LinkedInConfig, message: bytes) -> str:
    return hmac.new(config.client_secret.encode(), message, hashlib.sha256).hexdigest()
