"""Which provider sent a post to an address that serves any form. Cheap: it is asked at the door, for every post.

A sign holds if all its parts do. Nothing is parsed: only names of headers, and bytes in the body's beginning and end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from connectors.kit.connector import Connector, Detect, Request

HEAD_BYTES: Final = 8192  # names come early in JSON and in forms …
TAIL_BYTES: Final = 2048  # … but Tilda puts its own after the visitor's long message
_HEADER_WEIGHT: Final = 3  # a header is set by a program; bytes may be in the body by chance


@dataclass(frozen=True, slots=True)
class _Sign:
    rank: tuple[int, int]  # (parts, letters), both negative: the most particular comes first
    name: str
    headers: tuple[str, ...]
    queries: tuple[str, ...]
    whole: bytes  # the body as a whole; b"" where it may be any
    fields: tuple[tuple[bytes, ...], ...]  # of each field the ways in which its name can stand there
    pieces: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Detector:
    """Signs of many connectors, most particular first, kept apart by what can rule all of them out at once."""

    by_header: tuple[_Sign, ...]
    by_query: tuple[_Sign, ...]
    quoted: tuple[_Sign, ...]  # need a quotation mark: not in the body of a plain form
    plain: tuple[_Sign, ...]
    names: frozenset[str]  # of all headers that any sign asks for


def compiled(connectors: Iterable[Connector]) -> Detector:
    """All signs of the connectors that have any."""
    signs = sorted(
        (_sign(connector.name, parts) for connector in connectors if connector.detect for parts in connector.detect.signs),
        key=lambda sign: (sign.rank, sign.name),
    )  # fmt: skip
    rest = [sign for sign in signs if not sign.headers and not sign.queries]
    return Detector(
        by_header=tuple(sign for sign in signs if sign.headers),
        by_query=tuple(sign for sign in signs if sign.queries and not sign.headers),
        quoted=tuple(sign for sign in rest if _needs_quotes(sign)),
        plain=tuple(sign for sign in rest if not _needs_quotes(sign)),
        names=frozenset(name for sign in signs for name in sign.headers),
    )


def recognised(detector: Detector, request: Request) -> str:
    """The name of the connector whose most particular sign holds; "" where none does. The same for the same bytes."""
    body = request.body
    if len(body) > HEAD_BYTES + TAIL_BYTES:
        body = body[:HEAD_BYTES] + b"\n" + body[-TAIL_BYTES:]
    best: _Sign | None = None
    if not detector.names.isdisjoint(request.headers):
        best = _first(detector.by_header, request, body, best)
    if request.query:
        best = _first(detector.by_query, request, body, best)
    if b'"' in body:
        best = _first(detector.quoted, request, body, best)
    best = _first(detector.plain, request, body, best)
    return best.name if best is not None else ""


def _first(signs: Iterable[_Sign], request: Request, body: bytes, best: _Sign | None) -> _Sign | None:
    for sign in signs:
        if best is not None and (best.rank, best.name) <= (sign.rank, sign.name):
            return best
        if _holds(sign, request, body):
            return sign
    return best


def _holds(sign: _Sign, request: Request, body: bytes) -> bool:
    for piece in sign.pieces:
        if piece not in body:
            return False
    for first, *ways in sign.fields:
        if not body.startswith(first):
            for way in ways:
                if way in body:
                    break
            else:
                return False
    if sign.whole and sign.whole != request.body:
        return False
    if sign.headers or sign.queries:
        query = "&" + request.query
        return all(name in request.headers for name in sign.headers) and all(
            f"&{name}=" in query for name in sign.queries
        )
    return True


def _needs_quotes(sign: _Sign) -> bool:
    return any(b'"' in piece for piece in sign.pieces)


def _sign(name: str, parts: tuple[str, ...]) -> _Sign:
    headers: list[str] = []
    queries: list[str] = []
    fields: list[tuple[bytes, ...]] = []
    pieces: list[bytes] = []
    whole = b""
    for part in parts:
        kind, colon, rest = part.partition(":")
        if colon and kind == "header":
            headers.append(rest)
        elif colon and kind == "query":
            queries.append(rest)
        elif colon and kind == "field":
            fields.append(_ways(rest))
        elif colon and kind == "body":
            whole = rest.encode()
        else:
            pieces.append(part.encode())
    weight = len(parts) + (_HEADER_WEIGHT - 1) * len(headers) + (_HEADER_WEIGHT if whole else 0)
    rank = (-weight, -sum(map(len, parts)))
    return _Sign(rank, name, tuple(headers), tuple(queries), whole, tuple(fields), tuple(pieces))


def _ways(field: str) -> tuple[bytes, ...]:
    """A field's name as it stands in a form (first, in the middle, escaped) and in JSON or multipart (quoted)."""
    raw, escaped = field.encode(), quote(field, safe="").encode()
    ways = [raw + b"=", b"&" + raw + b"=", b'"' + raw + b'"']
    if escaped != raw:
        ways += [b"&" + escaped + b"=", b"\n" + escaped + b"="]
    return tuple(ways)


__all__ = ["HEAD_BYTES", "TAIL_BYTES", "Detect", "Detector", "compiled", "recognised"]
