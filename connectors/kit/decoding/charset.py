"""Bytes to text when nobody tells the truth about the encoding.

UTF-8 goes first where it proves itself: Cyrillic text in a one-byte encoding is practically never valid UTF-8, while a
page that declares windows-1251 and sends UTF-8 is common. Then what was declared, then what is likely (`guess`).
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from connectors.kit.decoding import guess
from connectors.kit.decoding.names import ALIASES

#: NUL (PostgreSQL refuses it), other control characters, lone surrogates, and the controls that turn text around.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_JIS = b"\x1b$"  # how ISO-2022-JP, which is ASCII bytes only, goes over to Japanese
_HIGH = re.compile(rb"[\x80-\xff]")
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def text_of(raw: bytes, charset: str = "", *, is_chosen: bool = False) -> str:
    """Text of a value, cleaned. `charset` is what was declared, in any spelling; "" when nothing was. `is_chosen`: it was
    found out for a whole body that is no UTF-8."""
    if not charset and raw.isascii():
        text = raw.decode("ascii")
        if text.isprintable():
            return text
        if _JIS in raw:
            text = decoded(raw, "iso2022_jp_ext")
        return _UNWANTED.sub("", text)
    if is_chosen and charset in guess.EAST and (eastern := _eastern(raw, charset)):
        return clean(eastern)
    return clean(decoded(raw, charset))


def _eastern(raw: bytes, charset: str) -> str:
    """Two Han characters of GBK may by chance be two letters of UTF-8, in which they would be three bytes each."""
    if raw.isascii():
        return ""
    try:
        return "" if max(raw.decode("utf-8")) >= "\u0800" else raw.decode(charset)
    except UnicodeDecodeError:
        return ""


def decoded(raw: bytes, charset: str = "") -> str:
    """Text of a value as it is. Never raises."""
    if raw.isascii() and not is_stateful(charset):
        return raw.decode("ascii")
    if is_stateful(charset):  # 7-bit encodings: their bytes are valid UTF-8 and mean something else
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            pass
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if _mostly_utf8(raw, error):
            return raw.decode("utf-8", "replace" if error.reason != "unexpected end of data" else "ignore")
    codec = codec_of(charset)
    if codec and codec != "utf-8":
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            pass
    return raw.decode(guess.likely(raw), "replace")


def odd_parts(raws: Iterable[bytes]) -> bytes:
    """Those of a body's values that are no UTF-8, on lines: what its character set is to be found out from."""
    odd = [raw for raw in raws if not raw.isascii() and not _is_utf8(raw)]
    return b"\n".join(odd)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _mostly_utf8(raw, error)
    return True


def chosen_charset(odd: bytes, charset: str, languages: Iterable[str] = ()) -> str:
    """The set of a body's values that are no UTF-8: what was declared if it reads them without a flaw, else what is likely."""
    codec = codec_of(charset)
    if codec.startswith("utf") or not codec:
        return guess.likely(odd, languages)
    try:
        as_declared = guess.flaws(odd.decode(codec))
    except UnicodeDecodeError:
        return guess.likely(odd, languages)
    if not as_declared:
        return codec
    other = guess.likely(odd, languages)
    return other if guess.flaws(odd.decode(other, "replace")) < as_declared else codec


def clean(text: str) -> str:
    """Text that PostgreSQL takes and a page shows as it reads: no NUL, no surrogates, no turning controls, NFC."""
    if text.isascii():
        return text if text.isprintable() else _UNWANTED.sub("", text)
    text = _UNWANTED.sub("", text)
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def is_clean(text: str) -> bool:
    """True if `clean` would change nothing; then it would change nothing in any part of the text either."""
    if text.isascii():
        return text.isprintable() or _UNWANTED.search(text) is None
    return _UNWANTED.search(text) is None and unicodedata.is_normalized("NFC", text)


@lru_cache(maxsize=256)
def codec_of(charset: str) -> str:
    """Python's name of a declared charset, "" when there is no such text encoding."""
    try:
        name = charset.strip().strip("\"'").casefold()
        name = ALIASES.get(name, name)
        info = codecs.lookup(name) if name and len(name) < 40 else None
    except (LookupError, ValueError):
        return ""
    if info is None or not getattr(info, "_is_text_encoding", True) or info.name in ("idna", "punycode", "undefined"):
        return ""
    return "cp1252" if info.name == "iso8859-1" else info.name  # browsers read latin-1 as cp1252


@lru_cache(maxsize=256)
def is_stateful(charset: str) -> bool:
    """True for encodings whose ASCII bytes may mean other letters."""
    return codec_of(charset).startswith(("iso2022", "hz", "utf-7", "utf-16", "utf-32"))


def _mostly_utf8(raw: bytes, error: UnicodeDecodeError) -> bool:
    """Cut in the middle of a character, or a stray byte in a long text: still UTF-8, else every letter is spoilt."""
    pairs = _MULTIBYTE.findall(raw)
    stray = len(_HIGH.findall(raw)) - sum(map(len, pairs))
    if error.reason == "unexpected end of data" and error.end >= len(raw):
        return bool(pairs) and stray <= 3  # the cut character itself
    return len(pairs) >= 10 * max(stray, 1)
