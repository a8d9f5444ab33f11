"""The middle rung: a mail whose structure cannot be trusted is read as lines. Worse than parsing, better than silence."""

from __future__ import annotations

import quopri
import re

from connectors.mail.imap import charset, limits, structure

_SCANNED_BYTES = 1024 * 1024
_ENCODED = re.compile(rb"[A-Za-z0-9+/=]{60,}")
_MACHINE = re.compile(
    rb"--\S.{0,200}|content-[\w-]+\s*:.*|mime-version\s*:.*|\s+(?:boundary|charset|name|filename)\*?\d*\*?=.*",
    re.IGNORECASE,
)
_QUOTED = re.compile(rb"=[0-9A-F]{2}")
_TAGS = re.compile(r"<(?:style|script)\b.{0,20000}?</(?:style|script)>|<[^<>]{1,2000}>", re.IGNORECASE | re.DOTALL)


def text_of(raw: bytes) -> tuple[str, str]:
    """What looks like words in the body, and the character set used."""
    body = raw[structure.header_end(raw)[1] :][:_SCANNED_BYTES]
    lines = (line[:5_000] for line in body.splitlines())
    data = b"\n".join(line for line in lines if not _ENCODED.fullmatch(line.strip()) and not _MACHINE.fullmatch(line))
    if len(_QUOTED.findall(data)) > 10:
        data = quopri.decodestring(data)
    text, used = charset.decode(data)
    if "<" in text and re.search(r"</?(?:div|p|br|html|td)\b", text, re.IGNORECASE):
        text = _TAGS.sub(" ", text)
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r"\n\s*\n+", "\n\n", text).strip()[: limits.TEXT_CHARS], used
