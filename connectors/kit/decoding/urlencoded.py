"""`a=1&b=2` on bytes: split first, percent-decode to bytes, then find each value's own encoding."""

from __future__ import annotations

import re
from binascii import a2b_hex, a2b_qp
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from connectors.kit.decoding import limits, uploads
from connectors.kit.decoding.charset import is_clean, is_stateful, odd_parts, text_of

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_KEY = rb"[^\s=&;{}<>\"]{1,256}"
_LOOKS = re.compile(rb"\s*&*" + _KEY + rb"=")
_SEMICOLONS = re.compile(rb"[\w.\[\]%+-]{1,64}=[^;]*(?:;[\w.\[\]%+-]{1,64}=[^;]*)+;?\Z")
_LINE_KEY = re.compile(rb"[^=&<>{}\r\n]{1,256}=")

#: What `_read_together` leaves to `_read`: what parts its values, or would end a line of a mail, and what may be a file.
_APART = (b"%09", b"\t", b"\n", b"\r", b"=data")
_DATA_URL = re.compile(rb"data(?::|%3[Aa])[\w%/.+;=-]{0,100}base64(?:,|%2[Cc])")

Pairs = list[tuple[str, Any]]  # values are texts, or uploads
ChooseCharset = Callable[[bytes], str]  # what of a body is no UTF-8, and the set that it was written in


def looks_urlencoded(body: bytes) -> bool:
    return _LOOKS.match(body) is not None


def looks_plain(body: bytes) -> bool:
    """True for lines of which the first two are a field each, names with spaces or not."""
    lines = body[: 4 * limits.KEY_CHARS].splitlines()[:2]
    return len(lines) == 2 and all(map(_LINE_KEY.match, lines))


def pairs(
    body: bytes, charset: str, flags: set[str], choose_charset: ChooseCharset | None = None, *, is_plain: bool = False
) -> Pairs:
    """Names and values in order, duplicates kept, within the limits. Never raises. `choose_charset` is asked for the character set
    of values that are no UTF-8; `is_plain`: the body calls itself plain text."""
    if b"\n" in body and len(body) < limits.VALUE_CHARS and (lines := _lines(body, is_plain)):
        return _read(lines, charset, flags, choose_charset, plain=True)
    if b"&" not in body and b";" in body and len(body) < limits.VALUE_CHARS and _SEMICOLONS.match(body):
        return _read(body.split(b";", limits.KEYS), charset, flags, choose_charset)
    if b" " in body or not body.isascii() or (b";" in body and b"&amp;" in body):
        return _read(_rejoined(body.split(b"&", limits.KEYS)), charset, flags, choose_charset)
    quickly = _read_together(body, charset)
    return _read(body.split(b"&", limits.KEYS), charset, flags, choose_charset) if quickly is None else quickly


def _lines(body: bytes, is_plain: bool) -> list[bytes]:
    """`name=value` on lines, as enctype="text/plain" writes a form: nothing is escaped, so an & is an & and a value may have
    lines of its own. Empty for what is none: an escaped form has no line end, one that forgot to escape has them in a value.
    """
    lines = body.strip().replace(b"\r\n", b"\n").split(b"\n", limits.KEYS)
    keyed = [_LINE_KEY.match(line) is not None for line in lines]
    if sum(keyed) < 2 or not keyed[0]:
        return []
    first = lines[0].partition(b"&")
    if not is_plain and _LOOKS.match(first[2]) and b"?" not in first[0]:
        return []  # a=1&b=2, and a line end inside a value
    if not all(keyed):
        blank = sum(not line.strip() for line in lines)
        if not is_plain and all(map(_LOOKS.match, body.split(b"&")[1:])) and sum(keyed) + blank < len(lines):
            return []
    pieces: list[bytes] = []
    for line, is_key in zip(lines, keyed, strict=True):
        if is_key:
            pieces.append(line)
        else:
            pieces[-1] += b"\n" + line
    return [piece.rstrip(b"\n") for piece in pieces]


def _rejoined(pieces: list[bytes]) -> list[bytes]:
    """The fields of a sender who does not escape, so that "Tom & Jerry" is one value. A field's name begins with no space."""
    joined = pieces[:1]
    for piece in pieces[1:]:
        written = piece.removeprefix(b"amp;")
        if written[:1] == b" " or (written and b"=" not in written):
            joined[-1] += b"&" + written
        else:
            joined.append(written)
    return joined


def raw_values(body: bytes) -> dict[str, bytes]:
    """The values of a form as the very bytes that were sent, for signatures; of a repeated name the first. Never raises."""
    values: dict[str, bytes] = {}
    for piece in body.split(b"&", limits.KEYS)[: limits.KEYS]:
        key, _, value = piece.partition(b"=")
        values.setdefault(unescaped(key).decode("utf-8", "replace"), unescaped(value))
    return values


def _read_together(body: bytes, charset: str) -> Pairs | None:
    """A small form in clean UTF-8, as nearly every one is: its values are unescaped and decoded in one go.

    None for any other, which must be read value by value: each may have an encoding, a limit, a file of its own.
    """
    pieces = body.split(b"&", limits.KEYS)
    if len(body) > limits.VALUE_CHARS or len(pieces) > limits.KEYS or is_stateful(charset):
        return None
    if any(sign in body for sign in _APART):
        return None
    names: list[str] = []
    values: list[bytes] = []
    for piece in pieces:
        key, _, value = piece.partition(b"=")
        if key or value:
            if len(key) > 6 * limits.KEY_CHARS:
                return None
            name, cut = _name(key, charset, False)
            if cut:
                return None
            names.append(name)
            values.append(value)
    escaped = b"\t".join(values).replace(b"+", b" ").replace(b"=", b"%3D").replace(b"%", b"=")
    raw = a2b_qp(escaped)  # a mail's escapes, which differ by their sign only
    if not names or len(raw) != len(escaped) - 2 * escaped.count(b"="):
        return None  # a % that begins no escape
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return list(zip(names, text.split("\t"), strict=True)) if is_clean(text) else None


def _read(
    pieces: list[bytes], charset: str, flags: set[str], choose_charset: ChooseCharset | None = None, *, plain: bool = False
) -> Pairs:
    if len(pieces) > limits.KEYS:
        flags.add(limits.TOO_MANY_FIELDS)
        pieces.pop()
    result: Pairs = []
    left = limits.TEXT_CHARS
    plainly = not is_stateful(charset)
    odd = odd_parts(_values(pieces, plain)) if choose_charset is not None and plainly else b""
    if odd and choose_charset is not None:
        charset = choose_charset(odd)
    for piece in pieces:
        key, _, value = piece.partition(b"=")
        if not piece or not (key or value):
            continue
        if value[:4] == b"data" and _DATA_URL.match(value):
            upload = uploads.of_data_url(unescaped(value, plus=b"+").decode("latin-1"))
            if upload is not None:
                result.append((_name(key[: 6 * limits.KEY_CHARS], charset, plain)[0], upload))
                continue
        # Three characters of escape a byte, two bytes a Cyrillic letter: cut before the costly part, generously.
        if len(key) > 6 * limits.KEY_CHARS or len(value) > 6 * limits.VALUE_CHARS:
            flags.add(limits.TRUNCATED_VALUE)
            key, value = key[: 6 * limits.KEY_CHARS], value[: 6 * limits.VALUE_CHARS]
        name, cut = _name(key, charset, plain)
        if not plain:
            value = unescaped(value)
        text = value.decode("ascii") if plainly and value.isalnum() else text_of(value, charset, is_chosen=bool(odd))
        room = min(limits.VALUE_CHARS, left)
        if cut or len(text) > room:
            flags.add(limits.TRUNCATED_VALUE)
            text = text[:room]
        left -= len(text)
        result.append((name, text))
    return result


def _values(pieces: list[bytes], plain: bool) -> Iterator[bytes]:
    """Names and values as bytes, of no more than what is decoded anyway."""
    left = limits.TEXT_CHARS
    for piece in pieces:
        if left > 0 and (b"%" in piece or not piece.isascii()):
            cut = piece[: min(6 * limits.VALUE_CHARS, 3 * left)]
            left -= len(cut)
            yield from (cut if plain else unescaped(cut)).split(b"=", 1)


@lru_cache(maxsize=4096)  # the same forms send the same names; about 2 MB when full of the longest
def _name(key: bytes, charset: str, plain: bool) -> tuple[str, bool]:
    """A field's name within its limit, and whether it was cut."""
    name = text_of(key if plain else unescaped(key), charset)
    return name[: limits.KEY_CHARS], len(name) > limits.KEY_CHARS


def unescaped(raw: bytes, plus: bytes = b" ") -> bytes:
    """Without percent escapes and, unless told otherwise, with spaces for pluses."""
    if b"+" in raw and plus != b"+":
        raw = raw.replace(b"+", plus)
    if b"%" in raw:
        raw = _ESCAPES.sub(_run, raw)
    return raw


def _run(match: re.Match[bytes]) -> bytes:
    return a2b_hex(match[0].replace(b"%", b""))
