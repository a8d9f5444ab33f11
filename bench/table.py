"""One line of the performance table: a figure, what it is held against, and whether the bar is met."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    product: str
    baseline: str  # "" where the bar is an absolute one of the specification
    ratio: str
    bar: str
    met: bool | None  # None: told for completeness, judged by nobody


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the rounds' ratios, and how far they spread."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio(product: Sequence[float], baseline: Sequence[float]) -> Ratio:
    """Round by round: the machine's disk changes between minutes, hardly between neighbours."""
    each = [ours / theirs for ours, theirs in zip(product, baseline, strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def at_least(what: str, ours: Sequence[float], theirs: Sequence[float], bar: float | None, unit: str, name: str) -> Line:
    """More is better. `bar` None makes a line for information."""
    found = ratio(ours, theirs)
    return Line(
        what, f"{middle(ours):,.0f} {unit}", f"{name} {middle(theirs):,.0f} {unit}", str(found),
        "" if bar is None else f"≥ {bar:g} ×", None if bar is None else found.median >= bar,
    )  # fmt: skip


def at_most(what: str, ours: Sequence[float], theirs: Sequence[float], bar: float | None, unit: str, name: str) -> Line:
    """Less is better. `bar` None makes a line for information."""
    found = ratio(ours, theirs)
    return Line(
        what, f"{middle(ours):.1f} {unit}", f"{name} {middle(theirs):.1f} {unit}", str(found),
        "" if bar is None else f"≤ {bar:g} ×", None if bar is None else found.median <= bar,
    )  # fmt: skip


def limit(what: str, value: float, bar: float, unit: str, digits: int = 0) -> Line:
    """A figure with a bar of its own, at most `bar`."""
    return Line(what, f"{value:.{digits}f} {unit}".strip(), "", "", f"≤ {bar:g} {unit}".strip(), value <= bar)


def skipped(what: str, reason: str) -> Line:
    """A figure that cannot be had on this machine, and why."""
    return Line(what, f"skipped: {reason}", "", "", "", None)


def show(lines: Sequence[Line]) -> str:
    """A Markdown table that also reads well on a terminal."""
    rows = [("figure", "Leadhub", "baseline", "ratio (lowest to highest round)", "bar", "")]
    rows += [
        (
            line.what,
            line.product,
            line.baseline,
            line.ratio,
            line.bar,
            {True: "met", False: "MISSED", None: ""}[line.met],
        )
        for line in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    drawn = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    drawn.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(drawn)


def write_json(path: Path, lines: Sequence[Line], machine: dict[str, str]) -> None:
    path.write_text(json.dumps({"machine": machine, "lines": [asdict(line) for line in lines]}, indent=1, ensure_ascii=False))
