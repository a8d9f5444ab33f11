"""Headers on every answer: nothing from elsewhere, nothing framed, nothing guessed. A view may set stricter ones."""

from __future__ import annotations

from typing import Final

from flask import Response

#: Pages take everything from the hub itself. `data:` is for small pictures inside style sheets.
PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Whatever is not a page is never rendered, not even when opened by hand.
DATA_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with that a browser sends "Origin: null" with our own forms, which then cannot be told apart.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_HSTS_SECONDS = 365 * 24 * 3600


def harden(response: Response, https: bool) -> Response:
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    is_page = response.mimetype == "text/html"
    response.headers.setdefault("Content-Security-Policy", PAGE_CSP if is_page else DATA_CSP)
    if https:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_HSTS_SECONDS}")
    return response
