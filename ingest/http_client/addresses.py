"""Which addresses the hub may connect to when somebody else names them: the public internet, and what the operator allows.

One table for every door that connects, web and mail alike. A source's settings can allow nothing. Refuses loopback, private, link-local, shared, multicast and reserved networks, and every IPv6 form that wraps an IPv4
address (mapped, NAT64, 6to4, Teredo), because behind it may stand any of those.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from crm_core.base.config import HubConfig

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Ports that a web server is expected on. An allowed host may be asked on any.
PORTS = (80, 443)

#: IANA's registries of special addresses, and what `is_global` of older Pythons calls public although it is not.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",  # the last is Azure's host, a public address inside
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

#: One address and port in the home, while the demo's mail server runs there: `leadhub demo` writes and removes it. Who may
#: write into the home is the operator.
DEMO_MAILBOX = "demo_mailbox"
_LONGEST_ENDPOINT = 64  # characters; an IPv6 address with its port has 47

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the owner of the installation lets the hub reach besides the public internet."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()  # lower case; whatever they resolve to
    endpoints: frozenset[tuple[Address, int]] = frozenset()  # this port of this address only

    def host(self, name: str) -> bool:
        return name.lower().rstrip(".") in self.hosts

    def address(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)


def allowed_of(entries: Iterable[str]) -> Allowed:
    """From the setting's entries: addresses, networks and host names. ValueError names the one that is none of them."""
    networks: list[Network] = []
    hosts: set[str] = set()
    for entry in entries:
        text = entry.strip().lower().rstrip(".")
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            if not _HOST.fullmatch(text) or text.replace(".", "").isdigit():
                raise ValueError(f"{entry!r} is no address, network or host name") from None
            hosts.add(text)
    return Allowed(tuple(networks), frozenset(hosts))


def allowed_here(config: HubConfig) -> Allowed:
    """What the operator of this installation allows: the setting, and the demo's own mailbox while it is there."""
    allowed = allowed_of(config.outbound_allow)
    endpoint = _demo_mailbox(config.home)
    return allowed if endpoint is None else replace(allowed, endpoints=frozenset({endpoint}))


def _demo_mailbox(home: Path) -> tuple[Address, int] | None:
    try:
        with (home / DEMO_MAILBOX).open(encoding="ascii") as file:
            address, _, port = file.read(_LONGEST_ENDPOINT).strip().rpartition(" ")
        return ipaddress.ip_address(address), int(port)
    except (OSError, ValueError):
        return None


def may_connect(address: Address, allowed: Allowed, port: int = 0) -> bool:
    """True for an address of the public internet, and for one in an allowed network or at an allowed port."""
    if allowed.address(address) or (address, port) in allowed.endpoints:
        return True
    return address.is_global and not any(address.version == network.version and address in network for network in _REFUSED)
