"""What nginx itself answers at an entrance: with CORS, or a page's script sees only "network error" and repeats for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from free_ports import own_port
from nginx_front import nginx_in_front_of

ENTRANCES = [
    "/in/abc", "/f/abc", "/ajax/info@example.com", "/submit", "/submissions/v3/integration/submit/1/2",
    "/api/proxy/1.0/leads/add?key=1", "/calls-service/RestAPI/requests/7/register/", "/info@example.com",
]  # fmt: skip


@dataclass(frozen=True)
class Front:
    address: str
    hub_port: int


class _Hub(BaseHTTPRequestHandler):
    """Answers as the hub does, with CORS of its own."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(404)
        self.send_header("Access-Control-Allow-Origin", "https://example.com")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"hub!")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        pass


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The deployed configuration; nobody listens where the hub should be."""
    hub_port = own_port()
    with nginx_in_front_of(hub_port, tmp_path_factory.mktemp("nginx")) as port:
        yield Front(f"http://127.0.0.1:{port}", hub_port)


@pytest.mark.parametrize("path", ENTRANCES)
def test_absence_is_told_with_cors_when_the_hub_is_down(front: Front, path: str) -> None:
    heard = httpx.post(front.address + path, timeout=60, content=b"name=Anna", headers={"Origin": "https://example.com"})
    assert heard.status_code == 503
    assert heard.headers.get_list("access-control-allow-origin") == ["*"]
    assert heard.headers["retry-after"] == "5"
    assert heard.json()["error"]["code"] == "refused_503"


def test_host_that_a_client_claims_does_not_reach_the_hub(front: Front) -> None:
    """The hub counts one proxy and believes it; what the client says of hosts must not be taken for the proxy's word."""
    heard: list[dict[str, str]] = []

    class Listener(_Hub):
        def do_POST(self) -> None:
            heard.append({name.lower(): value for name, value in self.headers.items()})
            super().do_POST()

    with ThreadingHTTPServer(("127.0.0.1", front.hub_port), Listener) as hub:
        thread = threading.Thread(target=hub.serve_forever)
        thread.start()
        claimed = {"X-Forwarded-Host": "evil.example.com", "Forwarded": "host=evil.example.com", "X-Forwarded-Proto": "https"}
        for path in ("/in/abc", "/console/sign-in", "/route/abc"):
            httpx.post(front.address + path, timeout=60, content=b"x", headers=claimed)
        hub.shutdown()
        thread.join()
    assert len(heard) == 3
    assert all("x-forwarded-host" not in one and "forwarded" not in one for one in heard)
    assert {one["x-forwarded-proto"] for one in heard} == {"http"}


def test_size_is_told_with_cors_when_it_is_refused_before_the_hub(front: Front) -> None:
    heard = httpx.post(front.address + "/in/abc", timeout=60, content=b"x" * 36_000_000)
    assert heard.status_code == 413
    assert heard.headers.get_list("access-control-allow-origin") == ["*"]
    assert "retry-after" not in heard.headers
    assert heard.json()["accepted"] is False


def test_flood_is_told_with_cors_when_one_address_holds_too_many_connections(front: Front) -> None:
    """Connections count once their headers were read; these never send their bodies."""
    host, _, port = front.address.removeprefix("http://").partition(":")
    begun = b"POST /in/abc HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    held = []
    try:

        def hold(count: int) -> None:
            for _ in range(count):
                held.append(socket.create_connection((host, int(port)), 30))
                held[-1].sendall(begun)

        hold(256)
        deadline = time.monotonic() + 60
        heard = httpx.post(front.address + "/in/abc", timeout=60, content=b"name=Anna")
        while heard.status_code != 429 and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                hold(32)  # nginx drops those that send nothing after ten seconds, and more are refused
            heard = httpx.post(front.address + "/in/abc", timeout=60, content=b"name=Anna")
        assert heard.status_code == 429
        assert heard.headers.get_list("access-control-allow-origin") == ["*"]
        assert heard.headers["retry-after"] == "5"
    finally:
        for one in held:
            one.close()


def test_answer_of_the_hub_passes_as_it_is(front: Front) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", front.hub_port), _Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        heard = httpx.post(front.address + "/in/abc", timeout=60, content=b"name=Anna")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (heard.status_code, heard.content) == (404, b"hub!")
    assert heard.headers.get_list("access-control-allow-origin") == ["https://example.com"]


def test_sender_that_closed_its_side_gets_the_hubs_answer(front: Front) -> None:
    """RFC 9112 §9.6: such a client has only said that it sends no more."""
    closed = threading.Event()

    class Thinking(_Hub):
        def do_POST(self) -> None:
            closed.wait(20)
            time.sleep(0.2)  # the end of the sender's side reaches nginx while it waits for the hub
            super().do_POST()

    hub = ThreadingHTTPServer(("127.0.0.1", front.hub_port), Thinking)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    try:
        with socket.create_connection(("127.0.0.1", int(front.address.rpartition(":")[2])), timeout=30) as sender:
            sender.sendall(b"POST /in/abc HTTP/1.1\r\nHost: hub\r\nContent-Length: 9\r\n\r\nname=Anna")
            time.sleep(0.2)  # the hub has the request by now
            sender.shutdown(socket.SHUT_WR)
            closed.set()
            heard = b""
            while piece := sender.recv(4096):
                heard += piece
        assert heard.endswith(b"hub!")
    finally:
        hub.shutdown()
        hub.server_close()
