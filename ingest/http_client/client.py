"""The one HTTP client for every address that a user or a provider can name. Guards our own network against them (SSRF).

A name is resolved once, every answer is checked, and the connection goes to the very address that was checked, so that
a name server cannot say one thing to the check and another to the connection. Each redirect is checked anew. Refuses
other schemes than http and https, names with a password, odd ports; ends at a size and at a time, whatever is sent.
"""

from __future__ import annotations

import ipaddress
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from urllib.parse import urljoin, urlsplit

import certifi
import httpcore
import idna

from connectors.kit import FetchAnswer, FetchRequest
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid, TooLarge, Transient
from ingest.http_client.addresses import PORTS, Allowed, allowed_here
from ingest.http_client.connection import Clock, GuardedBackend, Resolve, refused, resolve

__all__ = ["HttpClient", "Limits", "Resolve", "Streamed", "http_client", "resolve"]

MOST_REDIRECTS = 3
_LONGEST_URL = 8192  # characters
_PIECE_BYTES = 65_536
_AGENT = "Leadhub"
#: The headers that go along to another origin. Any other may be a key, whatever its name, and stays with the one that it
#: was meant for.
_ANYWHERE = frozenset({"accept", "accept-language", "user-agent"})


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float  # for everything together: names, connection, redirects, body
    max_bytes: int  # of the body, after unpacking as well as before
    redirects: int = MOST_REDIRECTS


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is still on its way."""

    status: int
    headers: Mapping[str, str]  # names in lower case; of a repeated one the values joined
    url: str  # where it came from, after redirects
    pieces: Iterator[bytes]  # unpacked; TooLarge and Transient end it


class HttpClient:
    """Makes requests, one connection each. Holds no state between them and may be shared by threads."""

    def __init__(self, allowed: Allowed | None = None, resolve: Resolve = resolve, tls: ssl.SSLContext | None = None) -> None:
        self._allowed = allowed or Allowed()
        self._resolve = resolve
        self._tls = tls or _tls_context()

    def ask(self, ask: FetchRequest, limits: Limits) -> FetchAnswer:
        """The whole answer, of any status.

        Invalid ("address_refused"): the address may not be asked, ever. TooLarge. Transient: anything that may pass.
        """
        with self.stream(ask, limits) as streamed:
            return FetchAnswer(streamed.status, streamed.headers, b"".join(streamed.pieces))

    @contextmanager
    def stream(self, ask: FetchRequest, limits: Limits) -> Iterator[Streamed]:
        """The answer with its body piece by piece. Errors as `ask`."""
        clock = Clock(limits.seconds)
        url, headers = ask.url, {name.lower(): value for name, value in ask.headers.items()}
        for hop in range(limits.redirects + 1):
            backend = GuardedBackend(self._allowed, self._resolve, clock)
            with (
                _passing(),
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend, max_connections=1) as pool,
            ):
                target, own = _target(url, self._allowed)
                request = _headers(headers, own, ask.body)
                with pool.stream(ask.method, target, headers=request, content=ask.body or None) as answer:
                    found = _headers_of(answer.headers)
                    onward = _onward(url, found.get("location", ""))
                    if answer.status not in (301, 302, 303, 307, 308) or not onward or ask.method != "GET":
                        pieces = _unpacked(answer.iter_stream(), found.get("content-encoding", ""), limits.max_bytes)
                        yield Streamed(answer.status, found, url, _guarded(pieces))
                        return
            if hop == limits.redirects:
                break
            headers = _onward_headers(headers, url, onward)
            url = onward
        raise Invalid("address_refused", "It is sent on from address to address without end.", reason="redirects")


def http_client(config: HubConfig, resolve: Resolve = resolve) -> HttpClient:
    """The client of this installation."""
    return HttpClient(allowed_here(config), resolve)


@cache  # reading the authorities costs a tenth of a second; it is done on first use, once a process
def _tls_context() -> ssl.SSLContext:
    """Certificates and host names are always checked: by the authorities of the system and by Mozilla's list, because
    a slim container has none of its own."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _target(url: str, allowed: Allowed) -> tuple[httpcore.URL, str]:
    """The checked address and its Host header. Invalid."""
    if len(url) > _LONGEST_URL or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        raise refused("The address is too long or has spaces in it.", "malformed")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise refused("The address cannot be read.", "malformed") from None
    if parts.scheme not in ("http", "https"):
        raise refused("Only addresses with http:// or https:// are asked.", "scheme")
    if parts.username is not None or parts.password is not None or "\\" in url:
        raise refused("The address carries a name or password of its own.", "userinfo")
    host = _ascii(host)
    if not host or "%" in host:
        raise refused("The address names no host.", "malformed")
    number = port if port is not None else (443 if parts.scheme == "https" else 80)
    if number not in PORTS and not _known_to_owner(host, allowed):
        raise refused(f"Port {number} is none of a web server.", "port")
    shown = f"[{host}]" if ":" in host else host
    path = parts.path or "/"
    target = (path + (f"?{parts.query}" if parts.query else "")).encode("utf-8", "surrogatepass")
    quoted = b"".join(bytes([byte]) if byte < 0x80 else b"%%%02X" % byte for byte in target)
    made = httpcore.URL(scheme=parts.scheme.encode(), host=host.encode(), port=number, target=quoted)
    return made, shown if port is None else f"{shown}:{number}"


def _ascii(host: str) -> str:
    """The name as DNS knows it. Invalid if it is none."""
    try:
        name = (host if host.isascii() else idna.encode(host, uts46=True).decode()).lower().rstrip(".")
    except idna.IDNAError:
        raise refused("The address names no host.", "malformed") from None
    if len(name) > 253 or any(not 1 <= len(label) <= 63 for label in name.split(".")):  # RFC 1035 §2.3.4
        raise refused("The address names no host.", "malformed")
    return name


def _known_to_owner(host: str, allowed: Allowed) -> bool:
    """On other ports than those of the web only what was allowed by name, or as an address that stands in the URL."""
    if allowed.host(host):
        return True
    try:
        return allowed.address(ipaddress.ip_address(host))
    except ValueError:
        return False


def _headers(given: Mapping[str, str], host: str, body: bytes) -> list[tuple[str, str]]:
    # Nothing packed is asked for: what comes packed all the same is unpacked under the same limit.
    headers = {"host": host, "user-agent": _AGENT, "accept": "*/*", "accept-encoding": "identity"} | dict(given)
    headers["connection"] = "close"
    if body:
        headers["content-length"] = str(len(body))
    return list(headers.items())


def _onward(url: str, location: str) -> str:
    """Where a redirect leads; "" if it names nothing."""
    if not location:
        return ""
    try:
        return urljoin(url, location)
    except ValueError:
        raise refused("It is sent on to an address that cannot be read.", "malformed") from None


def _onward_headers(headers: Mapping[str, str], url: str, onward: str) -> dict[str, str]:
    here, there = urlsplit(url), urlsplit(onward)
    if here.scheme == "https" and there.scheme == "http":
        raise refused("It is sent on from an encrypted address to an open one.", "downgrade")
    if (here.scheme, here.netloc) == (there.scheme, there.netloc):
        return dict(headers)
    return {name: value for name, value in headers.items() if name in _ANYWHERE}


def _headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _unpacked(pieces: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    """The body under its limit. A small body that unpacks into a large one ends at the limit too."""
    packing = encoding.strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise Transient("outbound_encoding", "The answer is packed in a way that was not asked for.")
    packed = packing not in ("", "identity")
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None  # 32: gzip or zlib, whichever it is
    received = made = 0
    for piece in pieces:
        received += len(piece)
        if received > max_bytes:
            raise TooLarge("answer_too_large", f"The answer has more than {max_bytes} bytes.")
        rest = piece
        while rest:
            try:
                out = inflate.decompress(rest, _PIECE_BYTES) if inflate else rest
            except zlib.error:
                raise Transient("outbound_encoding", "The packed answer is damaged.") from None
            rest = inflate.unconsumed_tail if inflate else b""
            made += len(out)
            if made > max_bytes:
                raise TooLarge("answer_too_large", f"The answer has more than {max_bytes} bytes.")
            if out:
                yield out
    if inflate is not None and received and not inflate.eof:
        raise Transient("outbound_broke_off", "The answer broke off.")


def _guarded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    with _passing():
        yield from pieces


@contextmanager
def _passing() -> Iterator[None]:
    """The library's errors in the hub's words. None quotes the address: it may hold a key."""
    try:
        yield
    except httpcore.TimeoutException:
        raise Transient("outbound_timeout", "The other side did not answer in time.") from None
    except httpcore.NetworkError as error:
        raise Transient("outbound_unreachable", f"The other side cannot be reached ({_why(error)}).") from None
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, httpcore.ConnectionNotAvailable):
        raise Transient("outbound_protocol", "The other side does not speak HTTP as it should.") from None


def _why(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not valid for it"
        if isinstance(cause, ssl.SSLError):
            return "no encrypted connection"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
