"""Which provider sent a post to an address that serves any form. Cheap: it is asked at the door, for every post.

A sign holds if all its parts do. Nothing is parsed: only names of headers, and bytes in the body's beginning and end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from connectors.kit.connector import Connector, Detect, Request

HEAD_BYTES: Final = 8192  # names come early in JSON and in forms …
TAIL_BYTES: Final = 2048  # … but Tilda puts its own after the visitor's long message
_PLAIN_WAYS: Final = 3
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


#: How the hub's own page snippet begins every post: no provider's, whatever a person wrote into it.
_OWN = b'{"_key":'


@dataclass(frozen=True, slots=True)
class _Group:
    """Signs with the bytes without which each cannot hold, and one expression that finds any of these in one pass."""

    guarded: tuple[tuple[bytes, _Sign], ...]
    any_guard: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class Detector:
    """Signs of many connectors, most particular first, kept apart by what can rule all of them out at once."""

    by_header: tuple[_Sign, ...]
    by_query: tuple[_Sign, ...]
    quoted: _Group  # need a quotation mark: not in the body of a plain form
    plain: _Group
    names: frozenset[str]  # of all headers that any sign asks for


def compiled(connectors: Iterable[Connector]) -> Detector:
    """All signs of the connectors that have any."""
    signs = sorted(
        (_sign(connector.name, parts) for connector in connectors if connector.detect for parts in connector.detect.signs),
        key=_order,
    )  # fmt: skip
    rest = [sign for sign in signs if not sign.headers and not sign.queries]
    return Detector(
        by_header=tuple(sign for sign in signs if sign.headers),
        by_query=tuple(sign for sign in signs if sign.queries and not sign.headers),
        quoted=_group(sign for sign in rest if _needs_quotes(sign)),
        plain=_group(sign for sign in rest if not _needs_quotes(sign)),
        names=frozenset(name for sign in signs for name in sign.headers),
    )


def recognised(detector: Detector, request: Request) -> str:
    """The name of the connector whose most particular sign holds; "" where none does. The same for the same bytes."""
    body = request.body
    if body.startswith(_OWN):
        return ""
    if len(body) > HEAD_BYTES + TAIL_BYTES:
        body = body[:HEAD_BYTES] + b"\n" + body[-TAIL_BYTES:]
    found: list[_Sign] = []
    if not detector.names.isdisjoint(request.headers):
        found += _first(detector.by_header, request, body)
    if request.query:
        found += _first(detector.by_query, request, body)
    groups = (detector.quoted, detector.plain) if b'"' in body else (detector.plain,)
    for group in groups:
        if group.any_guard.search(body) is None:
            continue
        for guard, sign in group.guarded:
            if guard in body and _holds(sign, request, body):
                found.append(sign)
                break
    return min(found, key=_order).name if found else ""


def _first(signs: Iterable[_Sign], request: Request, body: bytes) -> list[_Sign]:
    sign = next((sign for sign in signs if _holds(sign, request, body)), None)
    return [sign] if sign is not None else []


def _order(sign: _Sign) -> tuple[tuple[int, int], str]:
    return sign.rank, sign.name


def _group(signs: Iterable[_Sign]) -> _Group:
    guarded = tuple((_guard(sign), sign) for sign in signs)
    guards = sorted({guard for guard, _ in guarded})
    # Nothing matches (?!): a group without signs is never looked through.
    return _Group(guarded, re.compile(b"|".join(map(re.escape, guards)) if guards else b"(?!)"))


def _guard(sign: _Sign) -> bytes:
    """The longest piece that must stand in the body; of a field its name, unless it may be escaped."""
    names = (ways[-1].strip(b'"') for ways in sign.fields if len(ways) == _PLAIN_WAYS)
    return max((*sign.pieces, *names, sign.whole), key=len, default=b"")


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
