"""Values that a program escaped once too often, or read in a wrong character set and sent on. Mended only where it is certain."""

from __future__ import annotations

import html
import re
from typing import Any, Final
from urllib.parse import unquote_plus

from connectors.kit.decoding.charset import clean

_ENTITY: Final = re.compile(r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z][a-zA-Z0-9]{1,9});")
_ESCAPED: Final = re.compile(r"(?:[\w.~+*!'(),:;@/-]|%[0-9A-Fa-f]{2})++")
_HIGH: Final = re.compile(r"%(?:[CcDd][0-9A-Fa-f]%[89ABab]|[Ee][0-9A-Fa-f]%[89ABab])")
_UNICODE: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_WRITTEN: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4}){2}")
_LEADS: Final = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u2122]")
_CYRILLIC_LEADS: Final = re.compile("[РС][^а-яА-ЯёЁ\\s\\d.,!?;:)]")
_FEWEST: Final = 3  # sequences: so many pairs of Cyrillic letters are no chance ("Її" is one)

#: Each character by the byte that it was made of; what cp1252 has at 80 to 9F is a control where a program took Latin-1.
_CP1252: Final = {chr(code): code for code in range(256)} | {
    bytes([code]).decode("cp1252", "ignore") or chr(code): code for code in range(256)
}
_CP1251: Final = {bytes([code]).decode("cp1251", "ignore") or chr(code): code for code in range(256)}


def repaired(data: dict[str, Any]) -> dict[str, Any]:
    """The same fields with names and texts as they were meant; the very same where nothing is damaged, found out quickly."""
    texts: list[str] = []
    _gather(data, texts)
    if not _is_suspect("\t".join(texts)):
        return data
    made: dict[str, Any] = _repaired(data)
    return made


def _gather(level: dict[str, Any] | list[Any], texts: list[str]) -> None:
    """Every name and text of the tree. One look over all of them joined is far cheaper than one at each."""
    if isinstance(level, dict):
        texts.extend(level)
        values: Any = level.values()
    else:
        values = level
    for value in values:
        kind = type(value)
        if kind is str:
            texts.append(value)
        elif kind is dict or isinstance(value, list):
            _gather(value, texts)


def _is_suspect(text: str) -> bool:
    """False for nearly everything: no part of this text can need mending."""
    if "%" in text or ("&" in text and ";" in text) or "\\u" in text:
        return True
    if text.isascii():
        return False
    if "Ð" in text or "Ñ" in text or "Ã" in text or "Â" in text or "Ä" in text or "Å" in text or "â" in text:
        return True  # Latin, Cyrillic and punctuation begin so; rarer scripts are not mended
    return text.count("Р") + text.count("С") >= _FEWEST and _CYRILLIC_LEADS.search(text) is not None


def _repaired(value: Any) -> Any:
    """The same tree with names and texts as they were meant, level by level the same where nothing changes."""
    if type(value) is str:
        return repaired_text(value)
    if type(value) is dict:  # a file is of a kind of its own
        for name, below in value.items():
            if repaired_text(name) is not name or _repaired(below) is not below:
                break
        else:
            return value
        made = {repaired_text(name): _repaired(below) for name, below in value.items()}
        return made if len(made) == len(value) else {name: _repaired(below) for name, below in value.items()}
    if isinstance(value, list):
        items = [_repaired(below) for below in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else type(value)(items)
    return value


def repaired_text(text: str) -> str:
    """One text. "&amp;", %D0%98 and \\u0418 as the signs that they stand for; "Ð˜Ð²Ð°Ð½" and "РРІР°РЅ" as Иван."""
    if text.isascii() and "%" not in text and "&" not in text and "\\" not in text:
        return text
    if text[:1] in ("{", "[") and text[-1:] in ("}", "]"):
        return text  # JSON within: its own texts are mended when it is opened
    made = text
    if "&" in made and ";" in made:
        made = _ENTITY.sub(lambda match: html.unescape(match[0]), made)
    if "%" in made and "://" not in made and _HIGH.search(made) and _ESCAPED.fullmatch(made):
        made = _unless_broken(unquote_plus(made), made)
    elif made[:3].upper() == "%2B" and made[3:].isdigit():
        made = "+" + made[3:]
    if "\\u" in made and _WRITTEN.search(made):
        made = _UNICODE.sub(lambda match: match[0].encode().decode("unicode_escape"), made)
        made = made.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not made.isascii():
        if _LEADS.search(made):
            made = _read_again(made, _CP1252, 1)
        if _CYRILLIC_LEADS.search(made):
            made = _read_again(made, _CP1251, _FEWEST)
    return text if made == text else clean(made)


def _unless_broken(made: str, text: str) -> str:
    return text if "\ufffd" in made else made


def _read_again(text: str, table: dict[str, int], fewest: int) -> str:
    """Text whose UTF-8 was read as one byte a character; as it is where it was not, or not all of it."""
    for attempt in (text, text.replace("Ð ", "Ð\xa0").replace("Р ", "Р\xa0").replace("Ã ", "Ã\xa0")):
        try:
            made = bytes(table[char] for char in attempt).decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            continue
        high = [char for char in made if char > "\x7f"]
        if len(high) >= fewest and all(char >= "\xa0" for char in high):
            return made
    return text
