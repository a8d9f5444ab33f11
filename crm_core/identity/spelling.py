"""One Latin skeleton for a word in either script, so that Щербаков, Shcherbakov and Scherbakov compare equal.

It is a key to match on and nothing to show: it loses letters on purpose.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "i",
        "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
        "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu",
        "я": "ia",
        "і": "i", "ї": "i", "є": "e", "ґ": "g", "ў": "u",  # Ukrainian, Belarusian
        "ә": "a", "ғ": "g", "қ": "k", "ң": "n", "ө": "o", "ұ": "u", "ү": "u", "һ": "kh", "ҳ": "kh", "ҷ": "j",  # Turkic, Tajik
        "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
    }
)  # fmt: skip

# Longest first: a surname of nine letters such as Shchukin must not lose its `shch` to `sh`.
_SOUNDS = {
    "shch": "S", "sch": "S", "sh": "S", "dzh": "Z", "zh": "Z", "dj": "Z", "kh": "h", "ch": "C", "ph": "f", "ck": "k",
    "tz": "ts", "jd": "Zd", "x": "ks", "w": "v", "q": "k", "c": "k", "y": "i", "j": "i",
}  # fmt: skip
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))
_VOWELS = (("io", "e"), ("ie", "e"), ("iu", "u"))  # Pyotr, Vasilyev, Ludmila
_DOUBLE = re.compile(r"(.)\1+")


def latin(word: str) -> str:
    """The word in small Latin letters, each letter for itself and without its accents, so that a beginning stays one: ё is
    е, Ершов is "ershov", Łódź is "lodz". Letters of other alphabets and digits stay."""
    word = word.casefold().translate(_LETTERS)
    if word.isascii():
        return word
    word = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", word).translate(_LETTERS)).casefold().translate(_LETTERS)
    return "".join(c for c in word if c.isalnum())


@lru_cache(maxsize=8192)  # first names and common surnames fill most of real traffic; about 1.5 MB when full
def fold(word: str) -> str:
    """Skeleton of one word, `""` if it holds no letter of a known alphabet. Case, accents and signs do not count."""
    word = word.casefold().translate(_LETTERS)
    if not (word.isascii() and word.isalpha()):
        word = unicodedata.normalize("NFC", word).translate(_LETTERS)
        word = unicodedata.normalize("NFKD", word).casefold().translate(_LETTERS)
        word = "".join(c for c in word if c.isalpha() and not unicodedata.combining(c))
    word = _single(_SOUND.sub(lambda m: _SOUNDS[m[0]], word))
    if word.endswith("ander"):
        word = word[:-2] + "r"  # Alexander
    for written, heard in _VOWELS:
        word = word.replace(written, heard)
    return _single(word)


def _single(word: str) -> str:
    # Most words have no double letter, and a search costs a third of a substitution.
    return _DOUBLE.sub(r"\1", word) if _DOUBLE.search(word) else word
