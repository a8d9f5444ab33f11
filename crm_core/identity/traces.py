"""Whether a text names somebody who is sought: his number in any spelling, his address in any case, however it was encoded.

Pure. Rather finds too much than too little: a person looks at what was found before anything is done with it.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import phonenumbers

from crm_core.identity.emails import read_emails
from crm_core.identity.fieldtext import INVISIBLE

#: Between the digits of one number people write up to three such marks. Commas and letters part two numbers.
_BETWEEN = r"[\s().\-‐-―−/_]{0,3}"
_SHORTEST = 7  # digits; a shorter number is in half of all texts
_ROUNDS = 2  # an address inside of an address is encoded twice
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}", re.ASCII)
_WORDS = re.compile(r"[\s,;:<>()\[\]\"'|«»{}&?=\\]+")
_ADDRESS_CHARS = 254  # RFC 5321
_NOT_DIGITS = re.compile(r"[^0-9]+")


@dataclass(frozen=True, slots=True)
class Sought:
    """Canonical identifiers of one person, {("phone", "+7…"), ("email", "…"), ("telegram_id", "…")}, ready to look for."""

    keys: frozenset[tuple[str, str]]
    emails: frozenset[str]
    numbers: tuple[tuple[str, re.Pattern[str]], ...]  # the digits that every spelling has, and all spellings

    def __bool__(self) -> bool:
        return bool(self.keys)

    def is_in(self, text: str) -> bool:
        """True if the text names the person in clear, or under any of the usual encodings of texts."""
        return any(self._is_written_in(reading) for reading in readings(text))

    def _is_written_in(self, text: str) -> bool:
        if self.numbers:
            digits = _NOT_DIGITS.sub("", text)
            if any(number in digits and pattern.search(text) for number, pattern in self.numbers):
                return True
        if not self.emails or "@" not in text:
            return False
        return any(key.value in self.emails for word in _addresses(text) for key in read_emails(word) if not key.is_guess)


def sought(identifiers: Iterable[tuple[str, str]]) -> Sought:
    """Of (kind, canonical value). A number too short to mean anybody in a text is still compared as a key."""
    keys = frozenset(identifiers)
    numbers = [_number(value) for kind, value in sorted(keys) if kind == "phone"]
    return Sought(
        keys, frozenset(value for kind, value in keys if kind == "email"), tuple(one for one in numbers if one is not None)
    )


def readings(text: str) -> Iterator[str]:
    """The text, and what it becomes when its escapes, entities, percent signs or base64 are undone."""
    plain = _plain(text)
    yield plain
    for _ in range(_ROUNDS):
        undone = plain
        if "%" in undone:
            undone = unquote(undone)
        if "\\" in undone:
            undone = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), undone)
        if "&" in undone:
            undone = html.unescape(undone)
        if undone == plain:
            break
        plain = _plain(undone)
        yield plain
    yield from _unpacked(text)


def _addresses(text: str) -> Iterator[str]:
    """Words around an @, cut where they are too long to be an address: a megabyte without a blank must not cost a minute."""
    for word in _WORDS.split(text):
        at = word.find("@")
        if at >= 0 and len(word) <= 2 * _ADDRESS_CHARS:
            yield word
            continue
        while at >= 0:
            yield word[max(0, at - _ADDRESS_CHARS) : at + _ADDRESS_CHARS]
            at = word.find("@", at + 1)


def _unpacked(text: str) -> Iterator[str]:
    """Texts that stand in base64 inside of the text."""
    for match in _BASE64.finditer(text):
        packed = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        if len(packed) % 4 == 1:
            continue
        try:
            yield _plain(base64.b64decode(packed + "=" * (-len(packed) % 4)).decode())
        except (binascii.Error, UnicodeDecodeError):
            continue  # a word, an id, a picture: no text


def _plain(text: str) -> str:
    """ASCII digits, usual spaces, nothing invisible."""
    if text.isascii():
        return text
    normal = INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in normal)


def _number(e164: str) -> tuple[str, re.Pattern[str]] | None:
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        digits = _NOT_DIGITS.sub("", e164)
    else:
        digits = phonenumbers.national_significant_number(parsed)
    if len(digits) < _SHORTEST:
        return None
    # Before it a country's code or a prefix may stand, not half of another number; behind it no digit.
    return digits, re.compile(r"(?<![0-9]{6})" + _BETWEEN.join(digits) + r"(?![0-9])")
