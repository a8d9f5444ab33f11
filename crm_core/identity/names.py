"""Whether two written names may be one person. Order-free, in either script; a bad name is unknown, never a conflict."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from crm_core.identity.fullname import Name, parse_name
from crm_core.identity.namequality import clean_name

_NAME_CHARS = 240  # keeps texts in the wrong field out of the caches
_VOWEL = {"e": "i", "u": "i"}

__all__ = ["NameVerdict", "Verdict", "clean_name", "compare", "compare_names", "first_name_key"]

Verdict = Literal["agree", "unknown", "conflict"]


@dataclass(frozen=True, slots=True)
class NameVerdict:
    verdict: Verdict
    why: str  # machine-readable code; docs/identity.md lists them


def first_name_key(name: str) -> str | None:
    """Folded full first name that this name most likely means (Лёша, Aleksey → `aleksei`); None if none is given."""
    parsed = parse_name(name[:_NAME_CHARS])
    if parsed.firsts:
        return parsed.firsts[0]
    return parsed.others[0] if len(parsed.others) == 1 else None


def compare(a: str, b: str) -> Verdict:
    """Same as `compare_names(a, b).verdict`."""
    return compare_names(a, b).verdict


def compare_names(a: str, b: str) -> NameVerdict:
    """Symmetric. `agree` needs something positive in common; `conflict` needs something that one person cannot have."""
    return _compare(a[:_NAME_CHARS], b[:_NAME_CHARS])


@lru_cache(maxsize=4096)
def _compare(a: str, b: str) -> NameVerdict:
    one, two = parse_name(a), parse_name(b)
    if not one.words or not two.words:
        return NameVerdict("unknown", "no_name")
    strangers = bool(one.initials and two.initials) and not _initials_meet(one.initials, two.initials)
    if one.words == two.words and not strangers:
        return NameVerdict("agree", "same_words")
    if one.gender and two.gender and one.gender != two.gender:
        return NameVerdict("conflict", "gender")
    if one.patronymic and two.patronymic and not _close(one.patronymic, two.patronymic):
        return NameVerdict("conflict", "patronymic")
    if strangers:
        return NameVerdict("conflict", "initials")
    first, last = _firsts(one, two), _lasts(one, two)
    if first is False:
        return NameVerdict("conflict", "first_name")
    patronymic = bool(one.patronymic and two.patronymic)
    sure = one.last_by_suffix and two.last_by_suffix
    if first and last is False:
        if patronymic:
            return NameVerdict("agree", "surname_changed")
        if not sure:
            return NameVerdict("unknown", "surname_unsure")
        if "f" in (one.gender, two.gender):
            return NameVerdict("unknown", "surname_may_have_changed")
        return NameVerdict("conflict", "surname")
    if first:
        return NameVerdict("agree", "first_and_last" if last else "first_name")
    if last:
        return NameVerdict("agree", "surname_and_initials" if one.initials or two.initials else "surname")
    if last is False:
        return NameVerdict("conflict", "surname") if sure else NameVerdict("unknown", "surname_unsure")
    return _others(one, two)


def _firsts(one: Name, two: Name) -> bool | None:
    """True: may be one first name, False: cannot be, None: not said."""
    if one.firsts and two.firsts:
        if not set(one.firsts).isdisjoint(two.firsts):
            return True
        if one.first_is_known and two.first_is_known:
            return False  # Марина and Мария are one letter apart and two people
        return _alike(one.forms, two.forms)
    for known, other in ((one, two), (two, one)):
        if not known.firsts or other.firsts:
            continue
        rest = [word for word in other.others if word != known.last]
        if len(rest) == 1 and not other.last:
            return _alike(known.forms, frozenset(rest))
        if not other.others and other.initials:
            letters = {form[0] for form in known.forms}
            return None if _initials_meet(letters, other.initials) else False
    return None


def _others(one: Name, two: Name) -> NameVerdict:
    """Words that no rule knows: Ким Чен, Jane Smith."""
    mine, yours = one.others_set - two.words, two.others_set - one.words
    if one.words <= two.words or two.words <= one.words:
        return NameVerdict("agree", "contained")
    if not mine or not yours:
        return NameVerdict("unknown", "nothing_to_compare")
    alike = _alike(mine, yours)
    if alike is not False:
        return NameVerdict("unknown", "words_similar")
    return NameVerdict("conflict", "words_differ")


def _alike(one: AbstractSet[str], two: AbstractSet[str]) -> bool | None:
    """True: a slip of the keyboard apart; None: the same beginning, perhaps a short form we do not know; else False."""
    if any(_close(x, y) for x in one for y in two):
        return True
    return None if any(x[:3] == y[:3] for x in one for y in two) else False


def _initials_meet(one: AbstractSet[str], two: AbstractSet[str]) -> bool:
    # Y. stands for Юрий, Елена and Ян alike, so vowels of that family count as one.
    return not {_VOWEL.get(c, c) for c in one}.isdisjoint({_VOWEL.get(c, c) for c in two})


def _lasts(one: Name, two: Name) -> bool | None:
    if one.last and two.last:
        return one.last == two.last or _close(one.last, two.last)
    for known, other in ((one, two), (two, one)):
        if known.last and not other.last and known.last in other.others_set:
            return True
    return None


def _close(a: str, b: str) -> bool:
    """Equal, or one slip of the keyboard apart in words long enough that it is not another name."""
    if a == b:
        return True
    if min(len(a), len(b)) < 5 or abs(len(a) - len(b)) > 1:
        return False
    if len(a) == len(b):
        wrong = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        if len(wrong) == 2:
            i, j = wrong
            return j == i + 1 and a[i] == b[j] and a[j] == b[i]
        return len(wrong) == 1 and 0 < wrong[0] < len(a) - 1  # the end of a name tells gender, its start the name
    short, long = sorted((a, b), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(1, len(long) - 1))
