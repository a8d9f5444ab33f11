"""How much like Russian a text reads, to tell the five Cyrillic sets apart where there are a few words only."""

from __future__ import annotations

from typing import Final

SETS: Final = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac_cyrillic")
SAMPLE_BYTES: Final = 4_000  # enough to tell the sets apart; keeps a long text cheap

#: Letters of Russian text by falling frequency; the position is the weight.
_BY_FREQUENCY: Final = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_WEIGHT: Final = {letter: 1.0 - 0.03 * rank for rank, letter in enumerate(_BY_FREQUENCY)}
#: Frequent pairs separate the sets when a text is all capitals and the case says nothing.
_PAIRS: Final = frozenset(
    [
        "ст",
        "но",
        "то",
        "на",
        "ен",
        "ов",
        "ни",
        "ра",
        "во",
        "ко",
        "ро",
        "ан",
        "ер",
        "ре",
        "от",
        "ос",
        "ло",
        "ва",
        "ка",
        "ор",
        "по",
        "пр",
        "ли",
        "ет",
        "го",
        "ть",
        "ит",
        "ал",
        "те",
        "ие",
        "ол",
        "не",
        "ом",
    ]
)


def best(data: bytes) -> tuple[str, float]:
    """The Cyrillic set that makes the best Russian of these bytes, and its score; a score of 0 or less is no Russian."""
    sample = data[:SAMPLE_BYTES]
    score, _, name = max((score_of(sample.decode(name, "replace")) - 0.005 * rank, -rank, name) for rank, name in enumerate(SETS))
    return name, score


def score_of(text: str) -> float:
    """Mean over the non-ASCII characters: frequent letters and pairs count for it, odd case and odd signs against."""
    total = 0.0
    count = 0
    previous = " "
    for char in text:
        if char > "\x7f":
            count += 1
            lower = char.lower()
            weight = _WEIGHT.get(lower)
            if weight is None:
                total += 0.0 if char in "«»–—№…“”’\xa0" else -2.0
            else:
                total += weight
                if previous.isascii() and previous.isalpha():
                    total -= 2.0  # "Dйjа vu": French read as Russian mixes alphabets inside its words
                if char != lower and previous.islower():
                    total -= 1.5  # a capital inside a word: the mark of koi8 read as cp1251 and the reverse
                elif previous.lower() + lower in _PAIRS:
                    total += 0.5
        elif char.isalpha() and previous > "\x7f" and previous.isalpha():
            total -= 2.0
        previous = char
    return total / count if count else 0.0
