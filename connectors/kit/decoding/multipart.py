"""multipart/form-data on bytes, also cut short or without its boundary. Files are noted, their content is not kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import quopri
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from connectors.kit.decoding import limits
from connectors.kit.decoding.charset import text_of

_FIRST_LINE = re.compile(rb"\s{0,16}--([^\r\n]{1,200}?)[ \t]*\r?\n(?=[Cc]ontent-)")
_PARAMETER = re.compile(rb';\s*([\w-]{1,20}\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))')
_CHARSET = re.compile(rb"charset\s*=\s*\"?([\w.:-]{1,40})")

Part = tuple[str, Any]


def boundary_of(body: bytes, declared: str) -> bytes:
    """The boundary that the body really uses: the declared one, else its first line's. Empty: this is no multipart."""
    known = declared.encode("latin-1", "ignore")
    if known and b"--" + known in body:
        return known
    match = _FIRST_LINE.match(body)
    return match[1] if match else b""


def parts(body: bytes, boundary: bytes, charset: str, flags: set[str]) -> list[Part]:
    """Names with text, or with {"name","type","size","sha256"} of a file. Empty file inputs are left out."""
    pieces = body.split(b"--" + boundary, limits.KEYS + 1)[1:]
    if len(pieces) > limits.KEYS and not pieces[-1].startswith(b"--"):
        flags.add(limits.TOO_MANY_FIELDS)
        pieces = pieces[: limits.KEYS]
    elif not pieces[-1].startswith(b"--"):
        flags.add(limits.TRUNCATED_BODY)
        pieces[-1] = _without_tail(pieces[-1], b"\r\n--" + boundary)
    result: list[Part] = []
    left = limits.TEXT_CHARS
    for piece in pieces:
        if piece.startswith(b"--"):
            break
        part = _part(piece, charset, min(limits.VALUE_CHARS, left), flags)
        if part is not None:
            result.append(part)
            left -= len(part[1]) if isinstance(part[1], str) else 0
    return result


def _without_tail(piece: bytes, end: bytes) -> bytes:
    """The last part of a cut body, without the beginning of the boundary that would have closed it."""
    at = piece.rfind(b"\r\n", max(0, len(piece) - len(end)))
    return piece[:at] if at >= 0 and end.startswith(piece[at:]) else piece


def _part(piece: bytes, charset: str, room: int, flags: set[str]) -> Part | None:
    head, separator, content = piece.partition(b"\r\n\r\n")
    if not separator or b"\n\n" in head:
        head, separator, content = piece.partition(b"\n\n")
    if not separator:
        flags.add(limits.TRUNCATED_BODY)
        return None
    content = (
        content[:-2] if content.endswith(b"\r\n") else content[:-1] if content.endswith(b"\n") else content
    )
    headers = _headers(head[:8192])
    given = _parameters(headers.get(b"content-disposition", b""))
    name = text_of(given.get(b"name", b""), charset)
    if len(name) > limits.KEY_CHARS:
        flags.add(limits.TRUNCATED_VALUE)
        name = name[: limits.KEY_CHARS]
    content = _transferred(content, headers.get(b"content-transfer-encoding", b""))
    if b"filename" in given:
        if not content and not given[b"filename"]:
            return None
        return name, {
            "name": text_of(given[b"filename"], charset)[: limits.KEY_CHARS],
            "type": text_of(headers.get(b"content-type", b""))[: limits.KEY_CHARS],
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    own = _CHARSET.search(headers.get(b"content-type", b"").lower())
    text = text_of(content[: 4 * limits.VALUE_CHARS], own[1].decode() if own else charset)
    if len(text) > room or len(content) > 4 * limits.VALUE_CHARS:
        flags.add(limits.TRUNCATED_VALUE)
        text = text[:room]
    return name, text


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


def _transferred(content: bytes, encoding: bytes) -> bytes:
    """Old senders encode parts as mails do."""
    try:
        if encoding.lower() == b"base64":
            return base64.b64decode(content)
        if encoding.lower() == b"quoted-printable":
            return quopri.decodestring(content)
    except binascii.Error:
        return content
    return content
