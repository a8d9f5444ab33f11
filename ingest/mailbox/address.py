"""The host is typed by a person, so it must not lead the hub into its own network (SSRF) unless he may allow it."""

from __future__ import annotations

import ipaddress
import socket

from crm_core.errors import Misconfigured


def refuse_private(host: str, port: int) -> None:
    """Raises Misconfigured when the name leads to any address that is not public. OSError if it cannot be resolved."""
    for *_, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        refuse_private_address(host, str(sockaddr[0]))


def refuse_private_address(host: str, address: str) -> None:
    """The same for the address that a connection really has: a name may resolve differently the second time."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    if not found.is_global or found.is_multicast:
        raise Misconfigured(
            "host_private",
            f"{host} is an address inside a private network or this machine. If you run that server yourself, "
            "set allow_private_host=true.",
            host=host,
        )
