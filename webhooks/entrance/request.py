"""Reads one request out of a WSGI environment: headers, the caller's address, text that was meant."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

Environ = dict[str, Any]


def headers_of(environ: Environ) -> dict[str, str]:
    """Names in lower case with hyphens. Our own marks (x-leadhub-…) cannot come from outside."""
    headers = {
        _header(name): value
        for name, value in environ.items()
        # A slice and not startswith: the environment carries dozens of the process's own variables along.
        if name[:5] == "HTTP_" and name[:15] != "HTTP_X_LEADHUB_"
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    if environ.get("CONTENT_LENGTH"):
        headers["content-length"] = environ["CONTENT_LENGTH"]
    return headers


@lru_cache(maxsize=1024)  # senders use the same few dozen; names that somebody makes up push out one another
def _header(name: str) -> str:
    return name[5:].replace("_", "-").lower()


def remote_ip(environ: Environ, trusted_proxies: int) -> str:
    """The caller's address. X-Forwarded-For counts only as far as trusted proxies wrote it, from its end backwards."""
    peer = str(environ.get("REMOTE_ADDR") or "")
    if trusted_proxies > 0:
        hops = [hop.strip() for hop in str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",") if hop.strip()]
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
