"""Secrets at rest: AES-256-GCM under a key derived from the installation's secret key, bound to their purpose.

A sealed value opens only with the same key and for the same purpose, so a text copied into another row stays shut.
"""

from __future__ import annotations

import base64
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crm_core.base.errors import Misconfigured

_PREFIX = "v1."  # names algorithm and derivation, so that a later one can live beside it
_NONCE_BYTES = 12  # NIST SP 800-38D; random ones are safe far beyond the number of secrets of a hub

#: What is shown in place of a secret, of the same length whatever the secret is.
MASK = "••••••"


@lru_cache(maxsize=4)
def _cipher(key: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"leadhub secrets at rest").derive(key.encode())
    return AESGCM(derived)


def seal(key: str, text: str, purpose: str) -> str:
    """Encrypts `text` for `purpose` (for example "source:7:password"). Printable ASCII, different every time."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _cipher(key).encrypt(nonce, text.encode(), purpose.encode())
    return _PREFIX + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(key: str, sealed: str, purpose: str) -> str:
    """The text again. Misconfigured if the key or the purpose is another one, or the value was altered."""
    try:
        raw = base64.b64decode(sealed.removeprefix(_PREFIX), altchars=b"-_", validate=True)
        if not sealed.startswith(_PREFIX):
            raise ValueError("unknown format")
        return _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise Misconfigured(
            "secret_unreadable",
            f"A stored secret ({purpose}) does not open with this LEADHUB_SECRET_KEY. "
            "Start with the key it was stored with, or enter the secret again.",
            purpose=purpose,
        ) from error


def masked(text: str) -> str:
    """What may be shown of a secret: that there is one."""
    return MASK if text else ""
