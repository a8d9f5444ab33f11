"""Makes mails: plain ones by the dozen for the pollers, and Russian and English ones in every charset and structure.

Each made mail of `matrix()` comes with what a reader must find in it. Nobody in them exists.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import Header
from typing import Any

DATE = "Fri, 20 Nov 2026 10:00:00 +0300"


def plain(
    number: int,
    *,
    sender: str = "",
    subject: str = "",
    text: str = "",
    date: str = DATE,
    more: str = "",
    size: int = 0,
) -> bytes:
    """One ordinary inquiry; `number` makes it unique. `size` pads it, `more` adds header lines."""
    sender = sender or f"client{number}@example.org"
    text = text or f"Hello, please call me about order request {number}.\r\n"
    head = (
        f"From: Client {number} <{sender}>\r\nTo: sales@example.com\r\nSubject: {subject or f'Inquiry {number}'}\r\n"
        f"Date: {date}\r\nMessage-ID: <made-{number}@example.org>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n{more}\r\n"
    )
    return (
        head.encode()
        + text.encode()
        + (b"padding of a line that says nothing at all, again and again, and ends\r\n" * (size // 72))
    )


@dataclass(frozen=True)
class Made:
    name: str
    raw: bytes
    expected: dict[str, Any]  # subject, text (a part of it), sender_name


_TEXTS = {
    "ru": (
        "Иван Петров",
        "Запрос цены на партию насосов",
        "Здравствуйте! Пришлите, пожалуйста, прайс на насосы.",
    ),
    "en": (
        "John Smith",
        "Price request for a batch of pumps",
        "Hello! Please send me your price list for pumps.",
    ),
}
_CHARSETS = {"ru": ("utf-8", "windows-1251", "koi8-r"), "en": ("us-ascii", "utf-8", "iso-8859-1")}
_STRUCTURES = ("plain", "html", "alternative", "mixed", "stub", "related")
_ENCODINGS = ("base64", "quoted-printable", "8bit")


def matrix() -> Iterator[Made]:
    """Language × charset × structure × transfer encoding: 108 mails."""
    for language, (name, subject, text) in _TEXTS.items():
        for charset in _CHARSETS[language]:
            for structure in _STRUCTURES:
                for encoding in _ENCODINGS:
                    yield _made(language, name, subject, text, charset, structure, encoding)


def _made(language: str, name: str, subject: str, text: str, charset: str, structure: str, encoding: str) -> Made:
    label = f"{language}-{charset}-{structure}-{encoding}"
    head = (
        (
            f"From: {Header(name, charset).encode()} <{language}@example.org>\r\nTo: sales@example.com\r\n"
            f"Subject: {Header(subject, charset, header_name='Subject').encode()}\r\nDate: {DATE}\r\n"
            f"Message-ID: <{label}@example.org>\r\nMIME-Version: 1.0\r\n"
        )
        .replace("\n ", "\r\n ")
        .replace("\r\r", "\r")
    )
    body = _structure(text, charset, structure, encoding)
    return Made(label, head.encode() + body, {"subject": subject, "text": text, "sender_name": name})


def _structure(text: str, charset: str, structure: str, encoding: str) -> bytes:
    page = f"<html><head><style>p {{color:red}}</style></head><body><p>{text}</p><p>--<br>Sales</p></body></html>"
    words = _part("text/plain", text + "\r\n\r\n-- \r\nSales\r\n", charset, encoding)
    html = _part("text/html", page, charset, encoding)
    if structure == "plain":
        return words
    if structure == "html":
        return html
    if structure == "alternative":
        return _many("alternative", words, html)
    if structure == "stub":
        return _many(
            "alternative",
            _part("text/plain", "This message needs an HTML viewer.\r\n", "us-ascii", "8bit"),
            html,
        )
    picture = b'Content-Type: image/png; name="logo.png"\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <logo>\r\n\r\niVBORw0KGgo=\r\n'
    if structure == "related":
        return _many("alternative", words, _many("related", html, picture))
    return _many("mixed", words, picture)


def _part(kind: str, text: str, charset: str, encoding: str) -> bytes:
    data = text.encode(charset)
    if encoding == "base64":
        data = base64.encodebytes(data).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        data = quopri.encodestring(data)
    return f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + data


def _many(kind: str, *parts: bytes) -> bytes:
    mark = f"=_{kind}_1"
    head = f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n'.encode()
    return head + b"".join(f"--{mark}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{mark}--\r\n".encode()


def bombs() -> dict[str, bytes]:
    """Mails built to exhaust a reader, by name. Each small, each once the end of somebody's mail import."""
    head = (
        b"From: a@example.org\r\nTo: sales@example.com\r\nSubject: bomb\r\nDate: " + DATE.encode()
        + b"\r\nMIME-Version: 1.0\r\n"
    )  # fmt: skip
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(1000))
    return {
        "nested_multiparts": head + nested + b"Content-Type: text/plain\r\n\r\ncall me back\r\n",
        "nested_mails": head + b"Content-Type: message/rfc822\r\n\r\n" * 1000 + b"Subject: in\r\n\r\ncall me back",
        "brackets_in_from": b"From: " + b"(" * 500 + b" a@example.org\r\nSubject: bomb\r\n\r\ncall me back",
        "many_parts": head + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\ncall me back\r\n" * 100_000,
        "many_headers": head + b"".join(b"X-%d: a\r\n" % n for n in range(100_000)) + b"\r\ncall me back",
        "many_encoded_words": b"From: a@example.org\r\nSubject: bomb"
        + b"".join(b" =?utf-8?q?a%d?=\r\n" % n for n in range(10_000)) + b"\r\ncall me back",
        "many_pieces_of_a_parameter": head + b"Content-Type: text/plain;"
        + b"".join(b"\r\n charset*%d=a;" % n for n in range(10_000)) + b"\r\n\r\ncall me back",
        "many_addresses": b"From: a@example.org\r\nSubject: bomb\r\nTo: "
        + b",\r\n ".join(b"a%d@example.com" % n for n in range(10_000)) + b"\r\n\r\ncall me back",
        "quotes_in_content_type": head + b'Content-Type: text/plain; x="' + b";" * 200_000 + b"\r\n\r\ncall me back",
        "deep_html": head + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 20_000 + b"call me back" + b"</div>" * 20_000,
    }  # fmt: skip
