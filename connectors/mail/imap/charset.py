"""Bytes to text when the declared character set may be missing, misspelt or wrong. Never fails, says what it used."""

from __future__ import annotations

import codecs
import re
from functools import cache

from connectors.kit.decoding import cyrillic
from connectors.kit.decoding.guess import likely
from connectors.kit.decoding.names import ALIASES

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip

#: Codecs of the standard library that turn bytes into bytes, or text into other text: never a mail's character set.
_NOT_CHARSETS = {
    "idna",
    "punycode",
    "undefined",
    "unicode_escape",
    "raw_unicode_escape",
    "rot13",
    "mbcs",
    "oem",
}

_WESTERN = {"cp1252", "iso8859-15", "mac-roman"}
#: What is declared as these is Windows text in practice (the HTML standard says so too).
_WINDOWS = {"ascii": "cp1252", "iso8859-1": "cp1252"}
_C1_CONTROLS = re.compile("[\x80-\x9f]")

_UNSAFE = re.compile("[\ud800-\udfff\x00]")


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which PostgreSQL and JSON refuse."""
    return _UNSAFE.sub("\ufffd", text)


@cache
def canonical(name: str) -> str:
    """Python's name for a declared character set, or "" when it says nothing usable."""
    name = name.strip().strip("\"'").lower()
    name = ALIASES.get(name, name)
    if not name or len(name) > 40 or not name.isascii():
        return ""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if info.name in _NOT_CHARSETS or not getattr(info, "_is_text_encoding", True):
        return ""
    return info.name


def decode(data: bytes, declared: str = "") -> tuple[str, str]:
    """Text and the character set used. Order: byte order mark, declared if sane, UTF-8, the likeliest."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return clean(data.decode(name, "replace")), name
    name = canonical(declared)
    if not data.isascii() or name.startswith(("utf-7", "utf-16", "utf-32", "iso2022", "hz")):
        name = _WINDOWS.get(name, name)
        if name:
            text = _strict(data, name)
            if text is not None and _is_sane(data, text, name):
                return clean(text), name
        text = _strict(data, "utf-8")
        if text is not None:
            return clean(text), "utf-8"
        if (name == "utf-8" or not name) and _is_mostly_utf8(data):
            return clean(data.decode("utf-8", "replace")), "utf-8"
        best = likely(data)
        return clean(data.decode(best, "replace")), best
    return clean(data.decode("ascii")), name or "ascii"


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None


def _is_sane(data: bytes, text: str, name: str) -> bool:
    """A single-byte set decodes anything, so its result must look like language."""
    if _C1_CONTROLS.search(text):
        return False
    if name in _WESTERN:
        if _strict(data, "utf-8") is not None:
            return False
        letters = [char for char in text[: cyrillic.SAMPLE_BYTES] if char.isalpha()]
        # "Ïðèâåò": hardly any Western language has more than a third of its letters accented.
        return 3 * sum(char > "\x7f" for char in letters) < len(letters) or len(letters) < 4
    if name in cyrillic.SETS:
        if _strict(data, "utf-8") is not None:
            return False
        best, score = cyrillic.best(data)
        return best == name or score - cyrillic.score_of(data[: cyrillic.SAMPLE_BYTES].decode(name, "replace")) < 0.25
    return True


def _is_mostly_utf8(data: bytes) -> bool:
    """UTF-8 that was cut or damaged in a few places: more good sequences than bad bytes, by far."""
    text = data[: cyrillic.SAMPLE_BYTES].decode("utf-8", "replace")
    good = sum(char > "\x7f" and char != "\ufffd" for char in text)
    return good > 8 * text.count("\ufffd")
