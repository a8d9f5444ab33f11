"""What a text is found by: words in one script, letter by letter and as a skeleton, and every end of a number or an address.

Pure. All three kinds are lexemes of one `tsvector`, looked up by their beginnings: a word as it is, a phone's digits from
any place on behind `#`, an address's letters from any place on behind `@`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crm_core.identity.spelling import fold, latin

#: Fewer digits of a phone would find half the base, and letters of an address as many.
SHORTEST_NUMBER = 4
SHORTEST_PART = 3

_LONGEST_WORD = 60  # characters; what is longer is no word of a language, and its beginning finds it
_MOST_TEXT = 20_000  # characters of one document
_MOST_LEXEMES = 3_000
_LONGEST_ADDRESS = 64  # characters of a local part (RFC 5321 §4.5.3.1.1)
_DIGITS = (7, 15)  # of a number in prose that may be a phone (E.164 has 15 at most)

_CJK = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]")
_WORD = re.compile(r"[^\W_]+")
_NUMBER_IN_PROSE = re.compile(r"\+?\d[\d ().\-\u00a0\u2011\u202f]{5,25}\d")


def split(text: str) -> Iterator[str]:
    """Words as they stand. A character of a script without spaces is a word of its own."""
    for match in _WORD.finditer(text[:_MOST_TEXT]):
        word = match[0][:_LONGEST_WORD]
        if _CJK.search(word):
            yield from word
        else:
            yield word


def spellings(word: str) -> tuple[str, ...]:
    """Under what a word is kept and looked for: its letters in Latin, and the skeleton that other romanisations share."""
    letters = latin(word)
    skeleton = fold(word) if letters.isalpha() else ""
    # Names tell Юля from Уля; who looks for somebody need not.
    plain = skeleton[1:] if skeleton.startswith("iu") else ""
    return tuple(dict.fromkeys(one for one in (letters, skeleton, plain) if one))


def of_text(text: str) -> Iterator[str]:
    """Lexemes of prose; what may be a phone in it counts as one."""
    for word in split(text):
        yield from spellings(word)
    for match in _NUMBER_IN_PROSE.finditer(text[:_MOST_TEXT]):
        digits = digits_of(match[0])
        if _DIGITS[0] <= len(digits) <= _DIGITS[1]:
            yield from of_phone(digits)


def of_phone(number: str) -> Iterator[str]:
    """Every end of the number that has enough digits: whatever part somebody remembers is the beginning of one."""
    digits = digits_of(number)[:20]
    for start in range(max(1, len(digits) - SHORTEST_NUMBER + 1)):
        yield f"#{digits[start:]}"


def of_address(address: str) -> Iterator[str]:
    """Words of an e-mail address, and every end of its parts."""
    yield from of_text(address)
    for part in re.split(r"[^0-9a-z]+", latin_address(address)):
        for start in range(len(part) - SHORTEST_PART + 1):
            yield f"@{part[start:]}"


def latin_address(address: str) -> str:
    return "".join(latin(c) or c for c in address[: 2 * _LONGEST_ADDRESS].casefold())


def digits_of(text: str) -> str:
    """Decimal digits of any script, as ASCII."""
    return "".join(str(int(c)) for c in text if c.isdecimal())


def of_values(values: Any) -> Iterator[str]:
    """Lexemes of everything said in nested fields; their names say nothing about a person."""
    if isinstance(values, str):
        yield from of_text(values)
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from of_values(value)
    elif isinstance(values, list):
        for value in values:
            yield from of_values(value)
    elif isinstance(values, int | float) and not isinstance(values, bool):
        yield from of_text(str(values))


def lexemes(*parts: Iterable[str]) -> list[str]:
    """The first of all of them, each once: what stands first matters most."""
    found: dict[str, None] = {}
    for part in parts:
        for lexeme in part:
            found[lexeme] = None
            if len(found) >= _MOST_LEXEMES:
                return list(found)
    return list(found)
