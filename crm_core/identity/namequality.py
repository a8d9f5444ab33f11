"""Whether a text is a name at all, and how it is shown. Fixes case only where it carries no information."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from crm_core.identity.namewords import names_nobody

_MOST_CHARS = 120  # longer is a message in the wrong field

_NOISE = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+|\b[\w-]+\.(?:ru|com|org|net|рф|su|by|kz|ua)\b\S*|[+\d][\d\s()+-]{5,}\d",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")

#: What stands in a name field without being a name (whole text, case folded).
_PLACEHOLDERS = frozenset(
    """
    тест test testing тестовый проверка клиент покупатель заказчик гость посетитель пользователь абонент аноним анонимно
    анонимный неизвестный неизвестно нет нету имя фио name user username guest client customer buyer anonymous unknown
    none null undefined nan no na n/a asd asdf qwe qwerty qwer йцу йцукен фыв фыва ывфа фывапролдж abc абв xxx admin
    мама папа муж жена брат сестра сын дочь бабушка дедушка сосед
    админ менеджер manager директор секретарь бухгалтер лид lead заявка звонок contact контакт новый
    """.split()  # noqa: SIM905 (words read best as words)
) | frozenset(
    {
        "no name", "без имени", "имя фамилия", "ваше имя", "your name", "first name", "тест тест", "test test",
        "новый клиент", "новый контакт", "тестовый клиент", "wireless caller", "unknown caller", "out of area",
        "toll free call", "не указано", "не указан", "частное лицо", "физлицо", "физическое лицо", "тестовая заявка",
        "test lead", "test user", "тестовый лид",
    }
)  # fmt: skip

_BUSINESS = frozenset(
    """
    ооо оао зао пао нао ао ип тоо чп гк фгуп муп гуп нпо llc ltd inc gmbh corp co company компания фирма магазин салон
    клиника агентство организация завод школа отель hotel shop store
    """.split()  # noqa: SIM905 (words read best as words)
)

# What most names look like; for them there is nothing to clean.
_ORDINARY = re.compile(r"[A-ZА-ЯЁ][a-zа-яё]+(?:[ -][A-ZА-ЯЁ][a-zа-яё]+){0,3}")


@lru_cache(maxsize=4096)  # asked several times for each inquiry; 1 MB when full of the longest
def clean_name(text: str) -> str:
    """The name as it is shown; "" if there is none in it. A company's name stays, `is_company` tells it apart."""
    text = text[: _MOST_CHARS * 4].strip()
    if not text:
        return ""
    if len(text) <= _MOST_CHARS and _ORDINARY.fullmatch(text):
        return "" if _is_no_name(text) or names_nobody(text.split()) else text
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        text = "".join(c if _is_name_char(c) else " " for c in text)
    elif not text.isalpha():
        text = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    if not text.isalpha():
        text = _NOISE.sub(" ", text)
        text = " ".join(text.split()).strip(' ,;:/\\|_*#=+~<>[]{}?!-—–"')
    text = text[:_MOST_CHARS].rstrip()
    if _is_no_name(text) or names_nobody(_WORD.findall(text)):
        return ""
    if text.isupper() or text.islower():
        return _WORD.sub(lambda m: _cased(m[0], text), text)
    return text


def is_company(text: str) -> bool:
    """True if a legal form or a word for a business stands in it."""
    return not _BUSINESS.isdisjoint(_WORD.findall(text.casefold()))


def before_company(text: str) -> str:
    """What stands before the first word for a business: Сергей Орлов, ООО «Ромашка»."""
    for match in _WORD.finditer(text):
        if match[0].casefold() in _BUSINESS:
            return text[: match.start()].strip(' ,;:("«-–—/|')
    return text


def _is_name_char(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LMN" or char in " .,'’ʼ`-–—\"«»()&/@:+_"


def _is_no_name(text: str) -> bool:
    folded = text.casefold().strip(' .()"«»')
    if folded in _PLACEHOLDERS or folded.rstrip("0123456789 ") in _PLACEHOLDERS:
        return True
    letters = set(folded[:40])
    if len(letters) > 3:
        return False
    kinds = {letter for letter in letters if letter.isalpha()}
    count = sum(map(str.isalpha, folded))
    return count < 2 or (count > 2 and len(kinds) == 1)  # Ж, аааа


def _cased(word: str, whole: str) -> str:
    if is_company(whole) and len(word) <= 4 and whole.isupper():
        return word  # ООО, ЗАО and short brands keep their capitals
    return word.capitalize()
