"""Addresses of From, To, Cc, Reply-To. Own linear reader: the standard library's recursed on 500 brackets and let
`a@good@evil` pass (CVE-2023-27043). An address has exactly one @ and no spaces, or it is no address.
"""

from __future__ import annotations

import re

from connectors.mail.imap import headers, limits
from crm_core.parsed import MailAddress

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f\ud800-\udfff]{1,64}@[^\s@<>(),;:\"\\\x00-\x1f\x7f\ud800-\udfff]{1,255}")
_IN_NAME = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")


def read(values: list[str], cap: int = limits.ADDRESS_VALUE_BYTES) -> tuple[MailAddress, ...]:
    """All addresses of these header values in order, without repetition, at most ADDRESSES."""
    found: list[MailAddress] = []
    seen: set[str] = set()
    for value in values:
        for piece in _pieces(value[:cap]):
            address = _one(piece)
            if address is None or address.email.lower() in seen:
                continue
            seen.add(address.email.lower())
            found.append(address)
            if len(found) >= limits.ADDRESSES:
                return tuple(found)
    return tuple(found)


def first(values: list[str]) -> MailAddress | None:
    """The one address of From or Reply-To; where there is none, the name alone is still worth showing."""
    found = read(values, limits.SENDER_VALUE_BYTES)
    if found:
        return found[0]
    raw = values[0][: limits.SENDER_VALUE_BYTES] if values else ""
    shown = {one.lower(): one for one in _IN_NAME.findall(raw)}
    if len(shown) == 1 and "@" not in raw.replace(next(iter(shown.values())), ""):
        return MailAddress(email=next(iter(shown.values())))  # broken brackets or quotes around the only address there is
    name = headers.decoded(raw).strip("\"'<> ")
    return MailAddress(email="", name=name[:200]) if name else None


def claims_another(address: MailAddress | None) -> bool:
    """True when the display name shows an address that is not the sender's: the commonest disguise."""
    if address is None or not address.name:
        return False
    shown = _IN_NAME.findall(address.name)
    return bool(shown) and address.email.lower() not in {one.lower() for one in shown}


def _pieces(value: str) -> list[str]:
    """Splits at commas and semicolons outside quotes, comments and angle brackets. Comments are dropped."""
    pieces: list[str] = []
    current: list[str] = []
    quoted = angle = escaped = False
    depth = 0
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
        elif depth:
            depth += (char == "(") - (char == ")")
            current.append(char)
            continue
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            if char == "(":
                depth = 1
            elif char == "<":
                angle = True
            elif char == ">":
                angle = False
            elif char in ",;" and not angle:
                pieces.append("".join(current))
                current = []
                if len(pieces) >= 2 * limits.ADDRESSES:
                    return pieces
                continue
        current.append(char)
    pieces.append("".join(current))
    return pieces


def _one(piece: str) -> MailAddress | None:
    piece = piece.strip()
    if not piece:
        return None
    opened, closed = piece.rfind("<"), piece.rfind(">")
    if opened >= 0:
        inner = piece[opened + 1 : closed] if closed > opened else piece[opened + 1 :]
        name = piece[:opened]
    else:
        bare = re.sub(r"\([^()]*\)", " ", piece)
        comment = re.search(r"\(([^()]*)\)", piece)
        inner, name = bare.rpartition(":")[2], comment[1] if comment else ""
    email = _email(inner)
    if email is None:
        return None
    shown = headers.decoded(name.rpartition(":")[2] if name.strip().endswith(":") else name)
    shown = re.sub(r"\\(.)", r"\1", shown).strip().strip("\"'").strip()
    return MailAddress(email=email, name="" if shown.lower() == email.lower() else shown[:200])


def _email(text: str) -> str | None:
    text = re.sub(r"^mailto:", "", text.strip().strip("'\"<>").strip(), flags=re.IGNORECASE)
    if "=?" in text:
        text = headers.decoded(text)
    text = text.replace('"', "")
    return text if _ADDRESS.fullmatch(text) else None
