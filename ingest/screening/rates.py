"""How often an address, a phone, a text and a source were seen lately: counters in the broker, which may be gone at any time.

They only add to a score, so nothing waits long for them: half a second, then the broker is left alone for a while and there
are no counts. Keys and members are HMACs and event ids; no phone and no address is ever sent to the broker.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from crm_core.base.config import HubConfig
from crm_core.base.frozen import frozen
from crm_core.base.log import get_logger

_log = get_logger(__name__)

_WAIT_SECONDS: Final = 0.5  # for a batch's one round trip; a flood is when the machine is busy, and then counts matter
_BREAKER_SECONDS: Final = 5.0  # after a failure nobody asks for so long
_MINUTE, _HOUR = 60.0, 3600.0
_KEPT_SECONDS: Final = 2 * 3600  # windows end an hour back; a worker may lag
_MOST_MEMBERS: Final = 1000  # of one address in an hour; more says no more
_MOST_OF_SOURCE: Final = 100_001  # one above the highest limit of a source
_PREFIX: Final = "leadhub.rates:"

#: One command a post: notes it under all its keys, and gives for each the count of the last minute and of the window. Then,
#: if the post has a proof, the event that used it first ("" if there is none). Without it a post would be 25 commands.
_SCRIPT: Final = f"""
local at, windows, out = ARGV[1], tonumber(ARGV[2]), {{}}
for n = 1, windows do
  local key, arg = KEYS[n], 3 + (n - 1) * 5
  redis.call('ZADD', key, at, ARGV[arg])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[arg + 1])
  redis.call('ZREMRANGEBYRANK', key, 0, -tonumber(ARGV[arg + 4]) - 1)
  redis.call('EXPIRE', key, {_KEPT_SECONDS})
  out[#out + 1] = redis.call('ZCOUNT', key, ARGV[arg + 2], at)
  out[#out + 1] = redis.call('ZCOUNT', key, ARGV[arg + 3], at)
end
local proof, rest = KEYS[windows + 1], 3 + windows * 5
if proof then
  redis.call('SET', proof, ARGV[rest], 'NX', 'EX', ARGV[rest + 1])
  out[#out + 1] = redis.call('GET', proof)
else
  out[#out + 1] = ''
end
return out
"""


@frozen
class Post:
    """One post of a visitor. Counting the same event twice counts it once, so a batch may be taken again."""

    event_id: int
    source_id: int
    at: float  # when it was received, seconds since 1970: what waited long is counted where it belongs
    network: str  # the visitor's address, of IPv6 its /64
    by_address: bool = True  # False: a program that says so; its address is no visitor's
    phones: tuple[str, ...] = ()  # E.164
    text: str = ""  # folded; "" if too short to mean anything
    proof: str = ""  # signature of a solved puzzle
    proof_seconds: int = 0  # how long it stays valid


@frozen
class Counts:
    """What is known of one post, itself included."""

    ip_minute: int = 0
    ip_hour: int = 0
    source_minute: int = 0
    phone_ips: int = 0  # different addresses that sent this phone within an hour
    text_ips: int = 0
    proof_used: bool = False  # by another event


@dataclass(frozen=True, slots=True)
class _Window:
    """One key: members by the time when they were seen last."""

    kind: str
    name: str
    member: str
    seconds: float  # how far back it counts
    most: int

    def arguments(self, at: float) -> tuple[str | int, ...]:
        """Bounds are written here: Lua would round them to 14 digits."""
        return (self.member, repr(at - 2 * self.seconds), f"({at - _MINUTE!r}", f"({at - self.seconds!r}", self.most)


class Rates:
    """One a process. Connects when first asked."""

    def __init__(self, config: HubConfig) -> None:
        self._url = config.broker_url
        self._key = hmac.new(config.secret_key.encode(), b"leadhub rates", hashlib.sha256).digest()
        self._client: redis.Redis | None = None
        self._closed_until = 0.0

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def count(self, posts: Sequence[Post]) -> list[Counts]:
        """Counts of each, in order. All zero while the broker is away, slow, or none that counts (RabbitMQ)."""
        nothing = [Counts()] * len(posts)
        if not posts or not self._url.startswith(("redis", "unix")) or time.monotonic() < self._closed_until:
            return nothing
        try:
            return self._ask(posts)
        except (redis.RedisError, OSError) as error:
            _log.warning("rates_not_counted", error=type(error).__name__)
            self._closed_until = time.monotonic() + _BREAKER_SECONDS
            self.close()
            return nothing

    def _ask(self, posts: Sequence[Post]) -> list[Counts]:
        if self._client is None:
            self._client = redis.Redis.from_url(
                self._url, socket_timeout=_WAIT_SECONDS, socket_connect_timeout=_WAIT_SECONDS,
                retry=Retry(NoBackoff(), 0), protocol=2, decode_responses=True,
            )  # fmt: skip
        pipe = self._client.pipeline(transaction=False)
        windows = [self._windows(post) for post in posts]
        for post, wanted in zip(posts, windows, strict=True):
            keys = [_PREFIX + window.name for window in wanted]
            proof = [f"{_PREFIX}proof:{self._mark('proof', post.proof)}"] if post.proof else []
            rest = [part for window in wanted for part in window.arguments(post.at)]
            pipe.eval(
                _SCRIPT, len(keys) + len(proof), *keys, *proof,
                repr(post.at), len(keys), *rest, post.event_id, max(1, post.proof_seconds),
            )  # fmt: skip
        return [self._counts(post, wanted, answer) for post, wanted, answer in zip(posts, windows, pipe.execute(), strict=True)]

    def _windows(self, post: Post) -> list[_Window]:
        who, event = self._mark("ip", post.network), str(post.event_id)
        wanted = [_Window("source", f"source:{post.source_id}", event, _MINUTE, _MOST_OF_SOURCE)]
        if post.by_address:
            wanted.append(_Window("ip", f"ip:{who}", event, _HOUR, _MOST_MEMBERS))
        wanted += [_Window("phone", f"phone:{self._mark('phone', phone)}", who, _HOUR, _MOST_MEMBERS) for phone in post.phones]
        if post.text:
            text = f"text:{post.source_id}:{self._mark('text', post.text)}"
            wanted.append(_Window("text", text, who, _HOUR, _MOST_MEMBERS))
        return wanted

    @staticmethod
    def _counts(post: Post, wanted: Sequence[_Window], answer: Sequence[Any]) -> Counts:
        *pairs, first_user = answer
        found: dict[str, tuple[int, int]] = {}
        for window, minute, whole in zip(wanted, pairs[::2], pairs[1::2], strict=True):
            found[window.kind] = max(found.get(window.kind, (0, 0)), (int(minute), int(whole)), key=lambda pair: pair[1])
        nothing = (0, 0)
        return Counts(
            *found.get("ip", nothing), found["source"][1], found.get("phone", nothing)[1], found.get("text", nothing)[1],
            first_user not in ("", str(post.event_id)),
        )  # fmt: skip

    def _mark(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}:{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
