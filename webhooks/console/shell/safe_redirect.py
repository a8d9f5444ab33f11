"""Where a form may send the browser afterwards: only to a page of the console itself."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_target(wanted: str) -> str:
    """The path and query if they lie under /console/, else "". Never a host, whatever a browser would make of it."""
    if any(ord(char) < 0x21 for char in wanted) or "\\" in wanted or not wanted.startswith("/console/"):
        return ""
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or ".." in parts.path:
        return ""
    return wanted
