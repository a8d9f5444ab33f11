"""Ports for the servers of tests. Each is given once in a run, so that two tests never want the same one.

They lie below the range that the system gives to connections and to whoever asks for any port: between the choice of a port
and the start of its server nobody else gets it by chance.
"""

from __future__ import annotations

import fcntl
import os
import random
from pathlib import Path

from leadhub.embedded import ports

#: Above 10080, the last port that browsers refuse to open; below Linux's own range.
_FIRST, _END = 10_100, 32_700


def own_port() -> int:
    """A port of 127.0.0.1 where nobody listens and that no other process of this run is given."""
    with Path(os.environ["LEADHUB_TEST_RUN"], "ports").open("a+") as book:
        fcntl.flock(book, fcntl.LOCK_EX)
        book.seek(0)
        # Runs begin anywhere, because several may share a machine.
        port = int(book.read() or random.SystemRandom().randrange(_FIRST, _END))
        while not ports.is_free("127.0.0.1", port):
            port = _following(port)
        book.seek(0)
        book.truncate()
        book.write(str(_following(port)))
    return port


def _following(port: int) -> int:
    return port + 1 if port + 1 < _END else _FIRST
