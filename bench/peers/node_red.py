"""node-red 5 on Node 24: http in → function → insert → response after the commit, against the hub's full entrance.

Both come from npm into a folder of this environment, at the versions and hashes of `node-red/package-lock.json`, without
running any install script. Node comes as the package of its architecture, which is what the package `node` would fetch in one.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg

from bench.capture import COST, MOST_POSTS, post_with_cost, rates, w0_server
from bench.load import closed_loop, posts
from bench.processor import microseconds_each
from bench.stage import Stage, listens, running, wait_until
from bench.table import Line, at_least, at_most, skipped
from leadhub.embedded import ports

TABLE = "CREATE TABLE node_red (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text UNIQUE, body text,"
TABLE += " at timestamptz DEFAULT now())"

_PROGRAM = Path(__file__).with_name("node-red")
_FILES = ("package.json", "package-lock.json", "settings.js", "flows.json")
_INSTALL_SECONDS = 600
_WHAT = "posts acknowledged after commit, beside node-red"


def measure(stage: Stage, rounds: int, seconds: float) -> list[Line]:
    """A B A B …: the disk and the neighbours change from minute to minute, so only neighbours are compared."""
    try:
        folder = installed()
    except Missing as reason:
        return [skipped(_WHAT, str(reason))]
    with contextlib.ExitStack() as stack:
        hub = stage.hub("bench_peers")
        port = stack.enter_context(_served(stage, folder))
        w0_port = stack.enter_context(w0_server(stage))
        stack.enter_context(hub.role("web"))
        closed_loop(port, posts("/lead", MOST_POSTS * rounds), 1.0)  # V8 has compiled what it is going to compile
        ours, theirs, least = [], [], []
        our_cost, their_cost = [], []
        for number in range(rounds):
            first = number * MOST_POSTS
            took, cost = microseconds_each(
                port, stage.url("bench_node_red"), partial(closed_loop, port, posts("/lead", first), seconds)
            )
            theirs.append(took)
            their_cost.append(cost)
            took, cost = post_with_cost(hub, first, seconds)
            ours.append(took)
            our_cost.append(cost)
            least.append(closed_loop(w0_port, posts("/lead", number * MOST_POSTS), seconds))
        _require_stored(stage, sum(each.answered - each.refused for each in theirs))
    stage.drop("bench_peers")
    return [
        at_least(_WHAT, rates(ours), rates(theirs), 1.2, "/s", "node-red"),
        at_most("p99 of these answers", [r.p99_ms for r in ours], [r.p99_ms for r in theirs], 1.0, "ms", "node-red"),
        at_most(COST, our_cost, their_cost, None, "µs", "node-red"),
        at_least("the same round, beside the least", rates(ours), rates(least), None, "/s", "W0"),
    ]  # fmt: skip


class Missing(Exception):
    """The peer cannot be had on this machine; the text says why."""


def installed() -> Path:
    """The folder in which node-red is, made if need be. Raises Missing."""
    lock = hashlib.sha256((_PROGRAM / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(sys.prefix) / "bench-peers" / f"node-red-{lock}"
    if not (folder / ".installed").exists():
        npm = shutil.which("npm")
        if npm is None:
            raise Missing("npm is missing")
        print("  installing node-red and Node from npm …", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in _FILES:
            shutil.copy(_PROGRAM / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Missing("npm did not end in time") from None
        if done.returncode != 0:
            raise Missing(f"npm failed: {(done.stderr.strip().splitlines() or ['it says nothing'])[0]}")
        if not _node(folder).exists():
            raise Missing(f"npm has no Node 24 for {platform.system()} on {platform.machine()}")
        (folder / ".installed").touch()
    for name in ("settings.js", "flows.json"):  # not part of the lock
        shutil.copy(_PROGRAM / name, folder)
    return folder


def _node(folder: Path) -> Path:
    architecture = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return folder / "node_modules" / f"node-linux-{architecture}" / "bin" / "node"


@contextlib.contextmanager
def _served(stage: Stage, folder: Path) -> Iterator[int]:
    url = stage.database("bench_node_red")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
    port = ports.any_free_port()
    command = [str(_node(folder)), "node_modules/node-red/red.js", "--settings", "settings.js", "--userDir", "."]
    log = stage.directory / "node_red.log"
    environment = {"BENCH_DATABASE_URL": url, "BENCH_PORT": str(port)}
    with running(command, log, environment, cwd=folder) as process:
        wait_until(lambda: listens(port) and _answers(port), process, log)
        yield port
    stage.drop("bench_node_red")


def _answers(port: int) -> bool:
    """Its flow has started: before that it listens and knows no such address."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("POST", "/lead", b"{}", {"Content-Type": "application/json", "Idempotency-Key": "first"})
        return connection.getresponse().status == 200


def _require_stored(stage: Stage, acknowledged: int) -> None:
    with psycopg.connect(stage.url("bench_node_red")) as connection:
        row = connection.execute("SELECT count(*) FROM node_red").fetchone()
    if row is None or row[0] < acknowledged:
        raise RuntimeError(f"node-red acknowledged {acknowledged} posts, {row and row[0]} are stored")
