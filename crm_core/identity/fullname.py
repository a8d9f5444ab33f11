"""What the words of a written name are: first name, patronymic, surname, initials, or unknown. Any order, either script."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from crm_core.identity.firstnames import Gender, full_names, gender_of
from crm_core.identity.namequality import clean_name, is_company
from crm_core.identity.spelling import fold

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`-][^\W\d_]+)*", re.UNICODE)

# Suffixes of folded words: C is ч, S is ш. A patronymic is told by its end, in both scripts.
_PATRONYMIC_M = ("ovich", "evich", "oviC", "eviC", "iliC", "kuzmiC", "lukiC", "fomiC", "nikitiC", "savviC")
_PATRONYMIC_F = ("ovna", "evna", "iniCna", "iliniCna", "kuzminiCna")
_TURKIC = {"ogli": "m", "oglu": "m", "ugli": "m", "uli": "m", "kizi": "f", "kiz": "f"}

_SURNAME_M = ("ov", "ev", "in", "skoi", "ski", "tski", "ih")
_SURNAME_F = ("ova", "eva", "ina", "skaia", "tskaia")
_SURNAME_ANY = ("enko", "Cuk", "uk", "dze", "Svili", "ian", "ih", "iants")


@dataclass(frozen=True, slots=True)
class Name:
    words: frozenset[str] = frozenset()  # all whole words, folded
    firsts: tuple[str, ...] = ()  # full first names that the first name may mean, folded
    first_forms: tuple[str, ...] = ()  # the first name as it was written, folded
    patronymic: str = ""  # its male stem: ivanov for Иванович and Ивановна
    last: str = ""  # stem of the surname without the ending of gender
    others: tuple[str, ...] = ()  # words of unknown role
    initials: frozenset[str] = frozenset()
    gender: Gender = ""

    @property
    def others_set(self) -> frozenset[str]:
        return frozenset(self.others)


@lru_cache(maxsize=4096)
def parse_name(text: str) -> Name:
    """Roles of the words; an empty Name for everything that is no person's name."""
    cleaned = clean_name(text)
    if not cleaned or is_company(cleaned):
        return Name()
    found = [(word, fold(word)) for word in _WORD.findall(cleaned)]
    initials = frozenset(key[0] for word, key in found if len(word) == 1 and key)
    words = [key for word, key in found if len(word) > 1 and key][:6]
    patronymic, gender = _take_patronymic(words)
    left = list(words)
    if patronymic:
        left.remove(patronymic)
    left = [word for word in left if word not in _TURKIC]
    first = _pick_first(left)
    if first:
        left.remove(first)
    firsts = full_names(first)
    gender = gender or gender_of(firsts)
    last, surname_gender = _take_surname(left)
    if last:
        left.remove(last)
    if len(left) == 1 and not last and first:
        last, left = left[0], []
    if len(left) == 1 and not first and last:
        first, firsts, left = left[0], (left[0],), []
    return Name(
        frozenset(words), firsts, (first,) if first else (), _patronymic_stem(patronymic), _stem(last), tuple(left),
        initials, gender or surname_gender,
    )  # fmt: skip


def _take_patronymic(words: list[str]) -> tuple[str, Gender]:
    if len(words) < 2:
        return "", ""
    for position in range(len(words) - 1, 0, -1):
        word = words[position]
        if word in _TURKIC:
            return words[position - 1] if position > 1 else "", "m" if _TURKIC[word] == "m" else "f"
        if word.endswith(_PATRONYMIC_M):
            return word, "m"
        if word.endswith(_PATRONYMIC_F):
            return word, "f"
    return "", ""


def _patronymic_stem(word: str) -> str:
    for ending in ("iniCna", "iC", "na"):
        if word.endswith(ending):
            return word[: -len(ending)]
    return word


def _pick_first(words: list[str]) -> str:
    known = [word for word in words if full_names(word)]
    if len(known) > 1:  # Максим Роман, Роман Лука: a surname is usually written first or looks like one
        known = [word for word in known if not word.endswith(_SURNAME_M + _SURNAME_F)] or known
    return known[0] if known else ""


def _take_surname(words: list[str]) -> tuple[str, Gender]:
    for word in words:
        if len(word) > 4 and word.endswith(_SURNAME_F):
            return word, "f"
        if len(word) > 3 and word.endswith(_SURNAME_M):
            return word, "m"
        if len(word) > 4 and word.endswith(_SURNAME_ANY):
            return word, ""
    return "", ""


def _stem(last: str) -> str:
    for ending, male in (("skaia", "ski"), ("tskaia", "tski"), ("ova", "ov"), ("eva", "ev"), ("ina", "in")):
        if last.endswith(ending) and len(last) > len(ending) + 1:
            return last[: -len(ending)] + male
    return last
