"""What the words of a written name are: first name, patronymic, surname, initials, or unknown. Any order, either script."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from crm_core.base.frozen import frozen
from crm_core.identity.englishnames import english_names
from crm_core.identity.firstnames import Gender, full_names, gender_of, is_name_stem
from crm_core.identity.namequality import before_company, clean_name, is_company
from crm_core.identity.namewords import is_beside_a_name
from crm_core.identity.spelling import fold, one_script

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ`-][^\W\d_]+)*", re.UNICODE)
_TWO_PEOPLE = re.compile(r"\s(?:[иИ]|and|[&+])\s|[/,;]")
_GLUED = re.compile(r"[^\W\d_]{3,}(?<=[a-zа-яё])(?=[A-ZА-ЯЁ][a-zа-яё]{2})")  # ИванПетров

# Suffixes of folded words, where C is ч and S is ш. In two scripts and with every ending that speech makes of them.
_PATRONYMIC_F = ("ovna", "evna", "ivna", "iniCna", "iCna")
_PATRONYMIC_M = ("ovic", "evic", "oviC", "eviC", "aniC", "iC")
_TURKIC: dict[str, Gender] = {
    "ogli": "m", "oglu": "m", "ugli": "m", "uli": "m", "ulu": "m", "kizi": "f", "kiz": "f",
}  # fmt: skip
# What speech leaves of a father's name: Палыч, Саныч.
_SPOKEN_FATHERS = {"pal": "pavl", "san": "aleksandr", "ksan": "aleksandr", "mihal": "mihail", "mihai": "mihail", "nikal": "nikol"}

_SURNAME_M = ("ov", "ev", "skoi", "ski")
_SURNAME_F = ("ova", "eva", "skaia")
_SURNAME_IN = ("in", "ina")  # also the end of many first names: only beside another word
_SURNAME_ANY = ("enko", "Cuk", "dze", "Svili", "ian", "iants", "ih")

_TITLES: dict[str, Gender] = {
    **dict.fromkeys(map(fold, ("mr", "sir", "мистер", "господин", "гражданин")), "m"),
    **dict.fromkeys(map(fold, ("mrs", "ms", "miss", "мисс", "миссис", "госпожа", "гражданка")), "f"),
}

_SOLE_TRADER = re.compile(r"^(?:ип|чп|самозанят\w+)\s+", re.IGNORECASE)  # such a business is its owner

#: First letters that a folded name may have whose initial is this letter; "ia" and "iu" are я and ю. A Latin letter is
#: read by every romanisation: Y. is Юрий, Яна and Елена, J. is Юрий and Жанна.
_HEADS = {
    **{letter: (fold(letter)[:1],) for letter in "абвжзийклмнопрстфхцчшщыэіїєґў"},
    "д": ("d", "Z"), "е": ("e",), "ё": ("e",), "г": ("g", "h"), "у": ("u", "v"), "ю": ("iu",), "я": ("ia",),
    **{letter: (letter,) for letter in "abdefghiklmnoprstuvz"},
    "c": ("C", "k", "t", "h", "s"), "d": ("d", "Z"), "e": ("e", "iu"), "g": ("g", "h", "Z"), "h": ("h", "g"),
    "i": ("i", "ia", "iu", "e"), "j": ("i", "ia", "iu", "e", "Z"), "k": ("k", "h"), "p": ("p", "f"), "q": ("k",),
    "s": ("s", "S"), "u": ("u", "iu"), "w": ("v",), "x": ("k", "h"), "y": ("i", "ia", "iu", "e"), "z": ("z", "Z"),
}  # fmt: skip
# Two letters for one Russian: Yu. is Ю.
_DIGRAPHS = frozenset("yu ya yo ye iu ia ju ja zh kh ts tc ch sh shch sch ph th".split())  # noqa: SIM905 (read best as words)
#: Words that the fold takes for another: Andrew for Андреев.
_AS_WRITTEN = {"andrew": "andrei"}

Initial = frozenset[str]
_NO_INITIAL: Initial = frozenset()


@frozen
class Name:
    words: frozenset[str] = frozenset()  # all whole words, folded
    firsts: tuple[str, ...] = ()  # full first names that the first name may mean, folded
    first_forms: tuple[str, ...] = ()  # the first name as it was written, folded
    first_is_known: bool = False  # False: a first name only by its place
    english: frozenset[str] = frozenset()  # what an English first name may be short for
    patronymic: str = ""  # the father's name without its ending: ivan for Иванович and Ивановна
    last: str = ""  # stem of the surname without the ending of gender
    lasts: frozenset[str] = frozenset()  # the same, and the halves of a double surname
    others: tuple[str, ...] = ()  # words of unknown role
    first_initial: Initial = _NO_INITIAL  # first letters that the first name may have; empty if no initial says it
    patronymic_initial: Initial = _NO_INITIAL
    last_initial: Initial = _NO_INITIAL
    tail_initial: Initial = _NO_INITIAL  # Анна П.: of the surname or of the patronymic
    loose_initial: Initial = _NO_INITIAL  # Smith J.: of the first name, if the word is a surname
    gender: Gender = ""
    last_by_suffix: bool = False  # False: a surname only by its place
    is_plain: bool = False  # nothing but the words of a name: no title, no trade, no town

    @property
    def forms(self) -> frozenset[str]:
        return frozenset(self.firsts) | frozenset(self.first_forms)

    @property
    def others_set(self) -> frozenset[str]:
        return frozenset(self.others)

    @property
    def last_is_sure(self) -> bool:
        return bool(self.last) and (self.last_by_suffix or (self.is_plain and not self.others))


def head(folded: str) -> str:
    """First letter of a folded word; я and ю are two."""
    return folded[:2] if folded.startswith(("ia", "iu")) else folded[:1]


@lru_cache(maxsize=4096)
def parse_name(text: str) -> Name:
    """Roles of the words; an empty Name for everything that is no one person's name."""
    cleaned = _SOLE_TRADER.sub("", clean_name(one_script(text)))
    if not cleaned.istitle():  # else no small letter stands before a capital
        cleaned = _GLUED.sub(_parted, cleaned)
    if cleaned and is_company(cleaned):
        cleaned = before_company(cleaned)  # Сергей Орлов, ООО «Ромашка»; what stands behind may be the company's name
        if not any(full_names(fold(word)) for word in _WORD.findall(cleaned)):
            return Name()
    if not cleaned or _is_of_two(cleaned):
        return Name()
    kept: list[tuple[str, str]] = []
    initials: list[Initial] = []
    leading = False  # an initial stands before all words
    for match in _WORD.finditer(cleaned):
        word = match[0]
        if len(word) < 5 and (found := _initials(word, cleaned[match.end() : match.end() + 1], cleaned)):
            leading = leading or not (kept or initials)
            initials += found
        elif len(word) > 1 and (key := _AS_WRITTEN.get(word.casefold()) or fold(word)):
            kept.append((word, key))
    halves = {key: tuple(map(fold, re.split(r"[-‑]", word))) for word, key in kept if "-" in word}
    plain = [key for _, key in kept if not is_beside_a_name(key)][:6]
    is_plain = len(plain) == len(kept) and len({word[:1].isupper() for word, _ in kept}) == 1
    patronymic, gender = _take_patronymic(plain)
    gender = gender or next((_TITLES[key] for _, key in kept if key in _TITLES), "")
    left = [word for word in plain if word not in _TURKIC]
    before = ""  # the word that a patronymic follows is a first name, known to the table or not
    if patronymic:
        before = left[left.index(patronymic) - 1] if left.index(patronymic) else ""
        left.remove(patronymic)

    known = {word: names for word in left if (names := _known(word, halves.get(word, ())))}
    lone = len(left) == 1 and bool(initials)
    english: dict[str, frozenset[str]] = {}
    if not lone and len(known) < len(left):
        latin = {key for word, key in kept if key not in known and word.isascii()}
        english = {word: long for word in left if word in latin and (long := english_names(word))}
    if len(left) == 1 and len(initials) > 1 and not patronymic:
        first = ""  # Мартин С. А.: a surname that is a first name as well
    else:
        first = before if before in known else _pick_first(list(known) or list(english)) or before
    by_table = first in known or first in english
    if first:
        left.remove(first)
    firsts = known.get(first) or ((first,) if first else ())
    gender = gender or gender_of(firsts)

    beside = leading or len(initials) > 1
    last, surname_gender = _take_surname(left, alone=len(plain) == 1 and not initials)
    by_suffix = bool(last)
    if not last and len(left) == 1 and (first or (beside and left[0] not in known)):
        last = left[0]  # a lone word beside a first name or beside initials is the surname
    if last:
        left.remove(last)
    if len(left) == 1 and not first and last and not initials:
        first, left = left[0], []
        firsts = (first,)
    english_first = english.get(first, frozenset())
    if english_first:
        english_first |= {name for word in english_first for name in full_names(word)}
    return Name(
        frozenset(plain), firsts, (first,) if first else (), by_table,
        english_first, _patronymic_stem(patronymic),
        _stem(last), _stems_of(last, halves.get(last, ())), tuple(left),
        *_initial_roles(initials, bool(first), bool(patronymic), bool(last)), gender or surname_gender, by_suffix, is_plain,
    )  # fmt: skip


def _parted(match: re.Match[str]) -> str:
    return match[0] + " " if full_names(fold(match[0])) else match[0]


def _is_of_two(text: str) -> bool:
    """Анна и Сергей: who of them it was is not said."""
    if _TWO_PEOPLE.search(text) is None:
        return False
    return any(all(full_names(fold(word)) for word in (left[-1], right[0])) for left, right in _around_and(text))


def _around_and(text: str) -> list[tuple[list[str], list[str]]]:
    sides = [_WORD.findall(side) for side in _TWO_PEOPLE.split(text)]
    return [(left, right) for left, right in pairwise(sides) if left and right]


def _initials(word: str, behind: str, whole: str) -> tuple[Initial, ...]:
    """What a word is if it is no word: a letter, Yu with its dot, or two capitals in a text that is not written in capitals."""
    if len(word) == 1:
        if word.islower() and not whole.islower():
            return ()  # 1985 г.р., г. Пермь
        return (frozenset(_HEADS.get(word.casefold(), ())),)
    if behind == "." and word.casefold() in _DIGRAPHS:
        return (frozenset({head(fold(word))}),)
    if len(word) == 2 and word.isupper() and not whole.isupper() and not full_names(fold(word)):
        return tuple(frozenset(_HEADS.get(letter, ())) for letter in word.casefold())
    return ()


def _initial_roles(
    initials: list[Initial], first: bool, patronymic: bool, last: bool
) -> tuple[Initial, Initial, Initial, Initial, Initial]:
    """For whom the initials stand: (first, patronymic, surname, surname or patronymic, not said). The first one is the first
    name's."""
    none = _NO_INITIAL
    if not initials:
        return none, none, none, none, none
    if first and last:
        return none, none if patronymic else initials[0], none, none, none
    if first and patronymic:
        return none, none, initials[0], none, none
    if first:
        return none, none, none, initials[0] if len(initials) == 1 else none, none
    if last:
        return initials[0], none if patronymic or len(initials) < 2 else initials[1], none, none, none
    return none, none, none, none, initials[0] if len(initials) == 1 else none


def _known(word: str, halves: tuple[str, ...]) -> tuple[str, ...]:
    """Full names of a first name; a double one (Анна-Мария) is either of its halves."""
    names = full_names(word)
    if names or not halves or not all(full_names(half) for half in halves):
        return names
    return (word, *dict.fromkeys(name for half in halves for name in full_names(half)))


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
        if word.endswith(_PATRONYMIC_M) and (len(words) > 2 or _is_father(_patronymic_stem(word))):
            return word, "m"
    return "", ""


def _is_father(stem: str) -> bool:
    return is_name_stem(stem) or stem in _SPOKEN_FATHERS.values()


def _patronymic_stem(word: str) -> str:
    """One stem for all forms: serg for Сергеевич, Сергеевна and Сергеич."""
    if not word:
        return word
    stem = word
    for ending in ("iniCna", "iCna", "ovna", "evna", "ivna", "oviC", "eviC", "ovic", "evic", "iC"):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word[: -len(ending)]
            break
    if stem == word:
        return word
    stem = stem.rstrip("aei") or stem
    return _SPOKEN_FATHERS.get(stem, stem)


def _pick_first(known: list[str]) -> str:
    if len(known) > 1:  # Максим Роман, Роман Лука: a surname is usually written first or looks like one
        known = [word for word in known if not word.endswith(_SURNAME_M + _SURNAME_F)] or known
    return known[0] if known else ""


def _take_surname(words: list[str], *, alone: bool) -> tuple[str, Gender]:
    for word in words:
        if len(word) > 4 and word.endswith(_SURNAME_F):
            return word, "f"
        if len(word) > 3 and word.endswith(_SURNAME_M):
            return word, "m"
    for word in words:
        if len(word) > 4 and word.endswith(_SURNAME_ANY):
            return word, ""
    for word in () if alone else words:
        if len(word) > 4 and word.endswith(_SURNAME_IN):
            return word, "f" if word.endswith("ina") else "m"
    return "", ""


def _stems_of(last: str, halves: tuple[str, ...]) -> frozenset[str]:
    return frozenset({_stem(last), *(_stem(half) for half in halves if len(half) > 3)}) if last else frozenset()


def _stem(last: str) -> str:
    for ending, male in (("skaia", "ski"), ("skoi", "ski"), ("ova", "ov"), ("eva", "ev"), ("ina", "in")):
        if last.endswith(ending) and len(last) > len(ending) + 1:
            return last[: -len(ending)] + male
    return last


def surname_of_word(word: str) -> tuple[str, Gender]:
    """What a word would be as a surname: its stem and its gender."""
    stem = _stem(word)
    if stem != word:
        return stem, "f" if word.endswith("a") else ""
    return stem, "m" if len(word) > 4 and word.endswith("in") else ""
