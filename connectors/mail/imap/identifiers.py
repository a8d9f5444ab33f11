"""Message-ID, In-Reply-To and References in one normal form, and the key that makes two deliveries one message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message as MimeMessage

from connectors.mail.imap import headers, limits

#: Fields that differ between two copies of one mail because of the way they came.
_TRANSPORT = re.compile(
    r"received(?:-spf)?|delivered-to|return-path|envelope-to|x-.*|arc-.*|dkim-.*|domainkey-.*|authentication-results",
    re.IGNORECASE,
)


def normal_id(raw: str) -> str:
    """An id without brackets, comments and white space; the case is kept (RFC 5322 says it matters)."""
    match = re.search(r"<([^<>]*)>", raw)
    text = match[1] if match else re.sub(r"\([^()]*\)", "", raw)
    data = headers.as_bytes(re.sub(r"\s+", "", text).strip("<>"))
    return data.decode("utf-8", "replace").replace("\x00", "")[: limits.MESSAGE_ID_CHARS]


def ids(values: Iterable[str]) -> tuple[str, ...]:
    """The ids of In-Reply-To or References, without repetition, the last REFERENCES of them."""
    found: dict[str, None] = {}
    for value in values:
        for word in re.split(r"[,\s<>]+", value):
            one = normal_id(word)
            if one and (("@" in one) or len(one) > 20):  # words of "Your message of Monday" are no ids
                found.pop(one, None)
                found[one] = None
    return tuple(found)[-limits.REFERENCES :]


def dedup_key(
    message: MimeMessage,
    raw: bytes,
    *,
    message_id: str,
    sender: str,
    sent_at: datetime | None,
    subject: str,
    recipients: Iterable[str],
    text: str,
    digests: Iterable[str],
    found_at: datetime,
) -> str:
    """`mid:`, `hdr:` or `raw:` and a SHA-256, so that the key may outlive the erasure of its mail.

    A Message-ID alone is not enough: scripts use one id for many mails. The body is no part of `mid:`, because list
    footers and "[EXTERNAL]" marks differ between the mailboxes that one mail reached.
    """
    date = sent_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if sent_at else ""
    if message_id:
        return _key("mid", [message_id, sender.lower(), date])
    if date:
        words = " ".join(text.split())
        return _key("hdr", [sender.lower(), date, subject, ",".join(sorted(recipients)), words, *sorted(digests)])
    minute = found_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
    kept = [f"{name}:{value}" for name, value in message.raw_items() if not _TRANSPORT.fullmatch(name)]
    body = raw[_body_start(raw) :]
    return _key("raw", [minute, *kept], body)


def raw_key(raw: bytes) -> str:
    """The key of a mail whose headers cannot be read either."""
    return _key("raw", [], raw)


def _body_start(raw: bytes) -> int:
    found = re.search(rb"\r?\n\r?\n", raw[: limits.HEADER_BLOCK_BYTES])
    return found.end() if found else 0


def _key(kind: str, parts: list[str], data: bytes = b"") -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\x00")
    digest.update(data)
    return f"{kind}:{digest.hexdigest()}"
