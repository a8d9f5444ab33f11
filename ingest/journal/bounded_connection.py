"""A raw connection whose every wait ends, also when the server has stopped answering without closing the line.

A statement timeout is the server's own promise; a server that hangs cannot keep it.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen

from crm_core.base.database import connect_options, libpq_url

#: Asked of the kernel for bytes that are sent but not acknowledged: the line itself is gone.
_TCP_USER_TIMEOUT_MS = 4_000


class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """Raises OperationalError when one exchange with the server takes longer than `limit_seconds`; then close it."""

    limit_seconds: float = 2.9

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        return super().wait(gen, interval, self.limit_seconds if timeout is None else timeout)


def connect_bounded(url: str, role: str, limit_seconds: float, options: str = "") -> BoundedConnection:
    """Autocommit. Connecting itself is bounded by 2 s, the least that libpq's clock knows."""
    connection = BoundedConnection.connect(
        libpq_url(url),
        autocommit=True,
        connect_timeout=2,
        keepalives_idle=15,
        tcp_user_timeout=_TCP_USER_TIMEOUT_MS,
        options=f"{connect_options(role)} {options}",
    )
    connection.limit_seconds = limit_seconds
    return connection
