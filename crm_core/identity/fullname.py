"""What the words of a written name are: first name, patronymic, surname, initials, or unknown. Any order, either script."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from crm_core.identity.firstnames import Gender, full_names, gender_of, is_name_stem
from crm_core.identity.namequality import clean_name, is_company
from crm_core.identity.spelling import fold

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`-][^\W\d_]+)*", re.UNICODE)

# Suffixes of folded words, where C is ч and S is ш. In two scripts and with every ending that speech makes of them.
_PATRONYMIC_F = ("ovna", "evna", "iniCna", "iCna")
_PATRONYMIC_M = ("ovic", "evic", "oviC", "eviC", "aniC", "iC")
_TURKIC: dict[str, Gender] = {"ogli": "m", "oglu": "m", "ugli": "m", "uli": "m", "kizi": "f", "kiz": "f"}

_SURNAME_M = ("ov", "ev", "skoi", "ski")
_SURNAME_F = ("ova", "eva", "skaia")
_SURNAME_IN = ("in", "ina")  # also the end of many first names: only beside another word
_SURNAME_ANY = ("enko", "Cuk", "dze", "Svili", "ian", "iants", "ih")

_SOLE_TRADER = re.compile(r"^(?:ип|чп|самозанят\w+)\s+", re.IGNORECASE)  # such a business is its owner

#: Words that stand beside a name and are none.
_TITLES = frozenset(
    fold(word)
    for word in """
    менеджер manager директор director бухгалтер секретарь клиент покупатель заказчик господин госпожа гражданин мистер
    доктор mr mrs ms dr тел телефон whatsapp вотсап ватсап viber вайбер telegram авито avito жена муж мама папа
    """.split()  # noqa: SIM905 (words read best as words)
)


@dataclass(frozen=True, slots=True)
class Name:
    words: frozenset[str] = frozenset()  # all whole words, folded
    firsts: tuple[str, ...] = ()  # full first names that the first name may mean, folded
    first_forms: tuple[str, ...] = ()  # the first name as it was written, folded
    patronymic: str = ""  # the father's name without its ending: ivan for Иванович and Ивановна
    last: str = ""  # stem of the surname without the ending of gender
    others: tuple[str, ...] = ()  # words of unknown role
    initials: frozenset[str] = frozenset()
    gender: Gender = ""
    last_by_suffix: bool = False  # False: a surname only by its place, it may be a town or an advert as well

    @property
    def first_is_known(self) -> bool:
        """True if the table has the first name, False if it is one only by its place."""
        return bool(self.first_forms) and bool(full_names(self.first_forms[0]))

    @property
    def forms(self) -> frozenset[str]:
        return frozenset(self.firsts) | frozenset(self.first_forms)

    @property
    def others_set(self) -> frozenset[str]:
        return frozenset(self.others)


@lru_cache(maxsize=4096)
def parse_name(text: str) -> Name:
    """Roles of the words; an empty Name for everything that is no person's name."""
    cleaned = _SOLE_TRADER.sub("", clean_name(text))
    if not cleaned or is_company(cleaned):
        return Name()
    found = [(word, fold(word)) for word in _WORD.findall(cleaned)]
    initials = frozenset(key[0] for word, key in found if len(word) == 1 and key)
    words = [key for word, key in found if len(word) > 1 and key and key not in _TITLES][:6]
    patronymic, gender = _take_patronymic(words)
    left = [word for word in words if word not in _TURKIC]
    before = ""  # the word that a patronymic follows is a first name, known to the table or not
    if patronymic:
        before = left[left.index(patronymic) - 1] if left.index(patronymic) else ""
        left.remove(patronymic)
    first = _pick_first(left) or before
    if first:
        left.remove(first)
    firsts = full_names(first) or ((first,) if first else ())
    gender = gender or gender_of(firsts)
    last, surname_gender = _take_surname(left, alone=len(words) == 1)
    by_suffix = bool(last)
    if last:
        left.remove(last)
    if len(left) == 1 and not last and first:
        last, left = left[0], []
    if len(left) == 1 and not first and last:
        first, firsts, left = left[0], (left[0],), []
    return Name(
        frozenset(words), firsts, (first,) if first else (), _patronymic_stem(patronymic), _stem(last), tuple(left),
        initials, gender or surname_gender, by_suffix,
    )  # fmt: skip


def _take_patronymic(words: list[str]) -> tuple[str, Gender]:
    # Роман Аркадьевич Абрамович: of two such words the one behind a known first name.
    places = sorted(range(1, len(words)), key=lambda i: (not full_names(words[i - 1]), -i))
    for position in places:
        word = words[position]
        if word in _TURKIC:
            father = words[position - 1] if position > 1 else ""
            return ("" if father in _TURKIC else father), _TURKIC[word]
        if word.endswith(_PATRONYMIC_F):
            return word, "f"
        # Роман Абрамович is a surname, Роман Маркович is not: of two words the stem must be a known first name.
        if word.endswith(_PATRONYMIC_M) and (len(words) > 2 or is_name_stem(_patronymic_stem(word))):
            return word, "m"
    return "", ""


def _patronymic_stem(word: str) -> str:
    for ending in ("iniCna", "iCna", "ovna", "evna", "oviC", "eviC", "ovic", "evic", "iC"):
        if word.endswith(ending):
            return word[: -len(ending)]
    return word


def _pick_first(words: list[str]) -> str:
    known = [word for word in words if full_names(word)]
    if len(known) > 1:  # Максим Роман, Роман Лука: a surname is usually written first or looks like one
        known = [word for word in known if not word.endswith(_SURNAME_M + _SURNAME_F)] or known
    return known[0] if known else ""


def _take_surname(words: list[str], *, alone: bool) -> tuple[str, Gender]:
    for word in words:
        if len(word) > 4 and word.endswith(_SURNAME_F):
            return word, "f"
        if len(word) > 3 and word.endswith(_SURNAME_M):
            return word, "m"
        if len(word) > 4 and word.endswith(_SURNAME_ANY):
            return word, ""
    for word in () if alone else words:
        if len(word) > 4 and word.endswith(_SURNAME_IN):
            return word, "f" if word.endswith("ina") else "m"
    return "", ""


def _stem(last: str) -> str:
    for ending, male in (("skaia", "ski"), ("skoi", "ski"), ("ova", "ov"), ("eva", "ev"), ("ina", "in")):
        if last.endswith(ending) and len(last) > len(ending) + 1:
            return last[: -len(ending)] + male
    return last
