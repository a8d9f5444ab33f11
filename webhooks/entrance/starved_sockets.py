"""Finds connections of this process over which next to nothing comes, and shuts their reading side.

Linux only, like PR_SET_PDEATHSIG in `leadhub.serving`; elsewhere it finds none, and the proxy in front does this work.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DESCRIPTORS: Final = Path("/proc/self/fd")
#: tcpi_bytes_acked and tcpi_bytes_received in struct tcp_info (linux/tcp.h, since 4.1).
_BYTES: Final = struct.Struct("QQ")
_BYTES_AT: Final = 120


@dataclass(slots=True)
class _Seen:
    since: float  # monotonic
    sent: int
    received: int


class StarvedSockets:
    """What was seen of each connection, from look to look. Not for use by two threads."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def forget(self) -> None:
        self._seen.clear()

    def look(self, now: float, addresses: Collection[str]) -> None:
        """Notes how much came over the connections with these addresses."""
        seen: dict[int, _Seen] = {}
        for name, connection in _connections(addresses):
            with connection:
                sent, received = _bytes_of(connection)
            known = self._seen.get(name)
            # An answer went out: this connection is at another request by now.
            seen[name] = known if known is not None and known.sent == sent else _Seen(now, sent, received)
        self._seen = seen

    def shut(self, now: float, addresses: Collection[str], seconds: float, least_per_second: int) -> int:
        """Shuts those that have sent less than the rate for at least so many seconds; how many that were. The reading
        thread then sees the end of the body, and can still answer."""
        count = 0
        for name, connection in _connections(addresses):
            with connection:
                known = self._seen.get(name)
                if known is None or now - known.since < seconds:
                    continue
                sent, received = _bytes_of(connection)
                if sent != known.sent or received - known.received >= (now - known.since) * least_per_second:
                    self._seen[name] = _Seen(now, sent, received)  # what it sent quickly once counts for one spell only
                    continue
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
                    count += 1
        return count


def _connections(addresses: Collection[str]) -> Iterator[tuple[int, socket.socket]]:
    """A duplicate of each TCP connection to one of the addresses, under the number of its inode."""
    try:
        descriptors = list(_DESCRIPTORS.iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        with suppress(OSError):
            # The duplicate stays this connection, even if the number is given to another one meanwhile. So it is the
            # duplicate that is asked what it is: what stood behind the number a moment ago may have been cut just now.
            duplicate = os.dup(int(descriptor.name))
            status = os.fstat(duplicate)
            if not stat.S_ISSOCK(status.st_mode):
                os.close(duplicate)
                continue
            connection = socket.socket(fileno=duplicate)
            if _is_of(connection, addresses):
                yield status.st_ino, connection
            else:
                connection.close()


def _is_of(connection: socket.socket, addresses: Collection[str]) -> bool:
    try:
        return (
            connection.family in (socket.AF_INET, socket.AF_INET6)
            and connection.type == socket.SOCK_STREAM
            and connection.getpeername()[0] in addresses
        )
    except OSError:
        return False


def _bytes_of(connection: socket.socket) -> tuple[int, int]:
    """(acknowledged by the other side, received) so far; (0, 0) where the kernel does not say."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(info) < _BYTES_AT + _BYTES.size:
        return 0, 0
    sent, received = _BYTES.unpack_from(info, _BYTES_AT)
    return sent, received
