"""Reads one request out of a WSGI environment: headers, the caller's address, a body of bounded size."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any, Final

from crm_core.errors import Malformed, TooLarge

Environ = dict[str, Any]

_CHUNK: Final = 65_536


def headers_of(environ: Environ) -> dict[str, str]:
    """Names in lower case with hyphens. Our own marks (x-leadhub-…) cannot come from outside."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        # A slice and not startswith: the environment carries dozens of the process's own variables along.
        if name[:5] == "HTTP_" and name[:15] != "HTTP_X_LEADHUB_"
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    if environ.get("CONTENT_LENGTH"):
        headers["content-length"] = environ["CONTENT_LENGTH"]
    return headers


def body_of(environ: Environ, limit: int) -> bytes:
    """The body, declared or chunked. TooLarge above `limit` bytes; Malformed if the sender hung up in the middle."""
    declared = environ.get("CONTENT_LENGTH") or ""
    expected = int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 19 else None
    if expected is not None and expected > limit:
        raise _too_large(limit)
    if expected is None and not _is_chunked(environ):
        return b""
    stream = environ["wsgi.input"]
    try:
        body: bytes = stream.read(limit + 1 if expected is None else expected)
        while expected is None and 0 < len(body) <= limit:
            more = stream.read(limit + 1 - len(body))  # a stream may give less than it was asked for
            if not more:
                break
            body += more
    except (OSError, ValueError, RuntimeError) as error:
        raise Malformed("incomplete", "The request ended before its body did.") from error
    if len(body) > limit:
        raise _too_large(limit)
    if expected is not None and len(body) < expected:
        # Nobody is left to hear an answer, and nothing was promised: a half body would be a half lead.
        raise Malformed("incomplete", "The request ended before its body did.")
    return body


def drain(environ: Environ, most: int) -> None:
    """Reads on over what is not wanted, up to `most` bytes: a client that is still sending would miss the answer."""
    stream = environ["wsgi.input"]
    declared = environ.get("CONTENT_LENGTH") or ""
    left = min(int(declared), most) if declared.isascii() and declared.isdigit() else most
    try:
        while left > 0:
            read = len(stream.read(min(_CHUNK, left)))
            if not read:
                return
            left -= read
    except (OSError, ValueError, RuntimeError):
        return  # the client is gone, so there is nobody to drain for


def remote_ip(environ: Environ, trusted_proxies: int) -> str:
    """The caller's address. X-Forwarded-For counts only as far as trusted proxies wrote it, from its end backwards."""
    peer = str(environ.get("REMOTE_ADDR") or "")
    if trusted_proxies > 0:
        hops = [
            hop.strip() for hop in str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",") if hop.strip()
        ]
        if hops:
            peer = _address(hops[-min(trusted_proxies, len(hops))]) or peer
    return _address(peer) or ""


@lru_cache(maxsize=4096)  # a handful of proxies and exchanges make nearly all requests
def _address(text: str) -> str:
    """The address without port and brackets; "" if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def readable(text: str) -> str:
    """WSGI's latin-1 view of a path or query as the text that was meant, where it is UTF-8."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def _is_chunked(environ: Environ) -> bool:
    return (
        bool(environ.get("wsgi.input_terminated"))
        or "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING") or "").lower()
    )


def _too_large(limit: int) -> TooLarge:
    return TooLarge("too_large", f"The body is larger than {limit} bytes.", limit=limit)
