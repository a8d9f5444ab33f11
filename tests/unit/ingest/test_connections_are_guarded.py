"""One table of what may be connected to, over both doors that connect, and no third door."""

from __future__ import annotations

import ast
import ipaddress
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from connectors.kit import FetchRequest
from connectors.mail.imap import ImapConfig
from crm_core.base.errors import HubError
from ingest.http_client import connection
from ingest.http_client.addresses import Allowed, allowed_of
from ingest.http_client.client import HttpClient, Limits
from ingest.mailbox.limits import Limits as MailLimits
from ingest.mailbox.session import Session

PRIVATE = (
    # IPv4 of our own machine, network, provider, and what routes nowhere
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    # IPv6, and every form that wraps an IPv4 address
    "::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "100::1",
    "2001:db8::1", "3fff::1", "5f00::1", "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:10::1",
    "2001:20::1",
)  # fmt: skip
SPELLINGS = (
    "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "localhost", "localhost.", "LOCALHOST", "0",
    "ip6-localhost", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "127.0.0.1 ", "x" * 64 + ".example",
)  # fmt: skip


def mail(host: str, allowed: Allowed | None = None) -> str:
    """The code of the error that a mailbox at this host ends with."""
    settings = ImapConfig.model_validate({"host": host, "user": "u", "password": "p", "port": 9})
    session = Session(settings, lambda: allowed or Allowed(), MailLimits(connect_seconds=5.0))
    try:
        session.client  # noqa: B018 - it connects
    except HubError as error:
        return error.code
    except OSError as error:
        return type(error).__name__
    raise AssertionError("connected")


def web(host: str) -> str:
    try:
        HttpClient().ask(FetchRequest(f"http://{f'[{host}]' if ':' in host else host}/"), Limits(seconds=5.0, max_bytes=1))
    except HubError as error:
        return error.code
    raise AssertionError("connected")


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that anybody tries to connect to; none is reached."""
    tried: list[str] = []

    def refuse(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried


def resolving_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """A name server that gives these addresses; returns the names it was asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        return [(None, None, None, None, (answer, port)) for answer in answers]

    system = SimpleNamespace(getaddrinfo=getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM, gaierror=socket.gaierror)
    monkeypatch.setattr(connection, "socket", system)
    return asked


@pytest.mark.parametrize("address", PRIVATE)
def test_no_door_connects_where_a_name_leads_inside(
    monkeypatch: pytest.MonkeyPatch, connections: list[str], address: str
) -> None:
    resolving_to(monkeypatch, address)
    assert (mail("mail.example.com"), web("www.example.com")) == ("host_private", "address_refused")
    resolving_to(monkeypatch, "93.184.215.14", address)  # a public address beside it does not make it better
    assert (mail("mail.example.com"), web("www.example.com")) == ("host_private", "address_refused")
    assert connections == []


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_door_connects_to_this_machine_in_any_spelling(connections: list[str], host: str) -> None:
    assert mail(host) in ("host_private", "gaierror")
    if host.strip() == host:
        assert web(host) in ("address_refused", "outbound_unreachable")
    assert connections == []


def test_a_mailbox_is_connected_at_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch, connections: list[str]) -> None:
    asked = resolving_to(monkeypatch, "93.184.215.14", "2606:2800:21f::1")
    assert mail("mail.example.com") == "ConnectionRefusedError"
    assert (asked, connections) == (["mail.example.com"], ["93.184.215.14", "2606:2800:21f::1"])


def test_only_what_the_operator_names_is_reached_inside(monkeypatch: pytest.MonkeyPatch, connections: list[str]) -> None:
    resolving_to(monkeypatch, "10.0.5.7")
    assert mail("mail.office.example", allowed_of(["10.0.5.0/24"])) == "ConnectionRefusedError"
    assert mail("mail.office.example", allowed_of(["mail.office.example"])) == "ConnectionRefusedError"
    assert mail("mail.office.example", allowed_of(["10.0.6.0/24", "other.office.example"])) == "host_private"
    here = ipaddress.ip_address("10.0.5.7")
    assert mail("mail.office.example", Allowed(endpoints=frozenset({(here, 9)}))) == "ConnectionRefusedError"
    assert mail("mail.office.example", Allowed(endpoints=frozenset({(here, 10)}))) == "host_private"
    assert connections == ["10.0.5.7"] * 3


def test_nothing_else_connects() -> None:
    """A module that opens connections of its own would need a guard of its own."""
    # The mail server of notifications is named by whoever runs the hub, in its environment, and by nobody who uses it.
    doors = {
        "ingest/http_client/client.py",
        "ingest/http_client/connection.py",
        "ingest/mailbox/connection.py",
        "ingest/mailbox/session.py",
        "crm_core/notifications/mailing.py",
    }
    connecting = {
        "http.client",
        "urllib.request",
        "httpcore",
        "httpx",
        "requests",
        "urllib3",
        "aiohttp",
        "smtplib",
        "poplib",
        "ftplib",
    }
    root = Path(__file__).parents[3]
    found = set()
    for room in ("crm_core", "connectors", "ingest", "workers", "webhooks"):
        for path in (root / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                calls = isinstance(node, ast.Attribute) and node.attr in ("create_connection", "connect_ex")
                if calls or any(name in connecting or name.split(".")[0] == "imapclient" for name in names):
                    found.add(str(path.relative_to(root)))
    assert found == doors
