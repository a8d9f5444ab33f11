"""Senders that close their side when they have sent all: RFC 9112 §9.6 lets them, simple exchanges and netcat do it.

Behind the proxy they hear the answer. The hub alone cannot give it: granian's HTTP library takes such a sender for gone, and where
the end arrives before the body was read, what it sent is not kept either. It hears nothing then and tries again, until it is kept, once.
"""

from __future__ import annotations

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from faulthub import FaultHub
from nginx_front import nginx_in_front_of

pytestmark = pytest.mark.serial

_SENDERS = 60
_ROUNDS = 10  # a second is seldom needed, a third only where the machine is very busy


def _send(port: int, path: str, key: str) -> bytes:
    body = f"name=Anna&message={key}".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sender:
        sender.sendall(
            f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        sender.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := sender.recv(4096):
            heard += piece
    return heard


def _send_unheard(port: int, path: str, key: str) -> None:
    with contextlib.suppress(ConnectionError):  # cut off in the middle is one way to hear nothing
        _send(port, path, key)


def _stored(hub: FaultHub, prefix: str) -> list[str]:
    rows = hub.rows("SELECT provider_key AS key FROM inbound_event WHERE provider_key LIKE %s ORDER BY 1", f"{prefix}-%")
    return [row["key"] for row in rows]


def _redeliveries(hub: FaultHub) -> int:
    return int(hub.one("SELECT sum(redeliveries) FROM inbound_event WHERE provider_key LIKE 'alone-%%'"))


@pytest.mark.timeout(120)
def test_half_closed_senders_are_answered_behind_the_proxy(shared_fault_hub: FaultHub, tmp_path: Path) -> None:
    hub = shared_fault_hub
    path = urlsplit(hub.sources["form"].url).path
    with nginx_in_front_of(hub.config.port, tmp_path) as port, ThreadPoolExecutor(16) as threads:
        heard = list(threads.map(lambda n: _send(port, path, f"proxy-{n:02d}"), range(_SENDERS)))
    assert [answer[:15] for answer in heard] == [b"HTTP/1.1 200 OK"] * _SENDERS
    assert _stored(hub, "proxy") == [f"proxy-{n:02d}" for n in range(_SENDERS)]


@pytest.mark.timeout(240)
def test_half_closed_senders_without_a_proxy_try_again_until_kept_once(shared_fault_hub: FaultHub) -> None:
    hub = shared_fault_hub
    path = urlsplit(hub.sources["form"].url).path
    wanted = [f"alone-{n:02d}" for n in range(_SENDERS)]
    sent = 0

    def send(keys: list[str]) -> None:
        nonlocal sent
        sent += len(keys)
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda key: _send_unheard(hub.config.port, path, key), keys))

    missing = wanted
    for _ in range(_ROUNDS):
        send(missing)
        time.sleep(0.5)  # those that were read are written within milliseconds; one missed here is only sent once more
        missing = sorted(set(wanted) - set(_stored(hub, "alone")))
        if not missing:
            break
    assert missing == []
    send(wanted)  # nobody heard that it was kept, so all try once more
    hub.until(lambda: hub.unfinished() == 0 and _redeliveries(hub) > 0, 60)
    assert _stored(hub, "alone") == wanted  # each once
    assert hub.one("SELECT count(*) FROM inbound_event WHERE provider_key LIKE 'alone-%%' AND state = 'done'") == _SENDERS
    assert _redeliveries(hub) <= sent - _SENDERS
