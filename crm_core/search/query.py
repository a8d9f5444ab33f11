"""What somebody typed, as a `tsquery`: every word must occur, in any order, at least as a beginning. Pure.

Digits that stand together are a number however they are spaced: part of a phone, or each for itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from crm_core.identity.phones import read_phones
from crm_core.search.words import SHORTEST_NUMBER, SHORTEST_PART, digits_of, latin_address, spellings, split

#: Characters that are read. Nobody types more to find somebody; the rest of a pasted text is left out, which a page says.
LONGEST = 200
_MOST_TERMS = 12
#: From so many characters on a word may be only the beginning of what is meant: one letter begins half the base.
_PREFIX_FROM = 2
_DIGIT_PREFIX_FROM = 3  # "17" is a lead's number and not the beginning of 170
_WHOLE_NUMBER = 7  # digits by which a stranger's number is recognised
_WHOLE_WORD = 3

#: What people write before a number and what nobody means to find.
_LABEL = re.compile(r"(?:[№#]|\b(?:tel|phone|mob|тел|моб)[^\W\d_]{0,6}[.:]?)\s{0,3}(?=[+(]?\d)", re.IGNORECASE)
#: National trunk prefixes: 8 in the former Soviet Union, 0 and 00 nearly everywhere else, 01 in Mexico.
_TRUNK = re.compile(r"^(?:810|8|00|01|0)")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must occur: any of `starts` as a beginning, any of `wholes` as it is, or all of `each`."""

    starts: tuple[str, ...]
    wholes: tuple[str, ...] = ()
    each: tuple[Term, ...] = ()

    def sql(self) -> str:
        choices = [f"'{one}':*" for one in self.starts] + [f"'{one}'" for one in self.wholes]
        together = " & ".join(f"({term.sql()})" for term in self.each)
        return " | ".join([*choices, *([f"({together})"] if together else [])])

    def whole(self) -> str:
        """The same for whole words and numbers only; "" if it has none."""
        return " | ".join(f"'{one}'" for one in (*self.starts, *self.wholes) if one[0] not in "#@" or _means_somebody(one))


@dataclass(frozen=True, slots=True)
class SearchQuery:
    text: str  # what was read of the input
    cut: bool  # whether there was more
    terms: tuple[Term, ...]
    uid: str = ""  # an event's id, if it is one

    def __bool__(self) -> bool:
        return bool(self.terms) or bool(self.uid)

    @property
    def tsquery(self) -> str:
        """For `to_tsquery('simple', …)`; "" finds nothing. Lexemes hold no quotes: they are letters, digits, # and @."""
        return " & ".join(f"({term.sql()})" for term in self.terms)

    @property
    def whole_words(self) -> str:
        """The same for what belongs to somebody else: only whole words and numbers, so that nobody is found out letter by
        letter; "" where the words are too short to mean one person."""
        if not any(_means_somebody(one) for term in self.terms for one in (*term.starts, *term.wholes)):
            return ""
        wholes = [term.whole() for term in self.terms]
        return " & ".join(f"({one})" for one in wholes) if all(wholes) else ""

    def marks(self, word: str) -> bool:
        """True if a word of a shown text is one that was looked for."""
        own = spellings(word)
        terms = [one for term in self.terms for one in (term, *term.each)]
        return any(one in term.wholes or one.startswith(term.starts) for term in terms for one in own)

    def marks_number(self, number: str) -> bool:
        digits = digits_of(number)
        return any(start[1:] in digits for term in self.terms for start in term.starts if start[0] == "#")


def read_query(text: str, region: str) -> SearchQuery:
    """Never raises: whatever holds no letter and no digit is a query that finds nothing."""
    text = unicodedata.normalize("NFC", "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST]))
    text = " ".join(text.split())
    read = text[:LONGEST]
    compact = read.replace("-", "").lower()
    uid = compact if re.fullmatch(r"[0-9a-f]{32}", compact) else ""
    terms: list[Term] = []
    for part in _parts(_LABEL.sub(" ", read)):
        if any(c.isalpha() for c in part):
            for word in split(part):
                terms += _number(word, region) if word.isdecimal() else [_word(word)]
        elif any(c.isdecimal() for c in part):
            terms += _number(part, region)
    known: dict[Term, None] = dict.fromkeys(term for term in terms if term.starts or term.wholes)
    if len(known) > 1 and any(term.starts for term in known):
        known = dict.fromkeys(_beside_others(term) for term in known)
    return SearchQuery(read, len(text) > LONGEST, tuple(known)[:_MOST_TERMS], uid)


def _beside_others(term: Term) -> Term:
    """What says too little alone and enough beside another word: an initial, three digits of a phone."""
    if term.wholes and term.wholes[0].isalpha():
        return Term(term.wholes)
    if len(term.starts) == 1 and term.starts[0].isdecimal():
        return Term((*term.starts, f"#{term.starts[0]}"))
    return term


def _parts(text: str) -> Iterator[str]:
    """Words between blanks, but those without any letter together: 8 921 695-34-01 is one thing."""
    run: list[str] = []
    for word in text.split():
        if any(c.isalpha() for c in word):
            yield " ".join(run)
            run = []
            yield word
        else:
            run.append(word)
    yield " ".join(run)


def _word(word: str) -> Term:
    own = spellings(word)
    if any(len(one) < _PREFIX_FROM for one in own):
        return Term((), own)
    letters = latin_address(word)
    parts = (f"@{letters}",) if len(letters) >= SHORTEST_PART and letters.isascii() and letters.isalnum() else ()
    return Term((*own, *parts))


def _number(part: str, region: str) -> list[Term]:
    """One term for all digits together, with each spelling that a phone may have; short ones are numbers for themselves."""
    groups = ["".join(str(int(c)) for c in group) for group in re.findall(r"\d+", part)]
    together = "".join(groups)
    if len(together) < SHORTEST_NUMBER:
        return [_digits(group) for group in groups]
    variants = {together, _TRUNK.sub("", together), *(key.value.lstrip("+") for key in read_phones(part, region, kind="form"))}
    if "(0)" in part:  # +44 (0)7911 …: the trunk zero is not dialled after the country's code
        variants |= {digits_of(part.replace("(0)", ""))}
    starts = tuple(sorted(f"#{one}" for one in variants if len(one) >= SHORTEST_NUMBER))
    if len(groups) == 1:
        return [Term((*starts, together))]
    return [Term(starts, (), tuple(_digits(group) for group in groups))]


def _digits(group: str) -> Term:
    return Term((group,)) if len(group) >= _DIGIT_PREFIX_FROM else Term((), (group,))


def _means_somebody(lexeme: str) -> bool:
    if lexeme[0] == "#":
        return len(lexeme) > _WHOLE_NUMBER
    return lexeme[0] != "@" and len(lexeme) >= _WHOLE_WORD and not lexeme.isdecimal()
