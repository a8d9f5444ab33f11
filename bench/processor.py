"""Processor time that a server and its database sessions spend on a request: what busy neighbours hardly change."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import psutil  # type: ignore[import-untyped]
import psycopg

from bench.load import Round


def microseconds_each(port: int, url: str, run: Callable[[], Round], warm_up: float = 0.5) -> tuple[Round, float]:
    """What `run` returns, and what each of its requests cost: everything below the program that serves at `port`, and the
    sessions of the database at `url`. The load client is not in it."""
    server = _tree(port)
    with psycopg.connect(url, autocommit=True) as connection:
        sessions = [
            pid
            for (pid,) in connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ]
    before = _seconds(server + sessions)
    done = run()
    spent = _seconds(server + sessions) - before
    return done, 1e6 * spent / max(1.0, done.answered * (done.seconds + warm_up) / done.seconds)


def _tree(port: int) -> list[int]:
    """The processes of the program at that port: from the one that we started downwards."""
    for connection in psutil.net_connections("tcp4"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            process = psutil.Process(connection.pid)
            while (parent := process.parent()) is not None and parent.pid != os.getpid():
                process = parent
            return [process.pid, *(child.pid for child in process.children(recursive=True))]
    raise RuntimeError(f"nobody listens at port {port}")


def _seconds(pids: list[int]) -> float:
    total = 0.0
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total
