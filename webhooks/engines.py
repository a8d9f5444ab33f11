"""One SQLAlchemy engine a process for pages and API, made on first use. The entrances have their own connection."""

from __future__ import annotations

import os
import threading

from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine

#: As many as a web process has threads at most, so that a request never waits for another one's connection.
_POOL_SIZE = 8


class _Held:
    """What this process has open."""

    def __init__(self) -> None:
        self.engines: dict[str, Engine] = {}
        self.lock = threading.Lock()


_held = _Held()


def ui_engine(config: HubConfig) -> Engine:
    with _held.lock:
        if config.database_url not in _held.engines:
            _held.engines[config.database_url] = make_engine(config.database_url, "ui", pool_size=_POOL_SIZE)
        return _held.engines[config.database_url]


def close_engines() -> None:
    """Closes all connections of this process. The next use opens new ones."""
    with _held.lock:
        for engine in _held.engines.values():
            engine.dispose()
        _held.engines.clear()


def _forget_after_fork() -> None:
    """A child must not speak on its parent's sockets, nor close them (SQLAlchemy: `dispose(close=False)`)."""
    _held.lock = threading.Lock()  # the parent may have held it at the moment of the fork
    for engine in _held.engines.values():
        engine.dispose(close=False)
    _held.engines.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
