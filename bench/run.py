"""Runs the measurements and prints the table. Exit status 1 if a bar was missed."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import capture, engine, idle, latency, linkage, match, racing, reading, redelivery, routing
from bench.peers import node_red
from bench.stage import Stage, servers
from bench.table import Line, show, write_json

#: Name → (what it does in a full run, what it does in a quick one).
Measurement = Callable[[Stage], list[Line]]
MEASUREMENTS: dict[str, tuple[Measurement, Measurement]] = {
    "capture": (lambda s: capture.measure(s, 5, 5.0), lambda s: capture.measure(s, 2, 2.0)),
    "peers": (lambda s: node_red.measure(s, 5, 4.0), lambda s: node_red.measure(s, 3, 2.0)),
    "history": (
        lambda s: capture.measure_with_history(s, 5, 3.0, 50_000),
        lambda s: capture.measure_with_history(s, 2, 1.5, 50_000),
    ),
    "engine": (lambda s: engine.measure(s, 3, 20_000, 8_000), lambda s: engine.measure(s, 1, 10_000, 4_000)),
    "latency": (lambda s: latency.measure(s, 50, 20.0), lambda s: latency.measure(s, 50, 6.0)),
    "reading": (lambda s: reading.measure(s, 15), lambda s: reading.measure(s, 5)),
    "redelivery": (redelivery.measure, redelivery.measure),
    "match": (
        lambda s: match.measure(s, match.SEEDS, match.PEOPLE),
        lambda s: match.measure(s, match.SEEDS[:1], match.PEOPLE),
    ),
    "linkage": (linkage.measure, lambda s: linkage.measure(s, 30_000)),
    "race": (
        lambda s: racing.measure(s, 2_000, 8_000, 1_000_000, 10_000_000),
        lambda s: racing.measure(s, 500, 2_000, 100_000, 1_000_000),
    ),
    "route": (lambda s: routing.measure(s, 10_000, 20_000), lambda s: routing.measure(s, 2_000, 4_000)),
    "idle": (lambda s: idle.measure(s, 10.0), lambda s: idle.measure(s, 3.0)),
}

#: Measured only when they are asked for: they install programs of other houses, or fill the disk with millions of rows.
ASKED_FOR = ("peers", "race")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("named", nargs="*", choices=[*MEASUREMENTS, []], metavar="MEASUREMENT", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds; a first look, not a verdict")
    parser.add_argument("--only", action="append", choices=list(MEASUREMENTS), help="one measurement; may be repeated")
    parser.add_argument("--peers", action="store_true", help="node-red as well, installed from npm")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args(argv)
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="leadhub-bench-") as name:
        directory = Path(name)
        directory.chmod(0o711)  # PostgreSQL may have to run as somebody else
        with servers(directory) as stage:
            for measurement in wanted([*options.named, *(options.only or ())], peers=options.peers):
                began = time.monotonic()
                found = MEASUREMENTS[measurement][options.quick](stage)
                lines += found
                print(f"{measurement}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    if str(options.json) != "/dev/stdout":  # else the table would stand in the way of whoever reads JSON
        print(show(lines))
    if options.json:
        write_json(options.json, lines, machine())
    return int(any(line.met is False for line in lines))


def wanted(only: Sequence[str] | None, *, peers: bool) -> Sequence[str]:
    return only or [name for name in MEASUREMENTS if peers or name not in ASKED_FOR]


def machine() -> dict[str, str]:
    """What a figure needs beside it to be compared."""
    model = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "",
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**30
    return {
        "processor": f"{len(os.sched_getaffinity(0))} × {model or platform.machine()}", "memory_gib": str(pages),
        "kernel": platform.release(), "python": platform.python_version(),
    }  # fmt: skip
