"""One raw thing as it goes into the journal, made safe to store, and the receipt that comes back for it.

The body stays as it came, byte for byte. Everything around it is made text that PostgreSQL can hold, secrets masked.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

import orjson

from crm_core.base.frozen import frozen
from crm_core.base.sealing import MASK

#: Set by the door, and by nobody else, on events whose signature it has verified before it let them in: for a worker of the
#: version before `verified_at_door`, while the hub is upgraded. Without it such a worker would reject what is genuine.
VERIFIED_HEADER = "x-leadhub-verified"
VERIFIED_AT_DOOR = "door"

_LONGEST_KEY = 255  # longer ones are stored as their hash; an index entry has room for about 2,700 bytes

#: Headers whose value is a key to something. Signature headers are not: they are needed to verify later.
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})


@frozen
class RawEvent:
    """What arrived, verbatim in `body`. `headers` are masked already (`masked_headers`)."""

    source_id: int
    channel: str
    body: bytes
    method: str = "POST"
    path: str = ""  # what follows the token, without the leading slash
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    remote_ip: str = ""
    provider_key: str | None = None
    unclaimed: bool = False
    verified_at_door: bool = False
    # The sender chose the key himself (Idempotency-Key): the same key over other bytes is kept as an event of its own.
    key_is_senders: bool = False


@frozen
class Receipt:
    event_id: int
    uid: str
    redelivery: bool  # the event was here already and has only been counted


def new_uid() -> str:
    """UUID version 7 (RFC 9562) in 32 hex digits. Made here, so that a lost answer can be looked for by name."""
    try:
        noise = _noise.pop()
    except IndexError:
        drawn = os.urandom(10 * _NOISE_DRAWN)
        _noise.extend(int.from_bytes(drawn[at : at + 10], "big") for at in range(0, len(drawn) - 10, 10))
        noise = int.from_bytes(drawn[-10:], "big")
    milliseconds = time.time_ns() // 1_000_000
    low = 0b10 << 62 | noise & (1 << 62) - 1
    return f"{milliseconds << 80 | 0x7 << 76 | (noise >> 64 & 0xFFF) << 64 | low:032x}"


#: Random numbers for names, drawn many at a time: each call of `os.urandom` gives the interpreter away, and a thread that wants
#: to go on has to wait for it again. Each is used once; a process that was forked draws its own.
_noise: list[int] = []
_NOISE_DRAWN = 128
os.register_at_fork(after_in_child=_noise.clear)


def masked_headers(headers: Mapping[str, str], secret: Collection[str] = ()) -> dict[str, str]:
    """The headers for the journal. `secret` names further ones (lower case) that a source's settings mark."""
    hidden = SECRET_HEADERS.union(secret) if secret else SECRET_HEADERS
    if hidden.isdisjoint(headers):
        return dict(headers)  # nearly all: nobody who posts a form has a key
    return {name: MASK if name in hidden and value else value for name, value in headers.items()}


def safe_text(text: str) -> str:
    """Text that PostgreSQL can hold: NUL and lone surrogates become U+FFFD. Nothing else changes."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def safe_json(value: Any) -> str:
    """JSON text that PostgreSQL can hold: texts anywhere in `value` are made safe if any of them is not."""
    try:
        dumped = orjson.dumps(value)
        if b"\\u0000" not in dumped:
            return dumped.decode()
    except TypeError:
        pass  # a lone surrogate; cleaned below
    return orjson.dumps(_safe(value)).decode()


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, Mapping):
        return {safe_text(str(name)): _safe(item) for name, item in value.items()}
    return [_safe(item) for item in value] if isinstance(value, list) else value


def safe_key(key: str | None) -> str | None:
    """The provider's key as it is stored: as it is, or its hash where it is long or cannot be stored. Empty is none."""
    if not key:
        return None
    if len(key) <= _LONGEST_KEY and key.isprintable():
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def other_bytes_key(key: str, body: bytes) -> str:
    """The key of a conflict: the sender's key, over these bytes. Its redeliveries find it again."""
    return f"{key[:_LONGEST_KEY]}~{hashlib.sha256(body).hexdigest()[:16]}"
