"""What a preset declares of authenticity: an HMAC-SHA256 over the bytes as received, or a secret that is sent along.

An empty setting checks nothing: the token in the address is then the key. Everything is compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.kit.connector import ConnectorConfig, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from connectors.kit.preset.sources import Row, first_text
from crm_core.base.errors import Malformed, NotAuthentic

Rule = Mapping[str, Any]
Verify = Callable[[Request, ConnectorConfig], None]

_PART = re.compile(r"\{(body|header:[a-z0-9-]{1,60})\}")
_TOLERANCE = 300  # seconds; what Standard Webhooks and Webflow name
_MOST = 20  # signatures in one header: old and new secret are two


def verify_of(rules: Rule) -> Verify | None:
    """The check that the rules declare, None if they declare none."""
    checks: list[Verify] = []
    if "signature" in rules:
        checks.append(lambda request, config: _signed(rules["signature"], request, config))
    if "shared_secret" in rules:
        checks.append(lambda request, config: _shared(rules["shared_secret"], request, config))
    if not checks:
        return None

    def verify(request: Request, config: ConnectorConfig) -> None:
        for check in checks:
            check(request, config)

    return verify


def same(one: str, other: str) -> bool:
    """In constant time, as bytes: text with a letter beyond ASCII would raise."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _signed(rule: Rule, request: Request, config: ConnectorConfig) -> None:
    secret = str(getattr(config, rule["setting"]))
    if not secret:
        return
    header = request.headers.get(rule["header"], "").strip()
    if not header:
        raise NotAuthentic("no_signature", f"The header {rule['header']} is missing, and this source has a secret.")
    if "timestamp" in rule:
        _check_time(rule["timestamp"], request)
    digest = hmac.new(_key(secret, rule), _over(rule.get("over", "{body}"), request), hashlib.sha256).digest()
    expected = base64.b64encode(digest) if rule.get("encoding") == "base64" else digest.hex().encode()
    if not any(hmac.compare_digest(expected, given) for given in _given(header, rule)):
        raise NotAuthentic("wrong_signature", "The signature does not fit the secret of this source.")


def _given(header: str, rule: Rule) -> Iterator[bytes]:
    """The signatures of a header that have the prefix; hex is compared in lower case."""
    prefix = rule.get("prefix", "")
    for item in header.split(None, _MOST)[:_MOST] if rule.get("list") else [header]:
        if item.startswith(prefix):
            value = item[len(prefix) :]
            value = value if rule.get("encoding") == "base64" else value.lower()
            yield value.encode("utf-8", "replace")


def _key(secret: str, rule: Rule) -> bytes:
    if rule.get("key") != "base64":
        return secret.encode()
    text = secret.strip().removeprefix("whsec_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if "-" in text or "_" in text else None)
    except (binascii.Error, ValueError):
        raise NotAuthentic("wrong_secret", "The secret of this source is not written in base64.") from None


def _over(pattern: str, request: Request) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for match in _PART.finditer(pattern):
        pieces.append(pattern[at : match.start()].encode())
        part = match[1]
        header = part.removeprefix("header:")
        pieces.append(request.body if part == "body" else request.headers.get(header, "").encode("utf-8", "replace"))
        at = match.end()
    return b"".join((*pieces, pattern[at:].encode()))


def _check_time(rule: Rule, request: Request) -> None:
    """A signed time far from the receipt is a post that somebody recorded and sends again."""
    text = request.headers.get(rule["header"], "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise NotAuthentic("no_timestamp", f"The header {rule['header']} holds no time.")
    seconds = int(text) / (1000 if rule.get("unit") == "ms" else 1)
    if abs(request.received_at.timestamp() - seconds) > rule.get("tolerance", _TOLERANCE):
        raise NotAuthentic("old_timestamp", "The signed time is too far from the time of receipt.")


def _shared(rule: Rule, request: Request, config: ConnectorConfig) -> None:
    secret = str(getattr(config, rule["setting"]))
    if not secret:
        return
    given = [request.headers.get(rule["header"], "").removeprefix(rule.get("prefix", ""))] if "header" in rule else []
    if "query" in rule:
        given.append(first_text("@query:" + rule["query"], Row({}, request)))
    if "path" in rule:
        given.append(_in_body(rule["path"], request))
    if not any(same(secret, one) for one in given):
        raise NotAuthentic("wrong_secret", "The secret that was sent along is not the one of this source.")


def _in_body(path: str, request: Request) -> str:
    try:
        decoded = decode(request)
    except Malformed:
        return ""
    data = decoded.data if isinstance(decoded.data, dict) else {}
    if isinstance(decoded.data, list):
        data = next((row for row in decoded.data if isinstance(row, dict)), {})
    return text_of(first_text(path, Row(data, request)))
