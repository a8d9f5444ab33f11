"""What `leadhub up` costs when nothing happens: memory of all its processes, and how long a second start takes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.stage import ROOT, Stage
from bench.table import Line, limit


def measure(stage: Stage, rest_seconds: float) -> list[Line]:
    home = stage.directory / "up"
    with _up(home):
        pass  # the first start makes the database; the second is the one that people wait for
    with _up(home) as (process, seconds):
        time.sleep(rest_seconds)
        memory = proportional_mib(process.pid)
    total = sum(memory.values())
    print("  " + ", ".join(f"{name} {size:.0f}" for name, size in sorted(memory.items())), file=sys.stderr)
    return [
        limit("memory of everything `leadhub up` starts, idle (PSS)", total, 600, "MB"),
        limit("second start to ready", seconds, 4, "s", 1),
    ]


def proportional_mib(pid: int) -> dict[str, float]:
    """PSS in MB of a process and its descendants, by what they are: memory that several share counts once."""
    sums: dict[str, float] = {}
    parent = psutil.Process(pid)
    for process in (parent, *parent.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            name = _name(process.cmdline())
            sums[name] = sums.get(name, 0.0) + process.memory_full_info().pss / 2**20
    return sums


def _name(command: list[str]) -> str:
    first = Path(command[0].split(":")[0]).name if command else ""
    if "leadhub" in command:
        return command[command.index("leadhub") + 1]
    return first.split()[0] if first else "?"


@contextlib.contextmanager
def _up(home: Path) -> Iterator[tuple[subprocess.Popen[str], float]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADHUB_")}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "leadhub", "up", "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**environment, "LEADHUB_HOME": str(home)}, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                if json.loads(line).get("ready"):
                    break
        else:
            raise RuntimeError("`leadhub up` ended before it was ready")
        yield process, time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
