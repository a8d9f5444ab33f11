"""How many posts a second are acknowledged after their commit: the product's full entrance against F0 and W0.

F0 and W0 do nothing with what they store, so the entrance is judged without workers; with them it is told beside it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench import history
from bench.baselines import f0, w0
from bench.load import Round, closed_loop, posts, preset_posts
from bench.processor import microseconds_each
from bench.stage import Hub, Stage, listens, running, wait_until
from bench.table import Line, at_least, at_most, limit
from leadhub.embedded import ports

COST = "processor time of each, web and database sessions"
MOST_POSTS = 1_000_000  # numbers kept apart for one round, so that no key comes twice


def measure(stage: Stage, rounds: int, seconds: float) -> list[Line]:
    with contextlib.ExitStack() as stack:
        hub = stage.hub("bench_capture")
        f0_port = stack.enter_context(_f0(stage))
        w0_port = stack.enter_context(w0_server(stage))
        stack.enter_context(hub.role("web"))
        ours, obvious, least, presets = [], [], [], []
        our_cost, least_cost = [], []
        for number in range(rounds):
            first = number * MOST_POSTS
            obvious.append(closed_loop(f0_port, posts("/lead", first), seconds))
            took, cost = post_with_cost(hub, first, seconds)
            ours.append(took)
            our_cost.append(cost)
            took, cost = w0_with_cost(stage, w0_port, first, seconds)
            least.append(took)
            least_cost.append(cost)
            presets.append(closed_loop(hub.config.port, preset_posts(urlsplit(hub.preset.url).path, first), seconds))
        _require_stored(hub, "inbound_event", [*ours, *presets])
        stack.enter_context(hub.role("worker"))
        stack.enter_context(hub.role("beat"))
        obvious_again, working = [], []
        for number in range(rounds, rounds + max(1, rounds // 2)):
            first = number * MOST_POSTS
            obvious_again.append(closed_loop(f0_port, posts("/lead", first), seconds))
            working.append(post(hub, first, seconds))
    stage.drop("bench_capture")
    return [
        at_least("posts acknowledged after commit, entrance alone", rates(ours), rates(obvious), 2.0, "/s", "F0"),
        at_least("the same", rates(ours), rates(least), 0.7, "/s", "W0"),
        at_most(COST, our_cost, least_cost, None, "µs", "W0"),
        at_most("p99 of these answers", [r.p99_ms for r in ours], [r.p99_ms for r in obvious], 0.6, "ms", "F0"),
        at_least("posts to a preset's address (Tilda) acknowledged", rates(presets), rates(obvious), 2.0, "/s", "F0"),
        at_least("the same", rates(presets), rates(least), 0.45, "/s", "W0"),
        at_most("p99 of these answers", [r.p99_ms for r in presets], [r.p99_ms for r in obvious], 0.6, "ms", "F0"),
        limit("answers other than 2xx", sum(r.refused for r in (*ours, *presets, *working)), 0, ""),
        at_least(
            "the same, both workers busy with them on the same cores", rates(working), rates(obvious_again), None,
            "/s", "F0",
        ),
    ]  # fmt: skip


def measure_with_history(stage: Stage, rounds: int, seconds: float, leads: int) -> list[Line]:
    """Capture on an empty hub and on one with a history, side by side."""
    with contextlib.ExitStack() as stack:
        empty, full = stage.hub("bench_empty"), stage.hub("bench_full")
        history.fill(full.config.database_url, full.form.id, leads)
        stack.enter_context(empty.role("web"))
        stack.enter_context(full.role("web"))
        before, after = [], []
        for number in range(rounds):
            before.append(post(empty, number * MOST_POSTS, seconds))
            after.append(post(full, number * MOST_POSTS, seconds))
    stage.drop("bench_empty")
    stage.drop("bench_full")
    what = f"posts acknowledged with {leads:,} leads in the hub"
    return [at_least(what, rates(after), rates(before), 0.95, "/s", "empty hub")]


def post(hub: Hub, first: int, seconds: float) -> Round:
    """A closed loop of 16 connections on the hub's form."""
    return closed_loop(hub.config.port, posts(urlsplit(hub.form.url).path, first), seconds)


def post_with_cost(hub: Hub, first: int, seconds: float) -> tuple[Round, float]:
    """The same, and the processor time that each post cost."""
    return microseconds_each(hub.config.port, hub.config.database_url, lambda: post(hub, first, seconds))


def w0_with_cost(stage: Stage, port: int, first: int, seconds: float) -> tuple[Round, float]:
    return microseconds_each(port, stage.url("bench_w0"), lambda: closed_loop(port, posts("/lead", first), seconds))


@contextlib.contextmanager
def _f0(stage: Stage) -> Iterator[int]:
    argv = ["gunicorn", "--workers=2", "--worker-class=gthread", "--threads=8", "--log-level=warning"]
    with _baseline(stage, "f0", f0.TABLE, [*argv, "--bind=127.0.0.1:{port}", "bench.baselines.f0:application"]) as port:
        yield port


@contextlib.contextmanager
def w0_server(stage: Stage) -> Iterator[int]:
    argv = [
        "granian",
        "--interface=wsgi",
        "--no-ws",
        "--workers=2",
        "--blocking-threads=16",
        "--log-level=error",
    ]
    with _baseline(stage, "w0", w0.TABLE, [*argv, "--port={port}", "bench.baselines.w0:application"]) as port:
        yield port


@contextlib.contextmanager
def _baseline(stage: Stage, name: str, table: str, argv: list[str]) -> Iterator[int]:
    url = stage.database(f"bench_{name}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(table)
    port = ports.any_free_port()
    program = Path(sys.executable).with_name(argv[0])
    command = [str(program), *(part.format(port=port) for part in argv[1:])]
    log = stage.directory / f"{name}.log"
    with running(command, log, {"BENCH_DATABASE_URL": url}) as process:
        wait_until(lambda: listens(port), process, log)
        yield port
    stage.drop(f"bench_{name}")


def rates(rounds: list[Round]) -> list[float]:
    return [each.rate for each in rounds]


def _require_stored(hub: Hub, table: str, rounds: list[Round]) -> None:
    """A figure counts only if what was acknowledged is there."""
    with psycopg.connect(hub.config.database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    acknowledged = sum(each.answered - each.refused for each in rounds)
    if row is None or row[0] < acknowledged:
        raise RuntimeError(f"{acknowledged} posts were acknowledged, {row and row[0]} are stored")
