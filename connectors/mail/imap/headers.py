"""Header fields as bytes, and their values as text: RFC 2047 and RFC 2231, tolerant of everything seen in real mail."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from email.message import Message as MimeMessage
from urllib.parse import unquote_to_bytes

from connectors.mail.imap import charset, limits

#: An encoded word. Some senders leave spaces in the Q form, some forget the padding of the B form.
_WORD = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_LINE_END = re.compile(r"\r?\n")
_PARAMETER = re.compile(r"""\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))\s*(?:;|$)""", re.DOTALL)


def as_bytes(value: str) -> bytes:
    """The bytes that the parser of compat32 carried through as surrogates."""
    return value.encode("utf-8", "surrogateescape") if _only_escapes(value) else value.encode("utf-8", "replace")


def _only_escapes(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" and not "\udc80" <= char <= "\udcff" for char in value)


def unfold(value: str) -> str:
    return _LINE_END.sub("", value).strip()


def values(message: MimeMessage, name: str) -> list[str]:
    """All values of a field, unfolded, raw bytes as surrogates, each at most HEADER_VALUE_BYTES long."""
    name = name.lower()
    found = []
    for key, value in message.raw_items():
        if key.lower() == name:
            found.append(unfold(str(value)[: limits.HEADER_VALUE_BYTES]))
    return found


def value(message: MimeMessage, name: str) -> str:
    """The first value of a field, or ""."""
    found = values(message, name)
    return found[0] if found else ""


def decoded(raw: str) -> str:
    """A header value for people: encoded words joined before they are decoded, raw 8-bit characters guessed."""
    data = as_bytes(raw)[: limits.HEADER_VALUE_BYTES]
    pieces: list[str] = []
    run: list[tuple[str, bytes]] = []  # neighbouring encoded words: set and decoded bytes
    at = 0
    for word in _WORD.finditer(data):
        between = data[at : word.start()]
        # White space between two encoded words is not part of the text (RFC 2047 §6.2).
        if between.strip() or not run:
            _flush(run, pieces)
            pieces.append(_plain(between))
        run.append((word[1].decode("ascii", "replace").split("*")[0], _word_bytes(word[2], word[3])))
        at = word.end()
    _flush(run, pieces)
    pieces.append(_plain(data[at:]))
    return charset.clean("".join(pieces)).strip()


def _flush(run: list[tuple[str, bytes]], pieces: list[str]) -> None:
    """Words of one set are joined as bytes first: clients split a character of several bytes between two words."""
    while run:
        name = run[0][0]
        data = b""
        while run and run[0][0].lower() == name.lower():
            data += run.pop(0)[1]
        pieces.append(charset.decode(data, name)[0])


def _plain(data: bytes) -> str:
    return charset.decode(data, "")[0] if data else ""


def _word_bytes(kind: bytes, text: bytes) -> bytes:
    if kind in b"qQ":
        return quopri.decodestring(text.replace(b"_", b" "), header=True)
    text = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return base64.b64decode(text[: len(text) // 4 * 4])


def parameters(raw: str) -> tuple[str, dict[str, str]]:
    """`type/subtype; a=b` as the first word in lower case and its parameters, RFC 2231 pieces put together."""
    raw = raw[: limits.STRUCTURE_HEADER_BYTES]
    head, _, rest = raw.partition(";")
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    at = 0
    for _ in range(limits.PARAMETERS):
        match = _PARAMETER.match(rest, at)
        if match is None:
            step = rest.find(";", at)
            if step < 0:
                break
            at = step + 1
            continue
        at = match.end()
        name = match[1].lower()
        text = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else (match[3] or "").strip()
        base, star, tail = name.partition("*")
        if not star:
            plain.setdefault(name, text)
            continue
        number = tail.rstrip("*")
        index = int(number) if number.isdigit() and len(number) < 5 else 0
        pieces.setdefault(base, {})[index] = (text, name.endswith("*"))
        if at >= len(rest):
            break
    result = {name: decoded(text) for name, text in plain.items()}
    for base, parts in pieces.items():
        result[base] = _joined(parts)
    return head.strip().lower(), result


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231: the first extended piece begins with charset'language'; extended pieces are percent-encoded."""
    name = ""
    data = b""
    for order, (_, (piece, extended)) in enumerate(sorted(parts.items())):
        if extended and order == 0 and piece.count("'") >= 2:
            name, _, rest = piece.split("'", 2)
            data += unquote_to_bytes(as_bytes(rest))
        else:
            data += unquote_to_bytes(as_bytes(piece)) if extended else as_bytes(piece)
    text = charset.decode(data, name)[0]
    return decoded(text) if "=?" in text else text
