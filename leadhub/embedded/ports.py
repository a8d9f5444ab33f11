"""Ports of this machine: the wanted one if it is free, else a free one near it."""

from __future__ import annotations

import errno
import socket

#: How many neighbours of a taken port are tried, so that the choice is the same on the next start.
NEIGHBOURS = 20


def is_free(host: str, port: int) -> bool:
    """True when a server could listen there now. An address that is not of this machine raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def any_free_port(host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def choose_port(host: str, wanted: int) -> int:
    for port in range(wanted, min(wanted + NEIGHBOURS, 65536)):
        if is_free(host, port):
            return port
    return any_free_port(host)
