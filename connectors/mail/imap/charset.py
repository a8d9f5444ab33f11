"""Bytes to text when the declared character set may be missing, misspelt or wrong. Never fails, says what it used."""

from __future__ import annotations

import codecs
import re
from functools import cache

#: Names found in real mail that Python does not know, or knows too narrowly.
_ALIASES = {
    "uft-8": "utf-8", "utf8mb4": "utf-8", "utf-8-sig": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "cp-1251": "cp1251", "win-1251": "cp1251", "windows1251": "cp1251", "win1251": "cp1251", "ansi-1251": "cp1251",
    "cp-866": "cp866", "ibm-866": "cp866", "koi8": "koi8-r", "koi-8-r": "koi8-r", "koi8r": "koi8-r",
    "x-mac-cyrillic": "mac_cyrillic", "x-mac-roman": "mac_roman", "macintosh": "mac_roman",
    "unicode-1-1-utf-7": "utf-7", "x-unknown": "", "unknown-8bit": "", "8bit": "", "binary": "", "default": "",
    "iso-8859-8-i": "iso-8859-8", "ansi_x3.110-1983": "cp1252", "x-user-defined": "cp1252",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
    "shift_jis": "cp932", "x-sjis": "cp932", "iso-2022-jp": "iso2022_jp_ext",
}  # fmt: skip

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

_CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac_cyrillic")
_WESTERN = {"cp1252", "iso8859-15", "mac-roman"}
#: What is declared as these is Windows text in practice (the HTML standard says so too).
_WINDOWS = {"ascii": "cp1252", "iso8859-1": "cp1252"}
_C1_CONTROLS = re.compile("[\x80-\x9f]")

#: Letters of Russian text by falling frequency; the position is the weight.
_BY_FREQUENCY = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_WEIGHT = {letter: 1.0 - 0.03 * rank for rank, letter in enumerate(_BY_FREQUENCY)}
#: Frequent pairs separate the sets when a text is all capitals and the case says nothing.
_PAIRS = frozenset(
    [
        "ст",
        "но",
        "то",
        "на",
        "ен",
        "ов",
        "ни",
        "ра",
        "во",
        "ко",
        "ро",
        "ан",
        "ер",
        "ре",
        "от",
        "ос",
        "ло",
        "ва",
        "ка",
        "ор",
        "по",
        "пр",
        "ли",
        "ет",
        "го",
        "ть",
        "ит",
        "ал",
        "те",
        "ие",
        "ол",
        "не",
        "ом",
    ]
)
_SAMPLE_BYTES = 4_000  # enough to tell the sets apart; keeps a long text cheap

_UNSAFE = re.compile("[\ud800-\udfff\x00]")


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which PostgreSQL and JSON refuse."""
    return _UNSAFE.sub("\ufffd", text)


@cache
def canonical(name: str) -> str:
    """Python's name for a declared character set, or "" when it says nothing usable."""
    name = name.strip().strip("\"'").lower()
    name = _ALIASES.get(name, name)
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
    """Text and the character set used. Order: byte order mark, declared if sane, UTF-8, Cyrillic by score, cp1252."""
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
        best, score = best_cyrillic(data)
        if score > 0:
            return clean(data.decode(best, "replace")), best
        return clean(data.decode(name if name and name != "utf-8" else "cp1252", "replace")), name or "cp1252"
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
        letters = [char for char in text[:_SAMPLE_BYTES] if char.isalpha()]
        # "Ïðèâåò": hardly any Western language has more than a third of its letters accented.
        return 3 * sum(char > "\x7f" for char in letters) < len(letters) or len(letters) < 4
    if name in _CYRILLIC:
        if _strict(data, "utf-8") is not None:
            return False
        best, score = best_cyrillic(data)
        return best == name or score - _score(data[:_SAMPLE_BYTES].decode(name, "replace")) < 0.25
    return True


def _is_mostly_utf8(data: bytes) -> bool:
    """UTF-8 that was cut or damaged in a few places: more good sequences than bad bytes, by far."""
    text = data[:_SAMPLE_BYTES].decode("utf-8", "replace")
    good = sum(char > "\x7f" and char != "\ufffd" for char in text)
    return good > 8 * text.count("\ufffd")


def best_cyrillic(data: bytes) -> tuple[str, float]:
    """The Cyrillic set that makes the best Russian of these bytes, and its score; a score of 0 or less is no Russian."""
    sample = data[:_SAMPLE_BYTES]
    scored = [
        (_score(sample.decode(name, "replace")) - 0.005 * rank, -rank, name)
        for rank, name in enumerate(_CYRILLIC)
    ]
    score, _, name = max(scored)
    return name, score


def _score(text: str) -> float:
    """Mean over the non-ASCII characters: frequent letters and pairs count for it, odd case and odd signs against."""
    total = 0.0
    count = 0
    previous = " "
    for char in text:
        if char > "\x7f":
            count += 1
            lower = char.lower()
            weight = _WEIGHT.get(lower)
            if weight is None:
                total += 0.0 if char in "«»–—№…“”’\xa0" else -2.0
            else:
                total += weight
                if previous.isascii() and previous.isalpha():
                    total -= 2.0  # "Dйjа vu": French read as Russian mixes alphabets inside its words
                if char != lower and previous.islower():
                    total -= 1.5  # a capital inside a word: the mark of koi8 read as cp1251 and the reverse
                elif previous.lower() + lower in _PAIRS:
                    total += 0.5
        elif char.isalpha() and previous > "\x7f" and previous.isalpha():
            total -= 2.0
        previous = char
    return total / count if count else 0.0
