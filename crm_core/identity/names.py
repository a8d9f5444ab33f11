"""Whether two written names may be one person. Order-free, in either script; a bad name is unknown, never a conflict."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import field, replace
from functools import lru_cache
from itertools import chain, islice, product
from typing import Literal

from crm_core.base.frozen import frozen
from crm_core.identity.firstnames import full_names
from crm_core.identity.fullname import Initial, Name, head, parse_name, surname_of_word
from crm_core.identity.namequality import clean_name
from crm_core.identity.spelling import one_script, one_slip, readings

_NAME_CHARS = 240  # keeps texts in the wrong field out of the caches
_AMBIGUOUS = re.compile(r"[cjxhCJXH]|[fF]{2}")

__all__ = ["NameVerdict", "Verdict", "clean_name", "compare", "compare_names", "first_name_key", "surname_key"]

Verdict = Literal["agree", "unknown", "conflict"]
Close = Callable[[str, str], bool]


@frozen
class NameVerdict:
    verdict: Verdict
    why: str  # machine-readable code; docs/identity.md lists them
    #: Agreement on a first name and, besides, on the surname or the patronymic: what a shared or weak identifier asks for.
    full: bool = False
    pair: tuple[str, str] = field(default=("", ""), compare=False, repr=False)

    @property
    def near(self) -> bool:
        """No agreement, but each word is at most one slip of the keyboard away from one. Proves nothing alone; two strong
        identifiers of one contact weigh more than such a difference."""
        return self.verdict != "agree" and self.why != "no_name" and _near(*self.pair)


def first_name_key(name: str) -> str | None:
    """Folded full first name that this name most likely means (Лёша, Aleksey → `aleksei`); None if none is given.

    A single word that no table knows may be a surname as well: it is none.
    """
    parsed = parse_name(name[:_NAME_CHARS])
    return parsed.firsts[0] if parsed.firsts else None


def surname_key(name: str) -> str:
    """Folded stem of the surname, the same for both genders and scripts; "" if none is given. What follows no rule is whole."""
    parsed = parse_name(name[:_NAME_CHARS])
    return parsed.last or ("" if parsed.firsts else " ".join(sorted(parsed.others)))


def compare(a: str, b: str) -> Verdict:
    """Same as `compare_names(a, b).verdict`."""
    return compare_names(a, b).verdict


def compare_names(a: str, b: str) -> NameVerdict:
    """Symmetric. `agree` needs something positive in common; `conflict` needs something that one person cannot have."""
    return _compare(a[:_NAME_CHARS], b[:_NAME_CHARS])


@lru_cache(maxsize=4096)
def _compare(a: str, b: str) -> NameVerdict:
    one, two = parse_name(a), parse_name(b)
    found = _judge(one, two, _close)
    if found.verdict == "agree" or found.why == "no_name":
        return found
    for x, y in _other_readings(a, b):
        if (other := _judge(x, y, _close)).verdict == "agree":
            return other
    return replace(found, pair=(a, b))


def _other_readings(a: str, b: str) -> Iterator[tuple[Name, Name]]:
    """Latin letters that stand for two Russian ones: the names agree if any reading of both does."""
    if not (_AMBIGUOUS.search(a) or _AMBIGUOUS.search(b)):
        return
    one, two = parse_name(a), parse_name(b)
    for x, y in islice(product(readings(one_script(a)), readings(one_script(b))), 1, None):
        other_one, other_two = parse_name(x), parse_name(y)
        # Victoria is a name as it stands; Vitstoria is nobody's.
        if one.first_is_known <= other_one.first_is_known and two.first_is_known <= other_two.first_is_known:
            yield other_one, other_two


@lru_cache(maxsize=1024)
def _near(a: str, b: str) -> bool:
    pairs = chain([(parse_name(a), parse_name(b))], _other_readings(a, b))
    return any(_judge(one, two, _slip).verdict == "agree" for one, two in pairs)


def _judge(one: Name, two: Name, close: Close) -> NameVerdict:
    if not one.words or not two.words:
        return NameVerdict("unknown", "no_name")
    if _initials_exclude(one, two) or _initials_exclude(two, one):
        return NameVerdict("conflict", "initials")
    if one.words == two.words and one.gender == two.gender:
        return NameVerdict("agree", "same_words", full=_is_full(one) and _is_full(two))
    if one.gender and two.gender and one.gender != two.gender:
        return NameVerdict("conflict", "gender")
    patronymic = bool(one.patronymic and two.patronymic)
    if patronymic and not _same_father(one.patronymic, two.patronymic, close):
        return NameVerdict("conflict", "patronymic")
    first, last = _firsts(one, two, close), _lasts(one, two, close)
    if first == "other":
        return NameVerdict("conflict", "first_name")
    if first in ("same", "short") and last is False:
        return _other_surname(one, two, patronymic=patronymic and first == "same")
    if first == "short":
        return NameVerdict("agree", "first_and_last", full=True) if last else NameVerdict("unknown", "short_form")
    if first == "same":
        if last is None and not _tails_meet(one, two):
            return NameVerdict("unknown", "initial_unsure")
        full = bool(last) or patronymic
        return NameVerdict("agree", "first_and_last" if last else "first_name", full=full)
    if first == "perhaps":
        return NameVerdict("unknown", "words_similar")
    if last:
        return NameVerdict("agree", "surname_and_initials" if first == "initial" else "surname")
    if last is False:
        sure = one.last_is_sure and two.last_is_sure
        return NameVerdict("conflict", "surname") if sure else NameVerdict("unknown", "surname_unsure")
    if first == "initial":
        return NameVerdict("unknown", "initial_fits")
    return _others(one, two)


def _is_full(name: Name) -> bool:
    return len(name.words) > 1 and bool(name.firsts or len(name.others) > 1)


def _other_surname(one: Name, two: Name, *, patronymic: bool) -> NameVerdict:
    """One first name and two surnames."""
    if patronymic:
        return NameVerdict("agree", "surname_changed", full=True)
    if not (one.last_is_sure and two.last_is_sure) or _begin_alike(one.lasts, two.lasts, by_suffix=_by_suffix(one, two)):
        return NameVerdict("unknown", "surname_unsure")
    if "f" in (one.gender, two.gender):
        return NameVerdict("unknown", "surname_may_have_changed")
    return NameVerdict("conflict", "surname")


def _by_suffix(one: Name, two: Name) -> bool:
    return one.last_by_suffix and two.last_by_suffix


def _begin_alike(one: AbstractSet[str], two: AbstractSet[str], *, by_suffix: bool) -> bool:
    """Шварц and Schwarz: a foreign surname in two spellings that the fold does not know."""
    return not by_suffix and any(x[:3] == y[:3] for x in one for y in two)


def _firsts(one: Name, two: Name, close: Close) -> Literal["same", "short", "initial", "perhaps", "other", "unsaid"]:
    """short: the one is English for the other. initial: an initial fits. perhaps: a short form that we may not know."""
    if one.firsts and two.firsts:
        if not set(one.firsts).isdisjoint(two.firsts):
            return "same"
        if not _english(one).isdisjoint(_english(two)):
            return "short"
        if any(len(lone.words) == 1 and not lone.words.isdisjoint(other.lasts) for lone, other in ((one, two), (two, one))):
            return "unsaid"  # Герман, and Алексей Герман: a surname that is a first name as well
        if one.first_is_known and two.first_is_known:
            return "other"  # Марина and Мария are one letter apart and two people
        alike = _alike(one.forms, two.forms, close)
        return "same" if alike else ("perhaps" if alike is None else "other")
    for known, other in ((one, two), (two, one)):
        if known.firsts and other.first_initial:
            return "initial"  # whether it fits was asked before
        if known.firsts and len(other.others) == 1 and not other.last:
            # A single word that no table knows may be a surname: only a slip of the same name says something.
            return "same" if any(close(form, word) for form in known.forms for word in other.others) else "unsaid"
        if known.firsts and (beside := _beside_surname(other, known)):
            alike = _alike(known.forms, beside, close)
            return "same" if alike else ("perhaps" if alike is None else "other")
    return "initial" if one.first_initial and two.first_initial else "unsaid"


def _beside_surname(name: Name, other: Name) -> AbstractSet[str]:
    """The one other word of two that no table knows, where one of them is the surname over there: it is the first name."""
    if len(name.others) != 2 or name.last or name.firsts:
        return frozenset()
    rest = [word for word in name.others if surname_of_word(word)[0] not in other.lasts | other.others_set]
    return frozenset(rest) if len(rest) == 1 else frozenset()


def _english(name: Name) -> AbstractSet[str]:
    return name.english | name.forms if name.first_is_known else frozenset()


def _others(one: Name, two: Name) -> NameVerdict:
    """Words that no rule knows: Ким Чен, Zhang Wei."""
    if one.words <= two.words or two.words <= one.words:
        return NameVerdict("agree", "contained")
    common = not one.words.isdisjoint(two.words)
    if any(map(str.isascii, one.words)) != any(map(str.isascii, two.words)):
        return NameVerdict(
            "unknown", "nothing_to_compare"
        )  # the fold knows Latin and Cyrillic; other scripts meet only themselves
    mine, yours = one.others_set - two.words, two.others_set - one.words
    for known, other in ((one, two), (two, one)):
        # Two words of no known role are a whole name: one of them would have to be the first name or the surname over there.
        told = known.forms or known.lasts or (len(known.others) > 1 and known.is_plain)
        if len(other.others) > 1 and other.is_plain and told:
            rest = known.words - other.words if common else known.forms | known.lasts | known.words
            if _alike(frozenset(rest), other.others_set - known.words, _close) is False:
                return NameVerdict("conflict", "words_differ")
            return NameVerdict("unknown", "words_similar")
    if mine and yours and _alike(mine, yours, _close) is not False:
        return NameVerdict("unknown", "words_similar")
    return NameVerdict("unknown", "nothing_to_compare")


def _alike(one: AbstractSet[str], two: AbstractSet[str], close: Close) -> bool | None:
    """True: a slip of the keyboard apart; None: the same beginning, perhaps a short form we do not know; else False."""
    if any(close(x, y) for x in one for y in two):
        return True
    return None if any(x[:3] == y[:3] for x in one for y in two) else False


def _meets(initial: Initial, words: AbstractSet[str]) -> bool:
    return any(head(word) in initial for word in words)


def _initials_exclude(one: Name, two: Name) -> bool:
    """True if an initial of `one` is none of what stands in its place in `two`."""
    if one.first_initial and (
        (two.forms and not _meets(one.first_initial, two.forms | two.english))
        or (two.first_initial and one.first_initial.isdisjoint(two.first_initial))
    ):
        return True
    if one.patronymic_initial and (
        (two.patronymic and not _meets(one.patronymic_initial, {two.patronymic}))
        or (two.patronymic_initial and one.patronymic_initial.isdisjoint(two.patronymic_initial))
    ):
        return True
    if one.loose_initial:
        if two.forms and any(surname_of_word(word)[0] in two.lasts for word in one.others):
            return not _meets(one.loose_initial, two.forms | two.english)
        if beside := _beside_surname(two, one):
            return not _meets(one.loose_initial, beside)
    if "f" in (one.gender, two.gender):
        return False  # a woman's surname may have changed
    tail = one.last_initial or (one.tail_initial if two.patronymic else _NO)
    if tail and two.last:
        return not _meets(tail, two.lasts | ({two.patronymic} if one.tail_initial else set()))
    return False


_NO: Initial = frozenset()


def _tails_meet(one: Name, two: Name) -> bool:
    """Анна П. and Анна Петрова. The letter may be of the patronymic, so another one excludes nothing."""
    for tail, other in ((one.tail_initial or one.last_initial, two), (two.tail_initial or two.last_initial, one)):
        if tail and (other.last or other.patronymic):
            return _meets(tail, other.lasts | ({other.patronymic} if other.patronymic else set()))
    both = one.tail_initial, two.tail_initial
    return not (all(both) and both[0].isdisjoint(both[1]))


def _same_father(one: str, two: str, close: Close) -> bool:
    if one == two:
        return True
    names = [full_names(stem) for stem in (one, two)]
    return not all(names) and close(one, two)


def _lasts(one: Name, two: Name, close: Close) -> bool | None:
    if one.last and two.last:
        return any(x == y or close(x, y) for x in one.lasts for y in two.lasts)
    for known, other in ((one, two), (two, one)):
        if not known.last or other.last:
            continue
        for word in other.others:
            stem, gender = surname_of_word(word)
            if stem in known.lasts or word in known.lasts:
                return not (gender and known.gender and gender != known.gender) or None
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


def _slip(a: str, b: str) -> bool:
    """Equal, or one slip apart anywhere; not the а of a woman."""
    if a == b:
        return True
    short, long = sorted((a, b), key=len)
    return len(short) >= 3 and long != short + "a" and one_slip(a, b)
