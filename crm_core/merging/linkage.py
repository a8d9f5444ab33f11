"""How likely two records are of one person: Fellegi and Sunter's model, with weights that are learned from the records
themselves. Pure; knows columns and no contacts.

Pairs are only looked at where they share a blocking key. How often two records of one person agree (m) is estimated from those
pairs by expectation maximisation, how often strangers do (u) from pairs drawn at random; a rare value that both have says more than
a common one. The sum is in bits: log2 of the odds that it is one person, the prior included.
"""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any, Final, Literal

from rapidfuzz.distance import OSA, JaroWinkler

MISSING, ELSE, CLOSE, EXACT = range(4)
LEVELS: Final = ("missing", "else", "close", "exact")

#: A block of more records than this is skipped and counted: whatever they share says nothing of any two of them.
MOST_IN_BLOCK: Final = 200
#: And so many pairs for each record are looked at, those of the smallest blocks first: what is rare says most, and a night is short.
_PAIRS_A_RECORD: Final = 15
_CLOSE_TEXT: Final = 0.88  # Jaro-Winkler; two spellings or a slip, measured on FEBRL
_RANDOM_PAIRS: Final = 100_000
_ROUNDS: Final = 25  # of the estimation; it stands still after about ten
_PSEUDO_MATCHES: Final = 20.0  # what the defaults weigh: so many pairs of one person of which nothing is known yet
_PSEUDO_STRANGERS: Final = 1_000.0
_LEAST: Final = 1e-4  # no level is impossible

Value = Any  # "" or (): missing. text and code: str. many: tuple of str


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the records."""

    name: str
    #: text: names, alike by letters. code: dates, numbers of houses, one slip apart. many: several values, equal if one is shared.
    kind: Literal["text", "code", "many"]
    by_frequency: bool = False  # a rare value says more
    likely: tuple[float, float, float] = (0.05, 0.1, 0.85)  # else, close, exact of one person, before anything was learned
    chance: float = 0.01  # of strangers to have the same, before anything was learned
    #: Another column of the same kind that people mix it up with: first name and surname.
    swapped_with: str = ""
    #: Of many: values that are almost one of the record's own.
    near: Callable[[str], Iterable[str]] | None = None


@dataclass(slots=True)
class Weights:
    """What was learned: bits of each level by column, and the prior."""

    bits: dict[str, tuple[float, ...]]
    prior: float
    common: dict[str, Mapping[Any, int]] = field(default_factory=dict)  # value → records, where a rare one says more
    agreement: dict[str, float] = field(default_factory=dict)  # how often two strangers have the same value
    records: int = 0
    pairs: int = 0
    skipped_blocks: int = 0


@dataclass(frozen=True, slots=True)
class ScoredPair:
    one: int  # places in the list of records
    other: int
    bits: float
    levels: tuple[int, ...]  # by column


def score(
    columns: Sequence[Column], records: Sequence[Sequence[Value]], blocks: Callable[[Sequence[Value]], Iterable[Any]],
    least_bits: float, *, between: Sequence[int] | None = None, seed: int = 1,
) -> tuple[list[ScoredPair], Weights]:  # fmt: skip
    """Pairs of at least so many bits, the surest first, and the weights. `between`: the list that each record is of, and only
    pairs of different lists are looked at (two registers of one population)."""
    count = len(records)
    compare = _comparer(columns)
    pairs, patterns, skipped = _pairs(records, blocks, compare, between)
    weights = _learn(columns, records, Counter(patterns), compare, random.Random(seed), between)
    weights.pairs, weights.skipped_blocks = len(pairs), skipped
    by_pattern = {pattern: weights.prior + _bits(columns, weights, pattern) for pattern in set(patterns)}
    adjust = [
        (place, 2 * place, weights.common[column.name], log2(weights.agreement[column.name] * max(1, count)))
        for place, column in enumerate(columns)
        if column.by_frequency
    ]
    reach = sum(max(0.0, base + 1) for _, _, _, base in adjust)  # what rarity can add at most
    found = []
    for pair, pattern in zip(pairs, patterns, strict=True):
        bits = by_pattern[pattern]
        if bits + reach < least_bits:
            continue
        one, other = divmod(pair, count)
        for place, shift, common, base in adjust:
            if (pattern >> shift) & 3 == EXACT:
                bits += base - log2(common.get(records[one][place], 1))
        if bits >= least_bits:
            found.append(ScoredPair(one, other, bits, tuple((pattern >> 2 * place) & 3 for place in range(len(columns)))))
    found.sort(key=lambda scored: (-scored.bits, scored.one, scored.other))
    return found, weights


def explain(
    columns: Sequence[Column], records: Sequence[Sequence[Value]], weights: Weights, pair: ScoredPair
) -> list[dict[str, Any]]:
    """The sum, column by column: {"field","level","bits"}, without what is missing, and the prior first."""
    rows: list[dict[str, Any]] = [{"field": "prior", "level": "prior", "bits": round(weights.prior, 1)}]
    for place, (column, level) in enumerate(zip(columns, pair.levels, strict=True)):
        if level == MISSING:
            continue
        bits = weights.bits[column.name][level]
        if column.by_frequency and level == EXACT:
            seen = weights.common[column.name].get(records[pair.one][place], 1)
            bits += log2(weights.agreement[column.name] * weights.records) - log2(seen)
        rows.append({"field": column.name, "level": LEVELS[level], "bits": round(bits, 1)})
    return rows


# --- comparing


def _comparer(columns: Sequence[Column]) -> Callable[[Sequence[Value], Sequence[Value]], int]:
    """Two records → their pattern: two bits a column."""
    places = {column.name: place for place, column in enumerate(columns)}
    texts = [(p, 2 * p, places.get(c.swapped_with, -1)) for p, c in enumerate(columns) if c.kind == "text"]
    codes = [(p, 2 * p) for p, c in enumerate(columns) if c.kind == "code"]
    many = [(p, 2 * p, c.near) for p, c in enumerate(columns) if c.kind == "many"]
    alike, slips = JaroWinkler.similarity, OSA.distance

    def compare(a: Sequence[Value], b: Sequence[Value]) -> int:
        pattern = 0
        for place, shift, swapped in texts:
            x, y = a[place], b[place]
            if x and y:
                if x == y:
                    pattern |= EXACT << shift
                elif alike(x, y, score_cutoff=_CLOSE_TEXT) or (swapped >= 0 and x == b[swapped] and y == a[swapped]):
                    pattern |= CLOSE << shift
                else:
                    pattern |= ELSE << shift
        for place, shift in codes:
            x, y = a[place], b[place]
            if x and y:
                pattern |= (EXACT if x == y else CLOSE if slips(x, y, score_cutoff=1) <= 1 else ELSE) << shift
        for place, shift, near in many:
            x, y = a[place], b[place]
            if x and y:
                level = ELSE
                if not set(x).isdisjoint(y):
                    level = EXACT
                elif near is not None and _is_near(x, y, near):
                    level = CLOSE
                pattern |= level << shift
        return pattern

    return compare


def _is_near(x: Sequence[str], y: Sequence[str], near: Callable[[str], Iterable[str]]) -> bool:
    if any(OSA.distance(one, other, score_cutoff=1) <= 1 for one in x for other in y):
        return True
    mine, yours = ({value for one in values for value in near(one)} for values in (x, y))
    return not mine.isdisjoint(yours)


def _pairs(
    records: Sequence[Sequence[Value]], blocks: Callable[[Sequence[Value]], Iterable[Any]],
    compare: Callable[[Sequence[Value], Sequence[Value]], int], between: Sequence[int] | None,
) -> tuple[array[int], array[int], int]:  # fmt: skip
    """Each pair that shares a block once, with its pattern; and how many blocks were too large."""
    members: dict[int, int | list[int]] = {}  # by the key's hash, and a list only where a second one came: most come alone
    for place, record in enumerate(records):
        for key in {hash(key) for key in blocks(record)}:
            known = members.setdefault(key, place)
            if isinstance(known, list):
                known.append(place)
            elif known != place:
                members[key] = [known, place]
    count, skipped = len(records), 0
    pairs, patterns, seen = array("q"), array("L"), set[int]()
    blocks_by_size = sorted((block for block in members.values() if isinstance(block, list)), key=len)
    members.clear()
    for block in blocks_by_size:
        size = len(block)
        if size > MOST_IN_BLOCK or len(pairs) > _PAIRS_A_RECORD * max(count, 1_000):
            skipped += 1
            continue
        for at in range(size - 1):
            one = block[at]
            for other in block[at + 1 :]:
                pair = one * count + other
                if pair in seen or (between is not None and between[one] == between[other]):
                    continue
                seen.add(pair)
                pairs.append(pair)
                patterns.append(compare(records[one], records[other]))
    return pairs, patterns, skipped


# --- learning


def _learn(
    columns: Sequence[Column], records: Sequence[Sequence[Value]], patterns: Mapping[int, int],
    compare: Callable[[Sequence[Value], Sequence[Value]], int], chance: random.Random, between: Sequence[int] | None,
) -> Weights:  # fmt: skip
    count = len(records)
    strangers, agreement, common = _strangers(columns, records, compare, chance)
    alike = [list(column.likely) for column in columns]  # m
    others = [list(row) for row in strangers]  # of the pairs that share a block and are two people
    share = 0.2
    for _ in range(_ROUNDS):
        same = [[_PSEUDO_MATCHES * part for part in column.likely] for column in columns]
        apart = [[1.0] * 3 for _ in columns]
        matches = 0.0
        for pattern, times in patterns.items():
            levels = [(pattern >> 2 * place) & 3 for place in range(len(columns))]
            one, other = share, 1 - share
            for place, level in enumerate(levels):
                if level:
                    one *= alike[place][level - 1]
                    other *= others[place][level - 1]
            weight = times * (one / (one + other)) if one + other else 0.0
            matches += weight
            for place, level in enumerate(levels):
                if level:
                    same[place][level - 1] += weight
                    apart[place][level - 1] += times - weight
        alike = [[max(_LEAST, part / sum(row)) for part in row] for row in same]
        others = [[max(_LEAST, part / sum(row)) for part in row] for row in apart]
        share = min(0.999, max(1e-6, matches / max(1, sum(patterns.values()))))
    sides = Counter(between) if between is not None else None
    whole = sides[0] * sides[1] if sides is not None else count * (count - 1) / 2
    expected = max(1.0, share * sum(patterns.values())) / max(2.0, whole)
    bits = {
        column.name: (0.0, *(log2(m / max(1e-9, u)) for m, u in zip(alike[place], strangers[place], strict=True)))
        for place, column in enumerate(columns)
    }
    return Weights(bits, log2(expected / max(1e-9, 1 - expected)), common, agreement, count)


def _strangers(
    columns: Sequence[Column], records: Sequence[Sequence[Value]], compare: Callable[[Sequence[Value], Sequence[Value]], int],
    chance: random.Random,
) -> tuple[list[list[float]], dict[str, float], dict[str, Mapping[Any, int]]]:  # fmt: skip
    """u of each level: pairs drawn at random say how often strangers are close, and all values how often they are equal."""
    count = len(records)
    drawn = [[0.5] * 3 for _ in columns]
    for _ in range(min(_RANDOM_PAIRS, count * count) if count > 1 else 0):
        one, other = chance.randrange(count), chance.randrange(count)
        if one == other:
            continue
        pattern = compare(records[one], records[other])
        for place, row in enumerate(drawn):
            level = (pattern >> 2 * place) & 3
            if level:
                row[level - 1] += 1
    result: list[list[float]] = []
    agreement: dict[str, float] = {}
    common: dict[str, Mapping[Any, int]] = {}
    for place, column in enumerate(columns):
        values: Counter[Any] = Counter()
        filled = 0
        for record in records:
            value = record[place]
            if value:
                filled += 1
                values.update(value if column.kind == "many" else (value,))
        same = sum(times * (times - 1) for times in values.values())
        equal = (same + column.chance * _PSEUDO_STRANGERS) / (filled * (filled - 1) + _PSEUDO_STRANGERS)
        row = [part / sum(drawn[place]) for part in drawn[place]]
        result.append([max(1e-9, 1 - equal - row[1]), row[1], equal])
        if column.by_frequency:
            common[column.name] = values
            agreement[column.name] = max(equal, 1 / max(2, filled))
    return result, agreement, common


def _bits(columns: Sequence[Column], weights: Weights, pattern: int) -> float:
    return sum(weights.bits[column.name][(pattern >> 2 * place) & 3] for place, column in enumerate(columns))
