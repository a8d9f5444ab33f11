"""A load client with keep-alive connections: closed loop on one thread and one epoll, so that it costs little.

It runs on the same cores as what it measures. About 25 µs of processor time a request; `wrk` is the cross-check.
"""

from __future__ import annotations

import gc
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus

Request = Callable[[int], bytes]

#: A body of about one kilobyte, as a site's form sends it. Every request is another person.
_WORDS = "We would like a price for twelve oak doors with fitting in March, please call before noon. "
_ESCAPED_WORDS = quote_plus((_WORDS * 9)[:680])  # once: what the client costs, it takes from the servers


@dataclass(frozen=True, slots=True)
class Round:
    seconds: float
    answered: int
    refused: int  # answers other than 2xx
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return (self.answered - self.refused) / self.seconds


def body(number: int) -> bytes:
    """1 kB of JSON. `number` becomes name, phone and address of a person of its own."""
    text = (
        f'{{"name":"{_name(number)}","phone":"+79{number % 10**9:09d}","email":"p{number}@example.com",'
        f'"company":"Example {number}","page_url":"https://example.com/doors?utm_source=search&utm_campaign=oak",'
        f'"message":"{(_WORDS * 9)[:780]}"}}'
    )
    return text.encode()


def _name(number: int) -> str:
    """A pronounceable name that differs from its neighbours'."""
    syllables = (
        "ra",
        "mi",
        "to",
        "le",
        "na",
        "ko",
        "vi",
        "du",
        "sha",
        "bo",
        "ye",
        "fa",
        "gu",
        "zi",
        "po",
        "he",
    )
    first = "".join(syllables[number >> shift & 15] for shift in (0, 4, 8))
    last = "".join(syllables[number >> shift & 15] for shift in (12, 16, 20))
    return f"{first.capitalize()} {last.capitalize()}"


def posts(path: str, first: int = 0) -> Request:
    """Requests to `path`, each with a body and an Idempotency-Key of its own, numbered from `first`."""

    def request(number: int) -> bytes:
        content = body(first + number)
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: k{first + number}\r\nContent-Length: {len(content)}\r\n\r\n"
        ).encode() + content

    return request


def preset_body(number: int) -> bytes:
    """1 kB of a form as Tilda sends it: the provider's key stands within, after the visitor's words."""
    text = (
        f"Name={_name(number).replace(' ', '+')}&Phone=%2B79{number % 10**9:09d}&Email=p{number}%40example.com"
        f"&Comments={_ESCAPED_WORDS}&formid=form550324991&formname=Doors&tranid=6778771%3A{number}"
        f"&COOKIES=_ga%3DGA1.2.{number}.2%3B+TILDAUTM%3Dutm_source%253Dsearch%257C%257C%257Cutm_campaign%253Doak"
    )
    return text.encode()


def preset_posts(path: str, first: int = 0) -> Request:
    """Requests to `path` as Tilda makes them, numbered from `first`; nothing but the body tells one from another."""

    def request(number: int) -> bytes:
        content = preset_body(first + number)
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        ).encode() + content

    return request


def closed_loop(port: int, request: Request, seconds: float, connections: int = 16, warm_up: float = 0.5) -> Round:
    """Every connection sends its next request when its last was answered. The first `warm_up` seconds do not count."""
    poll = select.epoll()
    clients: dict[int, socket.socket] = {}
    sent: dict[int, float] = {}
    pending: dict[int, bytes] = {}
    number = 0
    latencies: list[float] = []
    refused = 0
    gc.collect()
    gc.disable()
    clock = time.perf_counter
    try:
        for _ in range(connections):
            client = socket.create_connection(("127.0.0.1", port), timeout=30)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            clients[client.fileno()] = client
            poll.register(client.fileno(), select.EPOLLIN)
            sent[client.fileno()] = clock()
            client.sendall(request(number))
            number += 1
        begin = clock() + warm_up
        end = begin + seconds
        now = clock()
        while now < end:
            for fileno, _ in poll.poll(5):
                client = clients[fileno]
                answer = pending.pop(fileno, b"") + client.recv(65_536)
                if not _complete(answer):
                    pending[fileno] = answer
                    continue
                now = clock()
                if now >= begin:
                    latencies.append(now - sent[fileno])
                    refused += answer[9:10] != b"2"
                message = request(number)
                number += 1
                sent[fileno] = clock()
                client.sendall(message)
            now = max(now, clock()) if not latencies else clock()
    finally:
        gc.enable()
        for client in clients.values():
            client.close()
        poll.close()
    latencies.sort()
    return Round(end - begin, len(latencies), refused, 1e3 * _at(latencies, 0.5), 1e3 * _at(latencies, 0.99))


def _complete(answer: bytes) -> bool:
    if not answer:
        raise ConnectionError("the server closed a kept-alive connection")
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    if answer[9:12] == b"204":
        return True
    lower = answer[:head].lower()
    at = lower.find(b"content-length:")
    if at < 0:
        raise ConnectionError(f"an answer without a length: {answer[:200]!r}")
    length = int(lower[at + 15 :].split(b"\r\n", 1)[0])
    return len(answer) >= head + 4 + length


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def percentile(values: list[float], share: float) -> float:
    return _at(sorted(values), share)
