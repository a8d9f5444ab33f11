"""What people and exchanges put into a phone field, brought to ASCII digits, parts and extensions.

Only for fields that are meant to hold a phone: letters are read as digits here, which prose would not survive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from crm_core.base.frozen import frozen

_SPACES = dict.fromkeys(map(ord, "\t\r\x0b\x0c\xa0"), " ")
_DASHES_AND_SPACES = _SPACES | dict.fromkeys(map(ord, "‐‑‒–—―−⁃﹘﹣－ー"), "-")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")

#: Marks without a shape: direction, joiners, soft hyphen, controls, halves of surrogates. They come with copied text.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)

_ADDRESS = re.compile(
    r"(?:wa\.me/|[?&](?:phone|number)=|t\.me/|(?:tel|sips?|whatsapp|callto|viber|xmpp):(?://)?)\s*((?:%2B|\+)?[\d\s().-]+)",
    re.IGNORECASE,
)
_MAILBOX_OR_HOST = re.compile(r"@[\w.:-]+")
_PARAMETERS = re.compile(r";(?:user|transport|phone-context|isub|tag)=[^;\s>]*", re.IGNORECASE)

#: The words for "extension"; `*` and `#` are what one presses, `,` and `p` what a dialler pauses on.
_EXTENSION = re.compile(
    r"(?:(?:;\s*ext\s*=|доб(?:авочный|ав)?|доп(?:олнительный)?|внутр(?:енний)?|вн|ext(?:ension)?|внутренний номер)"
    r"[\s.:№#)-]{0,4}|(?<=\d)\s{0,2}[*#x]\s{0,2}|(?<=\d)\s?,{1,3}\s?(?=\d{1,5}\s*$))(\d{1,7})(?!\d)",
    re.IGNORECASE,
)
# Words part numbers too: `8916… Иван 8926…`, `8916… с 9 до 18`. So does a slash before a number of its own.
_SEPARATOR = re.compile(r"[,;|:\n]|[^\W\d_]+|(?<=\d)\s*/\s*(?=[+(]?\d[\d\s().-]{6,})|(?<=\d)\s*(?=\+\s*\d)")
# 030/1234567: here the slash parts the area code, not two numbers.
_AREA_SLASH = re.compile(r"^(\D*\d{2,5})\s?/")
_SIBLINGS = re.compile(r"(?<=\d)(?:\s?[/\\]\s?-?\d{1,4})+(?![\d\s-]*\d)")

# O and З and l inside or beside digits, never as a part of a word.
_HOMOGLYPHS = str.maketrans({"O": "0", "o": "0", "О": "0", "о": "0", "З": "3", "з": "3", "l": "1", "I": "1"})
_LOOKALIKE = re.compile(r"(?<![^\W\d_])(?:(?<=\d)[OoОоЗзlI]{1,4}|[OoОоЗзlI]{1,4}(?=\d))(?![^\W\d_])")

#: 8-800-РОССИЯ: letters on the keys of Russian telephones.
_KEYPAD = {
    letter: digit
    for digit, letters in {
        "2": "абвгabc", "3": "дежзёdef", "4": "ийклghi", "5": "мнопjkl", "6": "рстуmno",
        "7": "фхцчpqrs", "8": "шщъыtuv", "9": "ьэюяwxyz",
    }.items()
    for letter in letters
}  # fmt: skip
_VANITY = re.compile(r"(?:\+?7|8|\+?1)[\s(-]{0,3}8\d\d[\s)-]{0,3}(?:[^\W\d_]|[\d-]){5,16}")
_SIMPLE = re.compile(r"\s*\(?\+?\d[\d ().-]{4,24}\s*")

#: Two Russian numbers with only a blank between them.
SEVEN = re.compile(r"(?:\+\s*7|7|8)[\s().-]*(?:\d[\s().-]*){10}")
# The same with a stray digit or two before or behind it: `2 8916…`, `8 916 123 45 67 89`.
_WITHIN = re.compile(r"(?<![\d.(-])(?:\+\s?7|7|8)[ (-]{0,2}9\d\d[ )-]{0,2}\d{3}[ -]?\d\d[ -]?\d\d(?![\d.-])")


@frozen
class Part:
    """One number as written: its digits, whether a + stood before them, what was done to read it."""

    digits: str
    plus: bool
    extension: str = ""
    siblings: tuple[str, ...] = ()  # digits after slashes that replace the last ones: 66/67/68
    flags: tuple[str, ...] = ()


def plain(text: str) -> str:
    """ASCII digits, hyphens and spaces; no bidirectional marks. Letters are left as they are (NFKC)."""
    if text.isascii():
        return text.translate(_SPACES)
    text = unicodedata.normalize("NFKC", text.replace("№", "#")).translate(_DASHES_AND_SPACES)
    return _FOREIGN_DIGIT.sub(lambda m: str(unicodedata.decimal(m[0])), INVISIBLE.sub("", text))


def parts(text: str) -> Iterator[Part]:
    """The numbers of a phone field in the order in which they stand."""
    if _SIMPLE.fullmatch(text) is not None and len(digits := re.sub(r"\D", "", text)) <= 11:
        yield Part(digits, "+" in text)  # nine of ten fields; the rest of this function costs 15 µs
        return
    flags: tuple[str, ...] = ()
    if _ADDRESS.search(text) is not None:
        # What stands before it (`8 992 …, tel: 8931…`) is another number; one address may follow another.
        text = _ADDRESS.sub(lambda m: "; " + m[1].replace("%2B", "+").replace("%2b", "+"), text)
    text = _PARAMETERS.sub("", _MAILBOX_OR_HOST.sub(" ", text))
    if not text.isascii() or not set("OolI").isdisjoint(text):
        repaired = _LOOKALIKE.sub(lambda m: m[0].translate(_HOMOGLYPHS), text)
        if repaired != text:
            text, flags = repaired, ("homoglyph",)
    if _VANITY.fullmatch(text.strip()) is not None and any(c.isalpha() for c in text):
        keyed = re.sub(r"\D", "", "".join(_KEYPAD.get(c, c) for c in text.casefold()))
        if len(keyed) >= 11:  # shorter words dial nothing; longer ones are cut by the exchange
            yield Part(keyed[:11], False, flags=(*flags, "vanity"))
        return
    text = _AREA_SLASH.sub(r"\1 ", text)
    yield from _split(text, flags)


def _split(text: str, flags: tuple[str, ...]) -> Iterator[Part]:
    start = 0
    for extension in _EXTENSION.finditer(text):
        before = text[start : extension.start()].rstrip(" ,;(")
        *whole, last = _SEPARATOR.split(before)
        if sum(map(str.isdigit, last)) < 5:
            continue
        for piece in whole:
            yield from _part(piece, flags)
        yield from _part(last, flags, extension[1])
        start = extension.end()
    for piece in _SEPARATOR.split(text[start:]):
        yield from _part(piece, flags)


def trailing_extension(rest: str) -> str:
    """Extension at the very start of what follows a number in prose; "" if there is none."""
    found = _EXTENSION.match(rest.lstrip(" ,(;"))
    return found[1] if found else ""


def trailing_siblings(rest: str) -> tuple[str, ...]:
    """The `/68` at the very start of what follows a number, if there is one."""
    found = re.match(r"\s?/\s?(\d{1,4})\b(?![./])", rest)
    return (found[1],) if found else ()


def _part(piece: str, flags: tuple[str, ...], extension: str = "") -> Iterator[Part]:
    siblings: tuple[str, ...] = ()
    if (tail := _SIBLINGS.search(piece)) is not None and sum(map(str.isdigit, piece[: tail.start()])) >= 6:
        siblings = tuple(re.findall(r"\d+", tail[0]))
        piece = piece[: tail.start()]
    piece = re.sub(r"^[^\d+]+", "", re.sub(r"^\D*\+\s*7\s*(?=\+)", "", piece))
    digits = re.sub(r"\D", "", piece)
    if len(digits) > 18:
        found = SEVEN.findall(piece)
        if len(found) * 11 != len(digits):
            found = [word for word in piece.split() if 10 <= sum(map(str.isdigit, word)) <= 16]
        for one in found[:10]:
            yield from _part(one, flags)
    elif 12 <= len(digits) <= 15 and not piece.startswith("+") and (inner := _WITHIN.search(piece)) is not None:
        yield Part(re.sub(r"\D", "", inner[0]), inner[0].startswith("+"), extension, siblings, (*flags, "fixed"))
    elif digits:
        yield Part(digits, piece.startswith("+"), extension, siblings, flags)
