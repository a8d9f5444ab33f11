"""How often an address, a phone, a text and a source were seen lately: counters in the broker, which may be gone at any time.

They only add to a score, so nothing waits for them: 50 ms, then the broker is left alone for a while and there are no
counts. Keys and members are HMACs and event ids; no phone and no address is ever sent to the broker.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from crm_core.config import HubConfig

_log = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 0.05  # for one answer; a batch makes one round trip
_BREAKER_SECONDS: Final = 5.0  # after a failure nobody asks for so long
_MINUTE, _HOUR = 60.0, 3600.0
_KEPT_SECONDS: Final = 2 * 3600  # windows end an hour back; a worker may lag
_MOST_MEMBERS: Final = 1000  # of one address in an hour; more says no more
_MOST_OF_SOURCE: Final = 100_001  # one above the highest limit of a source
_PREFIX: Final = "leadhub.rates:"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Counts:
    """What is known of one post, itself included."""

    ip_minute: int = 0
    ip_hour: int = 0
    source_minute: int = 0
    phone_ips: int = 0  # different addresses that sent this phone within an hour
    text_ips: int = 0
    proof_used: bool = False  # by another event


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
            _log.warning("rates_not_counted", extra={"error": type(error).__name__})
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
        places: list[dict[str, list[int]]] = []
        for post in posts:
            place: dict[str, list[int]] = {}
            who = self._mark("ip", post.network)
            event = str(post.event_id)
            place["source"] = [self._window(pipe, f"source:{post.source_id}", event, post.at, _MINUTE, _MOST_OF_SOURCE)]
            if post.by_address:
                hour = self._window(pipe, f"ip:{who}", event, post.at, _HOUR, _MOST_MEMBERS)
                place["hour"] = [hour]
                place["minute"] = [len(pipe)]
                pipe.zcount(f"{_PREFIX}ip:{who}", f"({post.at - _MINUTE}", post.at)
            place["phone"] = [
                self._window(pipe, f"phone:{self._mark('phone', phone)}", who, post.at, _HOUR, _MOST_MEMBERS)
                for phone in post.phones
            ]
            if post.text:
                text = f"text:{post.source_id}:{self._mark('text', post.text)}"
                place["text"] = [self._window(pipe, text, who, post.at, _HOUR, _MOST_MEMBERS)]
            if post.proof:
                key = f"{_PREFIX}proof:{self._mark('proof', post.proof)}"
                pipe.set(key, event, nx=True, ex=max(1, post.proof_seconds))
                place["proof"] = [len(pipe)]
                pipe.get(key)
            places.append(place)
        answers = pipe.execute()
        return [self._counts(post, place, answers) for post, place in zip(posts, places, strict=True)]

    @staticmethod
    def _counts(post: Post, place: dict[str, list[int]], answers: Sequence[Any]) -> Counts:
        def most(name: str) -> int:
            return max((int(answers[at]) for at in place.get(name, ())), default=0)

        first_user = answers[place["proof"][0]] if "proof" in place else None
        return Counts(
            most("minute"), most("hour"), most("source"), most("phone"), most("text"),
            first_user is not None and first_user != str(post.event_id),
        )  # fmt: skip

    @staticmethod
    def _window(pipe: Any, name: str, member: str, at: float, seconds: float, most: int) -> int:
        """Notes the member at its time; the place in the answers of how many there were in the `seconds` up to then."""
        key = _PREFIX + name
        pipe.zadd(key, {member: at})
        pipe.zremrangebyscore(key, "-inf", at - _HOUR)
        pipe.zremrangebyrank(key, 0, -most - 1)
        pipe.expire(key, _KEPT_SECONDS)
        place = len(pipe)
        pipe.zcount(key, f"({at - seconds}", at)
        return place

    def _mark(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}:{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
