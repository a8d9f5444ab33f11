"""Random secrets that are stored only as digests. Their 256 random bits make a slow hash needless."""

from __future__ import annotations

import hashlib
import secrets


def new_secret(prefix: str) -> str:
    """A URL-safe secret of 256 random bits. The prefix tells a person, and secret scanners, what leaked."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
