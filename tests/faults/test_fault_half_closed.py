"""Senders that close their side when they have sent all: RFC 9112 §9.6 lets them, simple exchanges and netcat do it.

Behind the proxy they hear the answer. The hub alone cannot give it (granian's HTTP library takes such a sender for gone), but
what they sent is kept, and kept once, however often they try again.
"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from faulthub import FaultHub
from nginx_front import nginx_in_front_of

pytestmark = pytest.mark.serial

_SENDERS = 60


def _send(port: int, path: str, key: str) -> bytes:
    body = f"name=Anna&message={key}".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sender:
        sender.sendall(
            f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        sender.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := sender.recv(4096):
            heard += piece
    return heard


def _stored(hub: FaultHub, prefix: str) -> list[str]:
    rows = hub.rows("SELECT provider_key AS key FROM inbound_event WHERE provider_key LIKE %s ORDER BY 1", f"{prefix}-%")
    return [row["key"] for row in rows]


@pytest.mark.timeout(120)
def test_half_closed_senders_are_answered_behind_the_proxy(shared_fault_hub: FaultHub, tmp_path: Path) -> None:
    hub = shared_fault_hub
    path = urlsplit(hub.sources["form"].url).path
    with nginx_in_front_of(hub.config.port, tmp_path) as port, ThreadPoolExecutor(16) as threads:
        heard = list(threads.map(lambda n: _send(port, path, f"proxy-{n:02d}"), range(_SENDERS)))
    assert [answer[:15] for answer in heard] == [b"HTTP/1.1 200 OK"] * _SENDERS
    assert _stored(hub, "proxy") == [f"proxy-{n:02d}" for n in range(_SENDERS)]


@pytest.mark.timeout(120)
def test_half_closed_senders_are_kept_once_without_a_proxy(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub
    path = urlsplit(hub.sources["form"].url).path
    with ThreadPoolExecutor(16) as threads:
        for _ in range(2):  # having heard nothing, they try again
            list(threads.map(lambda n: _send(hub.config.port, path, f"alone-{n:02d}"), range(_SENDERS)))
    hub.until(lambda: len(_stored(hub, "alone")) == _SENDERS, 20)
    hub.until(lambda: hub.unfinished() == 0, 60)
    assert hub.one("SELECT sum(redeliveries) FROM inbound_event WHERE provider_key LIKE 'alone-%%'") <= _SENDERS
