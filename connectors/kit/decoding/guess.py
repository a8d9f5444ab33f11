"""Which character set 8-bit text was written in, when nobody said so truthfully. Decided over a whole body, never by field.

Firefox's guesser (chardetng) without a hint is right most often, but it knows no Mac Cyrillic, and of one short name it can
only guess. So what a hint's own language would make of the bytes is tried too, and taken where it reads without a flaw. A hint
given to the guesser itself does harm: with "ru" it reads half of Europe's names as Cyrillic (measured, see the tests).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from chardetng_py import EncodingDetector

from connectors.kit.decoding import cyrillic
from connectors.kit.decoding.languages import CALLED, DOMAINS, LANGUAGES, OF_REGION, Language

SAMPLE_BYTES: Final = 8_192  # of 8-bit text; the guesser is surer with more, and no form needs more
_FEW: Final = 8  # bytes beyond ASCII: with fewer the guesser is wrong as often as not, and a hint that fits goes first
_WORDLIKE: Final = 0.5  # of `cyrillic.score_of`: the rarest names reach it, other alphabets read as Cyrillic mostly do not
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_WORD: Final = re.compile(r"[^\s\x00-\x26\x28-\x40\x5b-\x60\x7b-\x7f]+")
_CODECS: Final = {
    "GBK": "gb18030",
    "Shift_JIS": "cp932",
    "EUC-KR": "cp949",
    "EUC-JP": "euc_jp",
    "windows-874": "cp874",
    "ISO-8859-8-I": "iso8859-8",
}
_SIGNS: Final = frozenset("«»“”„‘’‚‹›–—…№·€£™¿¡ºª\xa0½¼¾²³×،؟؛")  # may stand at a word's edge
_EDGES: Final = "".join(sorted(_SIGNS)) + "'"
_OPENING, _CLOSING = frozenset("„“”‘’‚‹•†‡€…"), frozenset("“”’‘›»…")
_IN_WORDS: Final = frozenset("’ʼ·–—\xad")
EAST: Final = ("gb18030", "big5", "cp932", "euc_jp", "cp949")


def hints(page_host: str, accept_language: str, region: str) -> tuple[str, ...]:
    """Languages of `LANGUAGES` that are likely, the likeliest first: the browser's, the page's, the source's."""
    said = [part.partition(";")[0].strip().casefold() for part in accept_language[:200].split(",")]
    found: list[str] = []
    for name in said:
        found += [CALLED.get(name) or (name if name in LANGUAGES else CALLED.get(name[:2], name[:2]))]
    domain = page_host.rpartition(".")[2].upper()
    for code in (domain, region):
        found += OF_REGION.get(code, "").split()
    return tuple(dict.fromkeys(name for name in found if name in LANGUAGES))


def likely(raw: bytes, languages: Iterable[str] = ()) -> str:
    """Python's name of the set that these bytes, which are no UTF-8, were most likely written in. Never raises."""
    raw = raw[:SAMPLE_BYTES]
    guessed = _guess(raw)
    text = _read(raw, guessed)
    is_good = text is not None and not flaws(text)
    is_short = sum(map(len, _HIGH.findall(raw))) < _FEW
    for name in languages:
        language = LANGUAGES[name]
        if guessed in language.charsets and is_good and _fits(text or "", language):
            break  # a hint and the guesser agree
        native = _native(raw, name, language)
        own = (_read(raw, native) if native else None) or ""
        if own and (not is_good or _script(text or "") == _script(own) or (is_short and _is_word(own))):
            guessed, text, is_good = native, own, True
            break
    if guessed in cyrillic.SETS or not is_good:
        best, score = cyrillic.best(raw)
        known = cyrillic.score_of(text) if text and guessed in cyrillic.SETS else 0.0
        if score > known + 0.25 and score > 0 and (best == "mac_cyrillic" or not is_good):
            return best
    if guessed == "koi8-u" and text == _read(raw, "koi8-r"):
        return "koi8-r"  # the guesser has but the larger one; where they agree it is called by the usual name
    return guessed


def _is_word(text: str) -> bool:
    """False for Cyrillic letters that Russian would hardly put together: then the guesser's other alphabet is likelier."""
    return _script(text) != "cyrillic" or cyrillic.score_of(text) >= _WORDLIKE


def flaws(text: str) -> int:
    """Signs that a text was read in a wrong set: mixed alphabets, capitals and signs inside words, controls."""
    found: list[str] = _WORD.findall(text[:SAMPLE_BYTES])
    words = [word for word in found if not word.isascii()]
    count = sum(map(_flaws_of, words))
    # "‘колько": a mark that opens, small letters, and nothing that closes is a capital of another set.
    opened = sum(word[0] in _OPENING and word[1:2].islower() for word in words)
    closed = sum(word[-1] in _CLOSING for word in words)
    return count + max(0, opened - closed)


def _flaws_of(word: str) -> int:
    count = 0
    inner = word.strip(_EDGES)
    scripts: set[str] = set()
    accented = letters = odd = 0
    previous = ""
    for char in inner:
        if char.isalpha():
            letters += 1
            script = _script_of(char)
            scripts.add(script)
            accented += script == "latin" and char > "\x7f"
            if previous.islower() and char.isupper() and (char > "\x7f" or previous > "\x7f"):
                count += 1
        elif char > "\x7f" and char not in _IN_WORDS and unicodedata.category(char) not in ("Mn", "Mc", "Nd"):
            odd += 1
        previous = char
    if any("\x7f" < char < "\xa0" or char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in word):
        count += 1
    count += odd if letters else 0  # 20° is a number with its sign
    if len(scripts - {"east"}) > 1:
        count += 1
    if letters >= 3 and 3 * accented > 2 * letters:  # "Ïðèâåò": no Western word is made of accents
        count += 1
    return count


def _script_of(char: str) -> str:
    code = ord(char)
    if code < 0x250 or 0x1E00 <= code < 0x1F00:
        return "latin"
    if 0x2E80 <= code < 0xA000 or 0xAC00 <= code < 0xD7B0 or 0xF900 <= code < 0xFB00 or 0xFF00 <= code < 0xFFF0:
        return "east"
    return str(code >> 8) if code >= 0x590 else "greek" if code < 0x400 else "cyrillic" if code < 0x530 else "armenian"


def _script(text: str) -> str:
    """Of the first letter beyond ASCII."""
    return next((_script_of(char) for char in text if char > "\x7f" and char.isalpha()), "")


def _guess(raw: bytes, language: str = "") -> str:
    detector = EncodingDetector()
    detector.feed(raw, last=True)
    domain = DOMAINS.get(language, language)
    name: str = detector.guess(tld=domain.encode() if domain else None, allow_utf8=False)
    return _CODECS.get(name, name.casefold().replace("windows-", "cp").replace("iso-8859", "iso8859").replace("ibm", "cp"))


def _native(raw: bytes, name: str, language: Language) -> str:
    """The set of a language in which these bytes read as that language; "" for none."""
    if not language.letters:
        guessed = _guess(raw, name)
        text = _read(raw, guessed) if guessed in language.charsets else None
        return guessed if text is not None and not flaws(text) else ""
    fit = [
        charset
        for charset in language.charsets
        if (text := _read(raw, charset)) is not None and _fits(text, language) and not flaws(text)
    ]
    if name in ("ru", "uk", "be", "bg", "kk") and len(fit) > 1:
        return max(fit, key=lambda charset: cyrillic.score_of(_read(raw, charset) or ""))
    return fit[0] if fit else ""


def _fits(text: str, language: Language) -> bool:
    """True if every letter beyond ASCII is one of the language's."""
    if not language.letters:
        return not flaws(text)
    beyond = [char for char in text.casefold() if char > "\x7f" and char not in _SIGNS]
    return bool(beyond) and all(char in language.letters for char in beyond)


def _read(raw: bytes, charset: str) -> str | None:
    try:
        return unicodedata.normalize("NFC", raw.decode(charset))
    except (UnicodeDecodeError, LookupError):
        if len(raw) < SAMPLE_BYTES or charset not in EAST:
            return None
    try:
        return raw[:-1].decode(charset)  # the sample may end inside a character
    except UnicodeDecodeError:
        return None
