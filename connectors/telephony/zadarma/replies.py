"""The check of the address in the cabinet, and the answer to every event."""

from __future__ import annotations

import re

from connectors.kit import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode_query

#: What is echoed is somebody's input shown under our name: nothing that a browser could take for a page.
_ECHO = re.compile(r"[A-Za-z0-9_-]{1,64}")


def handshake(request: Request, _config: ConnectorConfig) -> Reply | None:
    """`GET ?zd_echo=XXX` wants XXX back and nothing else."""
    if request.method != "GET" or "zd_echo=" not in request.query:
        return None
    echo = decode_query(request.query, set()).get("zd_echo")
    return Reply(echo.encode("ascii")) if isinstance(echo, str) and _ECHO.fullmatch(echo) else None


def reply(_request: Request, _config: ConnectorConfig) -> Reply:
    """No instruction: the call goes on as the exchange's own scenario says."""
    return Reply(b"{}", content_type="application/json")
