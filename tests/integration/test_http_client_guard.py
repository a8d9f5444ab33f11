"""The guard over outbound requests, against real servers: where it goes, where it never goes, and when it ends."""

from __future__ import annotations

import gzip
import ssl
import threading
import zlib
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from outbound_servers import Asked, peer, say

from connectors.kit import FetchRequest
from crm_core.base.errors import HubError, Invalid, TooLarge, Transient
from ingest.http_client.addresses import allowed_of
from ingest.http_client.client import HttpClient, Limits

LIMITS = Limits(seconds=30, max_bytes=100_000)
HERE = allowed_of(["127.0.0.1"])


def hello(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    say(handler, b"hello", Content_Type="text/plain")


def test_answer_is_whole_when_the_network_is_allowed() -> None:
    with peer(hello) as server:
        answer = HttpClient(HERE).ask(FetchRequest(f"{server.url}/a?b=c", {"X-Probe": "1"}), LIMITS)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"hello", "text/plain")
    [asked] = server.asked
    assert (asked.path, asked.headers["x-probe"]) == ("/a?b=c", "1")
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"


def test_body_is_sent_when_a_post_is_asked() -> None:
    with peer(hello) as server:
        HttpClient(HERE).ask(FetchRequest(server.url, method="POST", body=b"{}"), LIMITS)
    assert (server.asked[0].method, server.asked[0].body) == ("POST", b"{}")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "198.18.0.1", "168.63.129.16", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
        "2001:0:7f00:1::", "fec0::1", "::127.0.0.1", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_name_is_refused_when_it_leads_inside(address: str) -> None:
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return [address]

    with pytest.raises(Invalid) as caught:
        HttpClient(resolve=resolver).ask(FetchRequest("http://provider.example.com/"), LIMITS)
    assert (caught.value.code, caught.value.data["reason"]) == ("address_refused", "network")
    assert asked == ["provider.example.com"]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/", "http://017700000001/",
     "http://[::ffff:127.0.0.1]/", "http://localhost/", "http://127.1/", "http://localhost./"],
)  # fmt: skip
def test_spelling_is_refused_when_it_means_this_machine(url: str) -> None:
    with pytest.raises((Invalid, Transient)) as caught:
        HttpClient().ask(FetchRequest(url), LIMITS)
    assert caught.value.code in ("address_refused", "outbound_unreachable")
    if url == "http://127.0.0.1/":
        assert caught.value.code == "address_refused"


def test_name_is_refused_when_one_of_its_answers_leads_inside() -> None:
    client = HttpClient(resolve=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(Invalid) as caught:
        client.ask(FetchRequest("http://two-faced.example.com/"), LIMITS)
    assert caught.value.data["reason"] == "network"


def test_name_is_asked_once_when_its_answer_changes() -> None:
    """DNS rebinding: the first answer may be asked, every later one points at another server."""
    with peer(hello) as good, peer(hello, host="127.0.0.2") as inside:
        answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
        client = HttpClient(allowed_of(["127.0.0.1", "rebind.example.com"]), lambda host, port: next(answers))
        answer = client.ask(FetchRequest(f"http://rebind.example.com:{good.port}/"), LIMITS)
        assert answer.body == b"hello"
        assert len(good.asked) == 1
        assert good.asked[0].headers["host"] == f"rebind.example.com:{good.port}"
        assert next(answers) == ["127.0.0.2"], "the name was resolved once"
        assert inside.asked == []


def test_redirect_is_refused_when_its_name_leads_inside_by_then() -> None:
    """The same name: public at the first look, inside at the redirect."""
    answers = {"127.0.0.1": iter([["127.0.0.1"]]), "rebind.example.com": iter([["10.0.0.1"]])}

    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        say(handler, status=302, Location="http://rebind.example.com/again")

    with peer(script) as server, pytest.raises(Invalid) as caught:
        HttpClient(HERE, lambda host, port: next(answers[host])).ask(FetchRequest(server.url), LIMITS)
    assert caught.value.data["reason"] == "network"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "network"),
        ("//169.254.169.254/", "network"),
        ("http://[::1]/", "network"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:70/", "scheme"),
        ("http://user:secret@127.0.0.1/", "userinfo"),
        ("http://93.184.216.34:22/", "port"),
        ("http://[half", "malformed"),
    ],
)
def test_redirect_is_refused_when_it_leads_astray(location: str, reason: str) -> None:
    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        say(handler, status=302, Location=location)

    with peer(script) as server, pytest.raises(Invalid) as caught:
        HttpClient(HERE).ask(FetchRequest(server.url), LIMITS)
    assert caught.value.data["reason"] == reason


def test_redirects_end_when_they_go_in_a_circle() -> None:
    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        say(handler, status=301, Location=asked.path)

    with peer(script) as server:
        with pytest.raises(Invalid) as caught:
            HttpClient(HERE).ask(FetchRequest(server.url), LIMITS)
        assert caught.value.data["reason"] == "redirects"
        assert len(server.asked) == 4


def test_key_stays_home_when_a_redirect_leads_to_another_origin() -> None:
    with peer(hello) as other:

        def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
            say(handler, status=307, Location=f"{other.url}/there")

        with peer(script) as server:
            keys = {"Authorization": "Bearer k", "Cookie": "k", "X-Api-Key": "k", "X-Auth-Token": "k", "Private-Token": "k"}
            answer = HttpClient(HERE).ask(FetchRequest(server.url, {**keys, "Accept": "text/plain"}), LIMITS)
    assert answer.body == b"hello"
    assert server.asked[0].headers["authorization"] == "Bearer k"
    assert [name for name in keys if name.lower() in other.asked[0].headers] == [], "a key may have any name"
    assert other.asked[0].headers["accept"] == "text/plain"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("example.com", "scheme"),
        ("http://", "malformed"),
        ("http://user@example.com/", "userinfo"),
        ("http://example.com:25/", "port"),
        ("http://example.com:0/", "port"),
        ("http://example.com:99999/", "malformed"),
        ("http://exa mple.com/", "malformed"),
        ("http://example.com/\r\nX: y", "malformed"),
        ("http://example.com\\@127.0.0.1/", "userinfo"),
        ("http://" + "a" * 9000, "malformed"),
        ("http://shop..example.com/plan.pdf", "malformed"),
        ("http://.example.com/", "malformed"),
        (f"http://{'a' * 64}.example.com/", "malformed"),
        (f"http://{'a.' * 130}com/", "malformed"),
    ],
)
def test_address_is_refused_before_anything_is_asked(url: str, reason: str) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise AssertionError("nobody was to be asked")

    with pytest.raises(Invalid) as caught:
        HttpClient(resolve=resolver).ask(FetchRequest(url), LIMITS)
    assert caught.value.data["reason"] == reason


def test_time_ends_it_when_bytes_drip() -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not over.wait(0.02):
            handler.wfile.write(b".")

    try:
        with peer(drip) as server, pytest.raises(Transient) as caught:
            HttpClient(HERE).ask(FetchRequest(server.url), Limits(0.3, 100_000))
    finally:
        over.set()
    assert caught.value.code == "outbound_timeout"


def test_time_ends_it_when_the_head_drips() -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not over.wait(0.02):
            handler.wfile.write(b"y")

    try:
        with peer(drip) as server, pytest.raises(Transient) as caught:
            HttpClient(HERE).ask(FetchRequest(server.url), Limits(0.3, 100_000))
    finally:
        over.set()
    assert caught.value.code == "outbound_timeout"


def test_time_ends_it_when_the_name_server_is_silent() -> None:
    over = threading.Event()

    def resolver(host: str, port: int) -> list[str]:
        over.wait(60)
        return []

    try:
        with pytest.raises(Transient) as caught:
            HttpClient(resolve=resolver).ask(FetchRequest("http://slow.example.com/"), Limits(0.2, 100))
    finally:
        over.set()
    assert caught.value.code == "outbound_timeout"


def test_size_ends_it_when_the_body_is_huge() -> None:
    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(100_000):
            handler.wfile.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")

    with peer(script) as server, pytest.raises(TooLarge) as caught:
        HttpClient(HERE).ask(FetchRequest(server.url), LIMITS)
    assert caught.value.code == "answer_too_large"


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_size_ends_it_when_a_small_body_unpacks_into_a_huge_one(packing: str) -> None:
    plain = b"\0" * 30_000_000
    bomb = gzip.compress(plain) if packing == "gzip" else zlib.compress(plain)
    assert len(bomb) < LIMITS.max_bytes

    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        say(handler, bomb, Content_Encoding=packing)

    with peer(script) as server:
        with pytest.raises(TooLarge):
            HttpClient(HERE).ask(FetchRequest(server.url), LIMITS)
        sizes: list[int] = []
        with HttpClient(HERE).stream(FetchRequest(server.url), LIMITS) as streamed, pytest.raises(TooLarge):
            sizes.extend(len(piece) for piece in streamed.pieces)
        assert max(sizes, default=0) <= 65_536, "no more than a piece is ever held"
        assert sum(sizes) <= LIMITS.max_bytes


def test_body_is_unpacked_when_it_came_packed_though_nobody_asked() -> None:
    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        say(handler, gzip.compress(b"words " * 20_000), Content_Encoding="gzip")

    with peer(script) as server:
        answer = HttpClient(HERE).ask(FetchRequest(server.url), Limits(5, 200_000))
        assert answer.body == b"words " * 20_000
        assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("wire", [b"not http at all\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
def test_error_may_pass_when_the_other_side_breaks_off(wire: bytes) -> None:
    def script(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        handler.wfile.write(wire)
        handler.close_connection = True

    with peer(script) as server, pytest.raises(Transient):
        HttpClient(HERE).ask(FetchRequest(server.url), LIMITS)


def test_error_may_pass_when_nobody_listens() -> None:
    with peer(hello) as server:
        url = server.url
    with pytest.raises(Transient) as caught:
        HttpClient(HERE).ask(FetchRequest(url), LIMITS)
    assert caught.value.code == "outbound_unreachable"


def test_next_address_is_tried_when_the_first_is_dead() -> None:
    with peer(hello) as server:
        client = HttpClient(allowed_of(["two.example.com"]), lambda host, port: ["127.0.0.3", "127.0.0.1"])
        assert client.ask(FetchRequest(f"http://two.example.com:{server.port}/"), LIMITS).body == b"hello"


def test_error_quotes_no_address_when_it_is_logged() -> None:
    with peer(hello) as server:
        url = f"{server.url}/path?access_token=key-of-a-page"
    with pytest.raises(HubError) as caught:
        HttpClient(HERE).ask(FetchRequest(url), LIMITS)
    assert "key-of-a-page" not in f"{caught.value!r} {caught.value.message} {caught.value.data}"


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_certificate_is_checked_for_the_real_name_when_the_address_is_pinned(tmp_path: Path) -> None:
    file = _certificate(tmp_path, "secure.example.com")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    trusting = ssl.create_default_context(cafile=str(file))
    allowed = allowed_of(["secure.example.com", "other.example.com"])
    with peer(hello, tls=serving) as server:
        client = HttpClient(allowed, lambda host, port: ["127.0.0.1"], trusting)
        assert client.ask(FetchRequest(f"https://secure.example.com:{server.port}/"), LIMITS).body == b"hello"
        with pytest.raises(Transient) as caught:
            client.ask(FetchRequest(f"https://other.example.com:{server.port}/"), LIMITS)
        assert "certificate" in caught.value.message
        with pytest.raises(Transient) as caught:  # nobody whom the system trusts has signed it
            HttpClient(allowed, lambda host, port: ["127.0.0.1"]).ask(
                FetchRequest(f"https://secure.example.com:{server.port}/"), LIMITS
            )
        assert "certificate" in caught.value.message


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "a b", "http://x", "300.1.1.1", "", "-x", "1.2.3"])
def test_setting_is_refused_when_an_entry_names_nothing(entry: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        allowed_of([entry])
