"""Which provider sent a post to an address that serves any form. Cheap: it is asked at the door, for every post.

A sign holds if all its parts do. Nothing is parsed: only names of headers, and bytes in the body's beginning and end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

from connectors.kit.connector import Connector, Detect, Request

HEAD_BYTES: Final = 8192  # names come early in JSON and in forms …
TAIL_BYTES: Final = 2048  # … but Tilda puts its own after the visitor's long message
_HEADER_WEIGHT: Final = 3  # a header is set by a program; bytes may be in the body by chance


class _Field(NamedTuple):
    """The ways in which a field's name can stand in a body: in a form raw or escaped, in JSON and multipart quoted."""

    names: tuple[bytes, ...]
    starts: tuple[bytes, ...]  # the body begins with it
    inside: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Sign:
    rank: tuple[int, int]  # (parts, letters), both negative: the most particular comes first
    name: str
    headers: tuple[str, ...]
    queries: tuple[str, ...]
    whole: bytes  # the body as a whole; b"" where it may be any
    fields: tuple[_Field, ...]
    pieces: tuple[bytes, ...]


_QUOTED: Final = re.compile(rb'"([^"&=\n]+)"')

#: How the hub's own page snippet begins every post: no provider's, whatever a person wrote into it.
_OWN = b'{"_key":'


#: What may stand around a field's name, or around a word of JSON: between them a body is taken apart into words.
_BETWEEN = bytes.maketrans(b'"=\n', b"&&&")


@dataclass(frozen=True, slots=True)
class Detector:
    """Signs of many connectors, kept by what can rule nearly all of them out at once."""

    by_header: tuple[_Sign, ...]  # most particular first
    by_query: tuple[_Sign, ...]
    by_word: Mapping[bytes, tuple[_Sign, ...]]  # by a word without which they cannot hold
    words: frozenset[bytes]
    by_piece: tuple[tuple[bytes, _Sign], ...]  # by bytes that may stand in the middle of a word
    headers: frozenset[str]  # of all that any sign asks for


def compiled(connectors: Iterable[Connector]) -> Detector:
    """All signs of the connectors that have any."""
    signs = sorted(
        (_sign(connector.name, parts) for connector in connectors if connector.detect for parts in connector.detect.signs),
        key=_order,
    )  # fmt: skip
    by_word: dict[bytes, list[_Sign]] = {}
    by_piece: list[tuple[bytes, _Sign]] = []
    for sign in signs:
        if not sign.headers and not sign.queries:
            words = _words(sign)
            for word in words:
                by_word.setdefault(word, []).append(sign)
            if not words:
                by_piece.append((max((*sign.pieces, sign.whole), key=len), sign))
    return Detector(
        by_header=tuple(sign for sign in signs if sign.headers),
        by_query=tuple(sign for sign in signs if sign.queries and not sign.headers),
        by_word={word: tuple(of_word) for word, of_word in by_word.items()},
        words=frozenset(by_word),
        by_piece=tuple(by_piece),
        headers=frozenset(name for sign in signs for name in sign.headers),
    )


def recognised(detector: Detector, request: Request) -> str:
    """The name of the connector whose most particular sign holds; "" where none does. The same for the same bytes."""
    body = request.body
    if body.startswith(_OWN):
        return ""
    if len(body) > HEAD_BYTES + TAIL_BYTES:
        body = body[:HEAD_BYTES] + b"\n" + body[-TAIL_BYTES:]
    found: list[_Sign] = []
    if not detector.headers.isdisjoint(request.headers):
        found += [sign for sign in detector.by_header if _holds(sign, request, body)]
    if request.query:
        found += [sign for sign in detector.by_query if _holds(sign, request, body)]
    for word in detector.words.intersection(body.translate(_BETWEEN).split(b"&")):
        found += [sign for sign in detector.by_word[word] if _holds(sign, request, body)]
    for piece, sign in detector.by_piece:
        if piece in body and _holds(sign, request, body):
            found.append(sign)
    return min(found, key=_order).name if found else ""


def _order(sign: _Sign) -> tuple[tuple[int, int], str]:
    return sign.rank, sign.name


def _words(sign: _Sign) -> tuple[bytes, ...]:
    """Words of which one must stand in the body: a field's name in its ways, or what is quoted. () where there is none."""
    quoted = [match[1] for piece in sign.pieces if (match := _QUOTED.search(piece))]
    if quoted:
        return (max(quoted, key=len),)
    if sign.fields:
        return max(sign.fields, key=lambda field: len(field.names[0])).names
    return ()


def _holds(sign: _Sign, request: Request, body: bytes) -> bool:
    for piece in sign.pieces:
        if piece not in body:
            return False
    for field in sign.fields:
        if not body.startswith(field.starts) and not any(way in body for way in field.inside):
            return False
    if sign.whole and sign.whole != request.body:
        return False
    if sign.headers or sign.queries:
        query = "&" + request.query
        return all(name in request.headers for name in sign.headers) and all(f"&{name}=" in query for name in sign.queries)
    return True


def _sign(name: str, parts: tuple[str, ...]) -> _Sign:
    headers: list[str] = []
    queries: list[str] = []
    fields: list[_Field] = []
    pieces: list[bytes] = []
    whole = b""
    for part in parts:
        kind, colon, rest = part.partition(":")
        if colon and kind == "header":
            headers.append(rest)
        elif colon and kind == "query":
            queries.append(rest)
        elif colon and kind == "field":
            fields.append(_field(rest))
        elif colon and kind == "body":
            whole = rest.encode()
        else:
            pieces.append(part.encode())
    weight = len(parts) + (_HEADER_WEIGHT - 1) * len(headers) + (_HEADER_WEIGHT if whole else 0)
    rank = (-weight, -sum(map(len, parts)))
    return _Sign(rank, name, tuple(headers), tuple(queries), whole, tuple(fields), tuple(pieces))


def _field(name: str) -> _Field:
    names = tuple(dict.fromkeys((name.encode(), quote(name, safe="").encode())))
    starts = tuple(one + b"=" for one in names)
    return _Field(names, starts, (*(b"&" + start for start in starts), b'"' + names[0] + b'"'))


__all__ = ["HEAD_BYTES", "TAIL_BYTES", "Detect", "Detector", "compiled", "recognised"]
