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
# Pyotr, Vasilyev, Ludmila. At the start of a word ю stays: Юля and Уля are two people.
_VOWELS = (("io", "e"), ("ie", "e"), ("iu", "u"))
_DOUBLE = re.compile(r"(.)\1+")

# Letters that look alike in the two scripts, in the shapes that fonts and handwriting give them.
_CYRILLIC_LOOK = str.maketrans("ABCEHKMOPTXYaceopxykmt", "АВСЕНКМОРТХУасеорхукмт")
_CYRILLIC_IN_HASTE = str.maketrans("ABCEHKMOPTXYaceopxykmthniur", "АВСЕНКМОРТХУасеорхукмтнпіиг")
_LATIN_LOOK = str.maketrans("АВСЕНКМОРТХУІЅЈасеорхукмтіѕј", "ABCEHKMOPTXYISJaceopxykmtisj")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")

# What a Latin letter may stand for besides what `fold` hears: c is ц (Kuznecov), in passports tc, in Poland cz; j before a vowel is
# ж (Jukov); x is х (Xasan); h is Ukraine's г (Ihor). Older and German spellings: Tschaikowsky, Smirnoff.
_OTHER_SOUNDS = (
    (re.compile(r"tsch", re.IGNORECASE), "ch"),
    (re.compile(r"(?<=[oe])ff(?=a?\b)", re.IGNORECASE), "v"),
    (re.compile(r"tc(?!h)|cz|c(?![hk])", re.IGNORECASE), "ts"),
    (re.compile(r"j(?=[aeiouy])", re.IGNORECASE), "zh"),
    (re.compile(r"(?<![sckzpt])h", re.IGNORECASE), "g"),
    (re.compile(r"x", re.IGNORECASE), "kh"),
)
_MOST_READINGS = 4


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
    start = "i" if word.startswith("iu") else ""
    for written, heard in _VOWELS:
        word = word.replace(written, heard)
    return _single(start + word)


def one_script(text: str) -> str:
    """Words that mix Latin and Cyrillic letters (Cергей with a Latin C) in the one script that the look-alikes allow; where none
    does, the word stays."""
    if text.isascii() or _LATIN.search(text) is None or _CYRILLIC.search(text) is None:
        return text
    text = _WORD.sub(lambda m: _of_one_script(m[0]), text)
    # Соколова B. Л.: one letter is of the script of the words beside it.
    if all(len(word) == 1 for word in re.findall(r"[A-Za-z]+", text)) and re.search(r"[\u0400-\u04ff]{2}", text):
        text = re.sub(r"[A-Za-z]", lambda m: m[0].translate(_CYRILLIC_LOOK), text)
    return text


def _of_one_script(word: str) -> str:
    if _LATIN.search(word) is None or _CYRILLIC.search(word) is None:
        return word
    for looks, left in ((_CYRILLIC_LOOK, _LATIN), (_LATIN_LOOK, _CYRILLIC), (_CYRILLIC_IN_HASTE, _LATIN)):
        if left.search(other := word.translate(looks)) is None:
            return other
    return word


def readings(text: str) -> tuple[str, ...]:
    """The text, and what else its Latin words may spell in Russian, each word for itself: Jakov Kuznecov has a й and a ц. At most
    four, the text itself first."""
    found = [text]
    for word in dict.fromkeys(re.findall(r"[A-Za-z]*(?:[CcHhJjXx]|[Ff]{2})[A-Za-z]*", text)):
        other = word
        for pattern, sound in _OTHER_SOUNDS:
            other = pattern.sub(sound, other)
        if other != word:
            found += [one.replace(word, other) for one in found]
    return tuple(dict.fromkeys(found))[:_MOST_READINGS]


def _single(word: str) -> str:
    # Most words have no double letter, and a search costs a third of a substitution.
    return _DOUBLE.sub(r"\1", word) if _DOUBLE.search(word) else word


def one_slip(a: str, b: str) -> bool:
    """Whether one letter more, less or other, or two neighbours exchanged, makes one of the other (optimal string alignment of 1)."""
    short, long = sorted((a, b), key=len)
    if a == b or len(long) - len(short) > 1:
        return False
    if len(a) == len(b):
        wrong = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        return len(wrong) == 1 or (
            len(wrong) == 2 and wrong[1] == wrong[0] + 1 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]
        )
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
