"""A visiting card (vCard 2.1 to 4.0, RFC 6350) into fields. Of several cards the first is read."""

from __future__ import annotations

import quopri
import re
from typing import Any, Final

from connectors.kit.decoding import brackets
from connectors.kit.decoding.charset import text_of

_LINE: Final = re.compile(r"(?:[\w-]{1,40}\.)?([\w-]{1,60})((?:;[^:;\r\n]{0,200}){0,20}):(.*)")
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_MOST_LINES: Final = 500  # a card has under 50, but for its picture, which is one line
_CALLED: Final = {
    "FN": "name", "TEL": "phone", "EMAIL": "email", "NOTE": "message", "TITLE": "job_title", "URL": "website",
    "IMPP": "messenger", "BDAY": "birthday",
}  # fmt: skip
_UNREAD: Final = frozenset(("BEGIN", "END", "VERSION", "PRODID", "REV", "UID", "N", "PHOTO", "LOGO", "SOUND", "KEY"))


def looks_like(text: str) -> bool:
    return text[:64].lstrip().upper().startswith("BEGIN:VCARD")


def fields_of(text: str) -> dict[str, Any]:
    """Fields by the names that a form would give them; what has none keeps its own."""
    found: dict[str, Any] = {}
    name = ""
    for line in _FOLD.sub("", text.replace("=\r\n", "").replace("=\n", "")).splitlines()[:_MOST_LINES]:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        kind, said = match[1].upper(), _value(match[3], match[2].upper())
        if kind == "END":
            break
        if kind == "N":
            last, first, middle, *_ = [*(part.strip() for part in said.split(";")), "", "", ""]
            name = " ".join(filter(None, (first, middle, last)))
        elif kind == "ORG":
            brackets.add(found, "company", said.split(";")[0].strip())
        elif kind not in _UNREAD and said.strip(" ;"):
            plain = said.removeprefix("tel:").removeprefix("mailto:")
            brackets.add(found, _CALLED.get(kind, kind.lower()), _joined(plain))
    if name:
        found.setdefault("name", name)
    return found


def _value(text: str, parameters: str) -> str:
    if "QUOTED-PRINTABLE" in parameters:
        text = text_of(quopri.decodestring(text.encode()))
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text).strip()


def _joined(value: str) -> str:
    return ", ".join(part.strip() for part in value.split(";") if part.strip()) if ";" in value else value
