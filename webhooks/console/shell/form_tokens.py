"""The form token as a page carries it: under a mask that is new in every answer, so that no two answers share its bytes.

Else whoever can put text of his own into a compressed page could find it out letter by letter (BREACH, see webhooks/compression.py).
"""

from __future__ import annotations

import secrets


def masked(token: str) -> str:
    """Mask and masked token as hexadecimal digits, each as long as the token."""
    raw = bytes.fromhex(token)
    mask = secrets.token_bytes(len(raw))
    return mask.hex() + _xor(mask, raw).hex()


def unmasked(sent: str) -> str:
    """The token of what a form sent back; "" for anything that `masked` did not make."""
    try:
        raw = bytes.fromhex(sent)
    except ValueError:
        return ""
    half, odd = divmod(len(raw), 2)
    return "" if odd else _xor(raw[:half], raw[half:]).hex()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
