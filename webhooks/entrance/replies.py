"""Answers of the bare entrances: status, headers and body as one value, with CORS on every one of them.

Without CORS on an error a page's script sees only "network error" and repeats for ever.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Headers = tuple[tuple[str, str], ...]

_JSON: Final = "application/json"
_STATUS: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

_ALLOW: Final = ("Allow", "POST, PUT, PATCH, OPTIONS, GET, HEAD")
_HEADERS: Final = "Content-Type, Accept, X-Requested-With, Idempotency-Key, Authorization"
_NAMES: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}(?:\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}){0,30}")
_PREFLIGHT: Final = (
    ("Access-Control-Allow-Methods", "POST, PUT, PATCH, OPTIONS"),
    ("Access-Control-Max-Age", "7200"),  # two hours, the most that Chromium keeps
    _ALLOW,
)


@dataclass(frozen=True, slots=True)
class EntranceReply:
    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Headers = ()


def send(answer: EntranceReply, origin: str, start_response: StartResponse, *, head: bool = False) -> list[bytes]:
    """Starts the response and gives its body, with the CORS headers for `origin` ("" if the request named none)."""
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        # No credentials are ever allowed, so any origin may be told; `null` (a file, a sandboxed frame) is legitimate.
        ("Access-Control-Allow-Origin", origin if origin and _is_plain(origin) else "*"),
        ("Vary", "Origin"),
        *answer.headers,
    ]
    start_response(_STATUS.get(answer.status, f"{answer.status} Unknown"), headers)
    return [] if head else [answer.body]


def _is_plain(text: str) -> bool:
    return len(text) < 256 and text.isascii() and text.isprintable()


def accepted(uid: str) -> EntranceReply:
    return EntranceReply(200, b'{"ok":true,"accepted":true,"event":"' + uid.encode() + b'"}', _JSON)


def refused(status: int, code: str, message: str, headers: Headers = ()) -> EntranceReply:
    body = {"ok": False, "accepted": False, "error": {"code": code, "message": message}}
    return EntranceReply(status, orjson.dumps(body), _JSON, headers)


def retry_after() -> Headers:
    """Spread over some seconds, so that everybody who was turned away does not come back at the same moment."""
    return (("Retry-After", str(random.randint(2, 9))),)


def preflight(requested: Mapping[str, str]) -> EntranceReply:
    """OPTIONS: CORS, and the handshake of CloudEvents webhooks (HTTP 1.1 Web Hooks for Event Delivery §4).

    Whatever header a page's script wants to send may come: libraries of other services and of shops add their own
    (Formspree-Session-Data, X-CSRF-TOKEN), and a browser that is told no sends no inquiry.
    """
    asked = requested.get("access-control-request-headers", "").strip()
    names = f"{_HEADERS}, {asked}" if _NAMES.fullmatch(asked) else _HEADERS
    caller = requested.get("webhook-request-origin", "")
    allowed: Iterable[tuple[str, str]] = ()
    if caller and _is_plain(caller):
        allowed = (("WebHook-Allowed-Origin", caller), ("WebHook-Allowed-Rate", "*"))
    return EntranceReply(204, headers=(("Access-Control-Allow-Headers", names), *_PREFLIGHT, *allowed))


def wrong_method() -> EntranceReply:
    return EntranceReply(
        405, orjson.dumps({"ok": False, "accepted": False, "error": {"code": "method", "message": "Use POST."}}), _JSON,
        (_ALLOW,),
    )  # fmt: skip
