"""multipart/form-data on bytes, also cut short or without its boundary. Files are views of the body, never copies."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from connectors.kit.decoding import limits
from connectors.kit.decoding.charset import odd_parts, text_of
from connectors.kit.decoding.uploads import Upload, of_data_url

_FIRST_LINE = re.compile(rb"\s{0,16}--([^\r\n]{1,200}?)[ \t]*\r?\n(?=[Cc]ontent-)")
_PARAMETER = re.compile(rb';\s*([\w-]{1,20}\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))')
_CHARSET = re.compile(rb"charset\s*=\s*\"?([\w.:-]{1,40})")

_USUAL_HEAD = 200  # bytes; of longer ones, as with files, there is no end
_HEAD_BYTES = 8192  # headers of one part; browsers send under 300

Part = tuple[str, Any]


def boundary_of(body: bytes, declared: str) -> bytes:
    """The boundary that the body really uses: the declared one, else its first line's. Empty: this is no multipart."""
    known = declared.encode("latin-1", "ignore")
    if known and b"--" + known in body:
        return known
    match = _FIRST_LINE.match(body)
    return match[1] if match else b""


def parts(
    body: bytes, boundary: bytes, charset: str, flags: set[str], choose_charset: Callable[[bytes], str] | None = None
) -> list[Part]:
    """Names with text, or with an Upload. Empty file inputs are left out. `choose_charset` is asked for the character set of
    texts that are no UTF-8."""
    result: list[Part] = []
    left = limits.TEXT_CHARS
    view = memoryview(body)
    pieces = _pieces(body, b"--" + boundary, flags)
    if choose_charset is not None and not body.isascii() and (odd := _odd(body, pieces)):
        charset = choose_charset(odd)
    for start, end in pieces:
        part = _part(view, body, start, end, charset, min(limits.VALUE_CHARS, left), flags)
        if part is not None:
            result.append(part)
            left -= len(part[1]) if isinstance(part[1], str) else 0
    return result


def _odd(body: bytes, pieces: list[tuple[int, int]]) -> bytes:
    """Heads and texts that are no UTF-8; what is said to be a file is looked at by its head only."""
    texts: list[bytes] = []
    for start, end in pieces:
        head, blank, text = body[start : min(end, start + _HEAD_BYTES)].partition(b"\r\n\r\n")
        texts.append(head)
        if blank and b"filename" not in head.lower() and not _CHARSET.search(head.lower()):
            texts.append(text)
    return odd_parts(texts)


def _pieces(body: bytes, mark: bytes, flags: set[str]) -> list[tuple[int, int]]:
    """Where each part stands between two boundaries, the last one also where the body was cut."""
    found: list[tuple[int, int]] = []
    at = body.find(mark)
    while at >= 0:
        start = at + len(mark)
        if body[start : start + 2] == b"--":
            return found
        if len(found) == limits.KEYS:
            flags.add(limits.TOO_MANY_FIELDS)
            return found
        at = body.find(mark, start)
        found.append((start, at if at >= 0 else _without_tail(body, start, b"\r\n" + mark)))
    flags.add(limits.TRUNCATED_BODY)
    return found


def _without_tail(body: bytes, start: int, end: bytes) -> int:
    """Where the last part of a cut body ends, without the beginning of the boundary that would have closed it."""
    at = body.rfind(b"\r\n", max(start, len(body) - len(end)))
    return at if at >= 0 and end.startswith(body[at:]) else len(body)


def _part(view: memoryview, body: bytes, start: int, end: int, charset: str, room: int, flags: set[str]) -> Part | None:
    blank, step = body.find(b"\r\n\r\n", start, end), 4
    bare = body.find(b"\n\n", start, blank if blank >= 0 else end)
    if bare >= 0:
        blank, step = bare, 2
    if blank < 0:
        flags.add(limits.TRUNCATED_BODY)
        return None
    if blank - start > _HEAD_BYTES:
        flags.add(limits.TRUNCATED_VALUE)
    head, start = body[start : min(blank, start + _HEAD_BYTES)], blank + step
    if end > start and body[end - 1] == 10:
        end -= 2 if end - start > 1 and body[end - 2] == 13 else 1
    about = _about(head) if len(head) <= _USUAL_HEAD else _read_head(head)
    name = text_of(about.name, charset)
    if len(name) > limits.KEY_CHARS:
        flags.add(limits.TRUNCATED_VALUE)
        name = name[: limits.KEY_CHARS]
    content = _transferred(view[start:end], about.encoding) if about.encoding else view[start:end]
    if about.filename is not None:
        if not content and not about.filename:
            return None
        called = text_of(about.filename, charset)[: limits.KEY_CHARS]
        return name, Upload(called, text_of(about.type)[: limits.KEY_CHARS], content)
    if content[:5] == b"data:" and (upload := of_data_url(bytes(content).decode("latin-1"))) is not None:
        return name, upload
    text = text_of(bytes(content[: 4 * limits.VALUE_CHARS]), about.charset or charset)
    if len(text) > room or len(content) > 4 * limits.VALUE_CHARS:
        flags.add(limits.TRUNCATED_VALUE)
        text = text[:room]
    return name, text


class _Head(NamedTuple):
    """What the headers of a part say of it."""

    name: bytes
    filename: bytes | None  # None: no file
    type: bytes
    charset: str
    encoding: bytes


def _read_head(head: bytes) -> _Head:
    headers = _headers(head)
    given = _parameters(headers.get(b"content-disposition", b""))
    type_ = headers.get(b"content-type", b"")
    own = _CHARSET.search(type_.lower())
    return _Head(
        given.get(b"name", b""), given.get(b"filename"), type_, own[1].decode() if own else "",
        headers.get(b"content-transfer-encoding", b""),
    )  # fmt: skip


_about = lru_cache(maxsize=2048)(_read_head)  # the same forms send the same names


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in head.splitlines() if b":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _parameters(value: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for written, quoted, bare in _PARAMETER.findall(value):
        name = written.lower()
        raw = quoted.replace(b'\\"', b'"').replace(b"%22", b'"') or bare
        if name.endswith(b"*"):  # RFC 5987: charset'language'escaped
            found[name[:-1]] = unquote_to_bytes(raw.rpartition(b"'")[2])
        else:
            found.setdefault(name, raw)
    return found


def _transferred(content: memoryview, encoding: bytes) -> bytes | memoryview:
    """Old senders encode parts as mails do."""
    try:
        if encoding.lower() == b"base64":
            return base64.b64decode(content)
        if encoding.lower() == b"quoted-printable":
            return quopri.decodestring(bytes(content))
    except binascii.Error:
        return content
    return content
