"""Bodies as they come: whole, cut, endless, too many large ones, and one byte at a time over a real connection."""

from __future__ import annotations

import io
import socket
import threading
from typing import Any

import pytest

from crm_core.base.errors import Malformed, TooLarge, Transient
from webhooks.entrance import bodies
from webhooks.entrance.bodies import Bodies
from webhooks.entrance.starved_sockets import StarvedSockets

_MIB = 1024 * 1024


def _post(body: bytes, declared: str | None = None, **more: Any) -> dict[str, Any]:
    return {"CONTENT_LENGTH": str(len(body)) if declared is None else declared, "wsgi.input": io.BytesIO(body), **more}


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 200_000])
def test_body_is_read_whole_declared_or_chunked(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    assert Bodies().read(_post(body[:size]), 200_000) == body[:size]
    assert Bodies().read(_post(body[:size], "", HTTP_TRANSFER_ENCODING="chunked"), 200_000) == body[:size]


def test_nothing_is_read_where_no_body_is_announced() -> None:
    assert Bodies().read(_post(b"left over", ""), 100) == b""


@pytest.mark.parametrize("declared", ["101", ""])
def test_larger_body_is_refused(declared: str) -> None:
    with pytest.raises(TooLarge):
        Bodies().read(_post(b"x" * 101, declared, HTTP_TRANSFER_ENCODING="chunked"), 100)


@pytest.mark.parametrize("size, declared", [(0, "1"), (50, "51"), (70_000, "90000")])
def test_half_a_body_is_no_arrival(size: int, declared: str) -> None:
    with pytest.raises(Malformed) as caught:
        Bodies().read(_post(b"x" * size, declared), 100_000)
    assert caught.value.code == "incomplete"


def test_sender_that_trickles_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two chunks the reader itself sees that the rate is too low."""
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr(bodies, "monotonic", lambda: float(next(clock)))
    with pytest.raises(Transient) as caught:
        Bodies().read(_post(b"x" * 90_000), 100_000)
    assert caught.value.code == "too_slow"


@pytest.mark.parametrize("seconds_a_chunk, is_taken", [(3.0, True), (60.0, False)])
def test_place_for_a_large_body_is_for_those_who_use_it(
    monkeypatch: pytest.MonkeyPatch, seconds_a_chunk: float, is_taken: bool
) -> None:
    """64 kB in three seconds is a slow line; in a minute it is somebody who only wants to hold the place."""
    now = [0.0]
    monkeypatch.setattr(bodies, "monotonic", lambda: now[0])

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            now[0] += seconds_a_chunk if self.tell() >= _MIB else 0.0
            return super().read(size)

    reader = Bodies()
    post = {"CONTENT_LENGTH": str(3 * _MIB), "wsgi.input": Slow(b"x" * 3 * _MIB)}
    if is_taken:
        assert len(reader.read(post, 4 * _MIB)) == 3 * _MIB
    else:
        with pytest.raises(Transient) as caught:
            reader.read(post, 4 * _MIB)
        assert caught.value.code == "too_slow"
    assert len(reader.read(_post(b"x" * 2 * _MIB), 4 * _MIB)) == 2 * _MIB, "the place is free again"


def test_large_bodies_wait_for_each_other_and_small_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_LARGE_WAIT_SECONDS", 0.05)
    reader = Bodies()
    arrived, release = threading.Barrier(17, timeout=30), threading.Event()

    class Held(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > _MIB and not release.is_set():
                arrived.wait()
                release.wait(30)
            return super().read(size)

    def read() -> None:
        reader.read({"CONTENT_LENGTH": str(2 * _MIB), "wsgi.input": Held(b"x" * 2 * _MIB)}, 4 * _MIB)

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    arrived.wait()
    with pytest.raises(Transient) as caught:
        reader.read(_post(b"x" * 2 * _MIB), 4 * _MIB)
    assert caught.value.code == "busy"
    assert reader.read(_post(b"x" * 1000), 4 * _MIB) == b"x" * 1000
    release.set()
    for thread in threads:
        thread.join(30)
    assert len(reader.read(_post(b"x" * 2 * _MIB), 4 * _MIB)) == 2 * _MIB


def _pair(server: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    return client, accepted


def test_only_connections_that_give_nothing_are_shut() -> None:
    """Three real connections: one trickles, one sends at the rate, one was answered meanwhile."""
    found = StarvedSockets()
    with socket.create_server(("127.0.0.1", 0)) as server:
        pairs = [_pair(server) for _ in range(3)]
        (slow, slow_here), (quick, quick_here), (served, served_here) = pairs
        try:
            slow.sendall(b"x" * 5_000)  # before it was looked at: speed of earlier days does not count
            slow_here.recv(5_000)
            found.look(100.0, {"127.0.0.1"})
            slow.sendall(b"x")
            quick.sendall(b"x" * 5_000)
            served_here.sendall(b"answer")
            assert slow_here.recv(1) == b"x"
            assert len(quick_here.recv(5_000)) > 0
            assert served.recv(6) == b"answer"
            assert found.shut(101.0, {"127.0.0.1"}, 3.0, 1_000) == 0, "not yet"
            assert found.shut(104.0, {"192.0.2.1"}, 3.0, 1_000) == 0, "somebody else's"
            # The ends of the clients live in this process too, and give nothing either: only ours are judged here.
            found.shut(104.0, {"127.0.0.1"}, 3.0, 1_000)
            assert slow_here.recv(1) == b"", "its reader sees the end"
            slow_here.sendall(b"told so")
            assert slow.recv(7) in (b"told so", b"")
            quick.sendall(b"y")
            assert quick_here.recv(5_000).endswith(b"y")
        finally:
            for one in (end for pair in pairs for end in pair):
                one.close()
