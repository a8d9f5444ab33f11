"""What is wrong with the broker, in words. Nobody needs it to be right: leads are only a second or two late without it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: How long it may take to answer before it is said to hang. It answers within a millisecond.
PATIENCE_SECONDS = 0.5
_PROBE: Final = "leadhub:probe"
_PROBE_MILLISECONDS = 1_000

_WORDS: Final = {
    "refused": "cannot be reached: nothing listens at its address, or a network is in between",
    "hangs": "takes connections and does not answer",
    "password": "refuses our password or user",
    "loading": "is still loading its data",
    "read_only": "is a read-only replica",
    "full": "is full: it takes nothing in until memory is freed (`maxmemory`)",
    "unwritable": "takes nothing in",
}
#: What is true beside any of them.
LATE = "Arrivals are kept and leads are made, a second or two later: workers look into the journal themselves."


@dataclass(frozen=True, slots=True)
class BrokerState:
    """`code`: ok | unknown (no Redis or Valkey; the workers' signs of life tell of it) | what is wrong, a key of `_WORDS`."""

    code: str
    said: str = ""  # by the broker or its client, a few words without secrets
    info: dict[str, Any] | None = None

    @property
    def is_wrong(self) -> bool:
        return self.code in _WORDS

    @property
    def words(self) -> str:
        """What follows "The broker"; "ok" if nothing is wrong."""
        if not self.is_wrong:
            return "ok"
        return _WORDS[self.code] + (f" ({self.said})" if self.code == "unwritable" and self.said else "")


def look_at_broker(url: str, patience_seconds: float = PATIENCE_SECONDS) -> BrokerState:
    """Asks it to take a small thing in and forget it. Bounded by three times the patience."""
    if not urlsplit(url).scheme.startswith(("redis", "unix")):
        return BrokerState("unknown")
    client = redis.Redis.from_url(
        url, socket_timeout=patience_seconds, socket_connect_timeout=patience_seconds, retry=Retry(NoBackoff(), 0)
    )
    info = None
    try:
        with client:
            info = dict(client.info())
            client.set(_PROBE, "1", px=_PROBE_MILLISECONDS)
    except redis.RedisError as error:
        return BrokerState(_code(error), _said(error), info)
    finally:
        with suppress(redis.RedisError):
            client.close()
    return BrokerState("ok", info=info)


def _code(error: redis.RedisError) -> str:
    for kind, code in (
        (redis.BusyLoadingError, "loading"),
        (redis.AuthenticationError, "password"),
        (redis.exceptions.NoPermissionError, "password"),
        (redis.exceptions.ReadOnlyError, "read_only"),
        (redis.exceptions.OutOfMemoryError, "full"),
        (redis.TimeoutError, "hangs"),
        (redis.ConnectionError, "refused"),
    ):
        if isinstance(error, kind):
            return code
    return "unwritable"


def _said(error: redis.RedisError) -> str:
    return " ".join(str(error).split())[:120]
