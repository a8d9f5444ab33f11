"""Connections to addresses that were checked, and to no others, under one deadline over everything.

`checked_addresses` is the one guard of every door that connects to what others name: the HTTP library below
`ingest.http_client.client` and the mail client below `ingest.mailbox` ask it, and resolve nothing themselves.
"""
# ruff: noqa: ARG002 - the library's interface names timeouts of its own; the deadline stands above them

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from crm_core.base.errors import Invalid
from ingest.http_client.addresses import Address, Allowed, may_connect

_MOST_ADDRESSES = 4  # of one name that are tried

#: (host, port) → its addresses as text, in order of preference. Raises OSError.
Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The system's own answer."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def refused(message: str, reason: str) -> Invalid:
    """The error of an address that may not be asked, now or later."""
    return Invalid("address_refused", message, reason=reason)


def checked_addresses(host: str, port: int, allowed: Allowed, seconds: float, resolve: Resolve = resolve) -> list[Address]:
    """The first addresses of a name, if all that it has may be reached: one that may not spoils the name.

    Whoever asked connects to these and never resolves the name again, so that a name server cannot say one thing to the
    check and another to the connection. Invalid ("address_refused"); OSError for a name without an address; TimeoutError.
    """
    try:
        answers = _within(seconds, lambda: resolve(host, port))
    except UnicodeError:  # what Python makes of a label that DNS cannot carry
        raise socket.gaierror(socket.EAI_NONAME, "the name cannot be one") from None
    addresses = [ipaddress.ip_address(answer.partition("%")[0]) for answer in answers]
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
    if not allowed.host(host) and not all(may_connect(one, allowed, port) for one in addresses):
        raise refused("The address leads into a network that is not public.", "network")
    return addresses[:_MOST_ADDRESSES]


class Clock:
    """One deadline over everything."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, error: type[Exception] = httpcore.ReadTimeout) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise error
        return left


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to no others. The library asks it for every connection."""

    def __init__(self, allowed: Allowed, resolve: Resolve, clock: Clock) -> None:
        self._allowed, self._resolve, self._clock = allowed, resolve, clock
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        addresses = self._checked(host, port)
        failed: Exception = httpcore.ConnectError()
        for n, address in enumerate(addresses):
            share = self._clock.left(httpcore.ConnectTimeout) / (len(addresses) - n)
            try:
                stream = self._plain.connect_tcp(str(address), port, share, None, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Stream(stream, self._clock)
        raise failed

    def _checked(self, host: str, port: int) -> list[Address]:
        """In the words of the HTTP library, which knows no others for a name without an address or an answer."""
        try:
            return checked_addresses(host, port, self._allowed, self._clock.left(httpcore.ConnectTimeout), self._resolve)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError:
            raise httpcore.ConnectError("the name has no address") from None


class _Stream(httpcore.NetworkStream):
    """Every wait gets what is left of the whole time: a byte now and then does not make it longer."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._clock.left(httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _within(seconds: float, work: Callable[[], list[str]]) -> list[str]:
    """The system's resolver knows no deadline: it is asked in a thread that may be left behind."""
    answers: queue.SimpleQueue[list[str] | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(work())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that asked
            answers.put(error)

    threading.Thread(target=run, name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the name server does not answer") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer
