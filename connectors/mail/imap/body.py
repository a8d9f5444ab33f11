"""The parts of a mail: its text, and the list of what is attached. Opens nothing but MIME: no archives, no documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message as MimeMessage
from typing import Any

from connectors.mail.imap import addresses, charset, headers, html, limits
from crm_core.parsed import MailAddress

_STUB = re.compile(
    r"html|browser|веб-верси|web version|браузер|mime format|your (?:mail|e-mail|email) (?:client|program)|просмотр",
    re.IGNORECASE,
)
#: A mail within a mail, or its headers.
_MAILS = frozenset(
    ("message/rfc822", "message/global", "message/news", "text/rfc822-headers", "message/rfc822-headers", "message/partial")
)
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass
class Content:
    """What was found while walking; `charsets` in order of use."""

    text: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    charsets: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    decoded_bytes: int = 0
    from_html: bool = False
    types: set[str] = field(default_factory=set)  # of the mail itself, not of what it encloses
    enclosed_from: list[MailAddress] = field(default_factory=list)  # who wrote the mails that it encloses
    enclosed: list[str] = field(default_factory=list)  # texts of the mails that it encloses, as they stand in `text`

    @property
    def own_text(self) -> str:
        """The text without that of enclosed mails."""
        text = self.text
        for one in self.enclosed:
            text = text.replace(charset.clean(one.strip()), "")
        return text

    @property
    def encloses(self) -> bool:
        return not self.types.isdisjoint(_MAILS)

    def warn(self, code: str) -> None:
        if code not in self.warnings:
            self.warnings.append(code)


def read(message: MimeMessage) -> Content:
    content = Content()
    text = _text_of(message, content, 0, 0).strip()
    if len(text) > limits.TEXT_CHARS:
        text = text[: limits.TEXT_CHARS]
        content.warn("text_cut")
    content.text = charset.clean(text)
    return content


def _text_of(part: MimeMessage, content: Content, depth: int, mails: int) -> str:
    """Text of one part and all below it. Depth is bounded by `structure` already; the limit here is the second lock."""
    kind, typed = headers.parameters(headers.value(part, "content-type"))
    disposition, named = headers.parameters(headers.value(part, "content-disposition"))
    kind = kind or part.get_default_type()
    if not mails:
        content.types.add(kind[:100])
    payload = part.get_payload()
    if depth > limits.DEPTH:
        content.warn("too_deep")
        return ""
    if isinstance(payload, list):
        if kind in ("message/rfc822", "message/global", "message/news"):
            return _attached_mail(payload, content, depth, mails)
        if kind == "message/delivery-status":
            return ""  # read by `automatic` from the headers; its fields are no words of a person
        return _multipart(kind, payload, content, depth, mails)
    name = named.get("filename") or typed.get("name") or ""
    is_text = kind in ("text/plain", "text/html", "text", "text/enriched") or (kind.startswith("multipart/") and not name)
    if is_text and disposition != "attachment" and not (name and kind == "text/html" and disposition == "inline"):
        return _field_text(part, kind, typed.get("charset", ""), content)
    _attach(kind, name, _payload(part), content)
    return ""


def _multipart(kind: str, parts: Iterable[Any], content: Content, depth: int, mails: int) -> str:
    if kind != "multipart/alternative":
        texts = [_text_of(part, content, depth + 1, mails) for part in parts]
        return "\n\n".join(text for text in texts if text.strip())
    plain, rich = "", ""
    for part in parts:
        before = content.from_html
        content.from_html = False
        text = _text_of(part, content, depth + 1, mails)
        if not text.strip():
            content.from_html = before
        elif content.from_html:
            rich = rich or text
        else:
            plain = plain or text
            content.from_html = before
    use_rich = bool(rich) and is_stub(plain, rich)
    content.from_html = use_rich
    return rich if use_rich else plain


def is_stub(plain: str, rich: str) -> bool:
    """True when the plain alternative says nothing but "look at the HTML"; several mailers send only that."""
    words = plain.strip()
    if len(words) < 3:
        return True
    return len(words) < 300 and len(rich) > len(words) and bool(_STUB.search(words)) and words[:40] not in rich


def _field_text(part: MimeMessage, kind: str, declared: str, content: Content) -> str:
    data = _payload(part)
    content.decoded_bytes += len(data)
    if kind == "text/html":
        source, used = html.decode(data, declared)
        if len(data) > limits.HTML_BYTES:
            content.warn("html_cut")
        text = html.to_text(source)
        content.from_html = content.from_html or bool(text)
    else:
        if len(data) > 4 * limits.TEXT_CHARS:
            data = data[: 4 * limits.TEXT_CHARS]
            content.warn("text_cut")
        text, used = charset.decode(data, declared)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if used not in content.charsets and len(content.charsets) < 10:
        content.charsets.append(used)
    return text


def _attached_mail(payload: list[Any], content: Content, depth: int, mails: int) -> str:
    inner = payload[0] if payload else None
    if not isinstance(inner, MimeMessage):
        return ""
    subject = headers.decoded(headers.value(inner, "subject"))
    if mails >= limits.ATTACHED_MAIL_LEVELS:
        content.warn("attached_mails_too_deep")
        return ""
    if not mails:
        author = addresses.first(headers.values(inner, "from"))
        content.enclosed_from += [author] if author is not None and author.email else []
    before = len(content.attachments)
    _list(content, {"name": safe_name(subject or "message") + ".eml", "type": "message/rfc822"})
    text = _text_of(inner, content, depth + 1, mails + 1)
    if len(content.attachments) > before:
        size = len(text.encode("utf-8", "replace"))
        content.attachments[before].update(size=size, sha256=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest())
    sender = headers.decoded(headers.value(inner, "from"))
    head = "\n".join(line for line in (f"From: {sender}" if sender else "", f"Subject: {subject}" if subject else "") if line)
    shown = f"---------- {head or 'message'}\n\n{text}" if text.strip() else ""
    if shown and not mails:
        content.enclosed.append(shown)
    return shown


def _attach(kind: str, name: str, data: bytes, content: Content) -> None:
    if content.decoded_bytes > limits.ATTACHMENT_BYTES:
        content.warn("attachments_too_large")
        _list(content, {"name": safe_name(name), "type": kind[:100]})
        return
    content.decoded_bytes += len(data)
    if not data and not name:
        return
    digest = hashlib.sha256(data).hexdigest()
    _list(content, {"name": safe_name(name), "type": kind[:100], "size": len(data), "sha256": digest})


def _list(content: Content, entry: dict[str, Any]) -> None:
    if len(content.attachments) >= limits.ATTACHMENTS:
        content.warn("too_many_attachments")
        return
    content.attachments.append({**entry, "type": charset.clean(entry["type"])})


def safe_name(name: str) -> str:
    """A file name for showing: no path, no control and direction characters, at most 150 characters."""
    name = re.split(r"[/\\]", _BIDI.sub("", charset.clean(name)))[-1]
    return "".join(char for char in name if char.isprintable()).strip(" .")[:150]


def _payload(part: MimeMessage) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
