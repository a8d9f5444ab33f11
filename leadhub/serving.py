"""The web server process: Granian with our WSGI application, forked after everything is imported."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable

from crm_core.base.config import HubConfig

#: Connections one process holds open; above it the kernel's backlog waits. More than a browser crowd or a proxy's
#: keep-alive pool needs, because idle keep-alive connections count too.
BACKPRESSURE = 512
#: As many as connections, so that a thread that waits for a slow body keeps nobody waiting (webhooks/entrance/bodies.py). They are made
#: when they are needed and end after half a minute; how many work at once is bounded behind the bodies (`PLACES`).
BLOCKING_THREADS = BACKPRESSURE
BACKLOG = 1024
#: A proxy in front has its own limit; without one, whoever sends a header byte by byte is cut off here.
HEADER_READ_MILLISECONDS = 10_000
RESPAWN_SECONDS = 0.5
KILL_SECONDS = 3  # within what `leadhub up` gives a role to end
_PR_SET_PDEATHSIG = 1


def serve(read_config: Callable[[], HubConfig]) -> None:
    """Serves until SIGTERM or Ctrl-C. Imports everything before it asks for the configuration, which may be waited for."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.server import Server

    import webhooks.wsgi  # noqa: F401 - imported before the fork, so that the processes share its memory

    config = read_config()
    bind_children()
    Server(
        "leadhub.wsgi:create",
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MILLISECONDS),
        websockets=False,
        workers=config.workers,
        blocking_threads=BLOCKING_THREADS,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        respawn_failed_workers=True,
        respawn_interval=RESPAWN_SECONDS,
        workers_kill_timeout=KILL_SECONDS,
        process_name=None,
    ).serve()


def bind_children() -> None:
    """From now on every process that this one forks is killed when this one dies, and shares what is loaded by now.

    A garbage collection in a child would write into every object and so copy every page: frozen objects are left alone.
    """
    gc.collect()
    gc.freeze()
    os.register_at_fork(after_in_child=_die_with_parent)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
