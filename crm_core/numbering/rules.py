"""The registry's files: lines of code; from; to; capacity; operator; region; … Pure.

The files are those that the Russian regulator publishes (ABC-3xx, ABC-4xx, ABC-8xx, DEF-9xx): semicolons, UTF-8 or Windows-1251,
a heading or none, more columns behind the region in newer ones.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MOST_BYTES = 128 * 1024 * 1024
_COLUMNS = 6
_SUBSCRIBERS = 10_000_000  # numbers of one code

_SHORT = (
    (re.compile(r"\bобл\.(?=\s|$)|\bобл\b"), "область"),
    (re.compile(r"\b[Рр]есп\.?(?=\s|$)"), "Республика"),
    (re.compile(r"\s*\*\s*"), " и "),
    (re.compile(r"\s+"), " "),
)
_TOWN = re.compile(r"(?:г\.\s*о\.|г\.|город\s)\s*")


@dataclass(frozen=True, slots=True)
class Range:
    """National numbers of ten digits, both ends included."""

    first: int
    last: int
    region: str
    operator: str


@dataclass(frozen=True, slots=True)
class Registry:
    ranges: tuple[Range, ...]  # by `first`, without overlaps
    skipped: tuple[str, ...]  # what was wrong, as "line 17"; the heading is not

    @property
    def blocks(self) -> frozenset[str]:
        """First digits of the codes: what an import replaces."""
        return frozenset(str(one.first)[0] for one in self.ranges)


def read_registry(data: bytes) -> Registry:
    """Never raises for what a file holds; what is no range is named in `skipped`."""
    ranges: list[Range] = []
    skipped: list[str] = []
    for number, cells in enumerate(csv.reader(_text(data[:_MOST_BYTES]).splitlines(), delimiter=";"), 1):
        if not any(cell.strip() for cell in cells):
            continue
        found = _range(cells)
        if found is not None:
            ranges.append(found)
        elif ranges or number > 1 or any(cell.strip().isdecimal() for cell in cells):
            skipped.append(f"line {number}")
    kept: list[Range] = []
    for one in sorted(ranges, key=lambda one: (one.first, one.last)):
        if kept and one.first <= kept[-1].last:
            if one != kept[-1]:
                skipped.append(f"{one.first}–{one.last} overlaps")
        else:
            kept.append(one)
    return Registry(tuple(kept), tuple(skipped))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251", "replace")


def _range(cells: list[str]) -> Range | None:
    if len(cells) < _COLUMNS:
        return None
    code, first, last, _, operator, region = (cell.strip() for cell in cells[:_COLUMNS])
    if not all(number.isascii() and number.isdecimal() and len(number) <= 7 for number in (code, first, last)):
        return None
    base = int(code) * _SUBSCRIBERS
    name = region_name(region)
    if len(code) != 3 or code[0] not in "3489" or int(first) > int(last) or not name:
        return None
    if not {'"', "«", "»"}.isdisjoint(name):
        return None  # a semicolon in the operator's name that nobody quoted: its rest is no region
    return Range(base + int(first), base + int(last), name, operator)


def region_name(written: str) -> str:
    """The region in one spelling: the last part of `г. Екатеринбург|Свердловская обл.` is "Свердловская область"."""
    name = written.rpartition("|")[2].strip()
    for pattern, whole in _SHORT:
        name = pattern.sub(whole, name)
    return _TOWN.sub("", name).strip(" .,")


def joined(registries: Iterable[Registry]) -> Iterator[Range]:
    """The ranges of several files, by `first`; of two that overlap the one of the earlier file."""
    end = 0
    for one in sorted((one for registry in registries for one in registry.ranges), key=lambda one: one.first):
        if one.first > end:
            end = one.last
            yield one
