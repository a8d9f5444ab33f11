"""Who sent a form: a visitor with a browser, a program, or nobody that can be told. What his request says about him."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from connectors.kit.forms.config import FormConfig
from crm_core.parsed import Inquiry
from crm_core.spam import Signal
from crm_core.spam.texts import host_of, is_below
from ingest.journal.claim import Claimed
from ingest.sources.settings import LoadedSource

#: A proxy of ours, or our own network. An address from these says nothing about the visitor.
_INSIDE: Final = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::/128", "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
_SHORTEST_AGENT: Final = 2  # characters; every browser says more


@lru_cache(maxsize=1024)  # each post asks three times
def network_of(remote_ip: str) -> str:
    """The visitor's address as rates count it, of IPv6 the /64 that one household has; "" for our own side or nonsense."""
    try:
        address = ipaddress.ip_address(remote_ip.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in net for net in _INSIDE if net.version == address.version):
        return ""
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def is_visitor(event: Claimed, source: LoadedSource) -> bool:
    """True if the visitor's own browser sent it, or a robot that plays one; False for a provider's server."""
    if source.connector.sender == "browser":
        return True
    headers = event.headers
    return "mozilla/" in _agent(event) and any(name in headers for name in ("sec-fetch-site", "origin", "accept-language"))


def says_it_is_a_program(event: Claimed) -> bool:
    """A site's own server that passes forms on, a script: honest about it, and one address for all its visitors."""
    agent = _agent(event)
    return len(agent) >= _SHORTEST_AGENT and "mozilla/" not in agent


def request_signals(event: Claimed, inquiry: Inquiry, settings: FormConfig, own_hosts: tuple[str, ...]) -> Iterator[Signal]:
    """Signs in a visitor's request, all weak. What comes from our own side may have lost its headers on the way.

    `own_hosts`: where the form may stand, if the source's settings say so.
    """
    if len(_agent(event)) < _SHORTEST_AGENT and network_of(event.remote_ip):
        yield Signal("user_agent")
    if not settings.allowed_origins:
        return  # nobody said where the form stands
    pages = [
        host for value in (event.headers.get("origin"), event.headers.get("referer"), inquiry.attribution.page_url)
        if value and (host := host_of(str(value))) and host != "null"
    ]  # fmt: skip
    if not pages and event.headers.get("origin") != "null":  # a sandboxed page may say no more
        yield Signal("no_referrer")
    elif pages and not is_below(pages[0], own_hosts):
        yield Signal("foreign_origin", pages[0][:100])


def _agent(event: Claimed) -> str:
    return str(event.headers.get("user-agent", "")).strip().casefold()
