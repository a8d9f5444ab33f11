"""The check of the address (GET with hub.*), and the answer to every event."""

from __future__ import annotations

import hmac
import re
from urllib.parse import parse_qsl

from connectors.forms.whatsapp.config import WhatsAppConfig
from connectors.kit import ConnectorConfig, Reply, Request

#: What is echoed is somebody's input shown under our name: nothing that a browser could take for a page.
_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def handshake(request: Request, config: ConnectorConfig) -> Reply | None:
    """The challenge as plain text, or 403: Meta shows it to the administrator who enters the address."""
    assert isinstance(config, WhatsAppConfig)
    if request.method != "GET" or "hub.mode=" not in request.query:
        return None
    asked = dict(parse_qsl(request.query[:2048], errors="replace"))
    token, challenge = asked.get("hub.verify_token", ""), asked.get("hub.challenge", "")
    ours = config.verify_token.encode()
    known = bool(ours) and hmac.compare_digest(ours, token.encode("utf-8", "replace"))
    if not known or asked.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        return Reply(b"The verify token is not the one of this source.", status=403)
    return Reply(challenge.encode("ascii"))


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    return Reply()
