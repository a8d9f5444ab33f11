"""Notices that a proxy stands in front which `LEADHUB_TRUSTED_PROXIES` does not count, from what the journal has anyway.

The entrance does nothing for it. A request's own word about its path is evidence for a person, and nothing is set by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from ingest.screening.visitors import network_of

_LOOKED_AT: Final = 20  # posts a source; the newest one that says anything decides
_FRESH: Final = timedelta(days=7)
_MOST_HOPS: Final = 16  # what the setting takes

_NEWEST = """
SELECT e.remote_ip, e.headers->>'x-forwarded-for' AS chain,
       coalesce(e.headers->>'x-real-ip', e.headers->>'forwarded') AS other
  FROM source s CROSS JOIN LATERAL (
       SELECT remote_ip, headers, received_at FROM inbound_event WHERE source_id = s.id ORDER BY id DESC LIMIT :most) e
 WHERE s.channel = 'form' AND s.state = 'active' AND e.received_at >= :since
   AND e.headers ?| ARRAY['x-forwarded-for', 'x-real-ip', 'forwarded']
 ORDER BY e.received_at DESC
"""


@dataclass(frozen=True, slots=True)
class UnknownProxy:
    """`peer` is the inner address that visitors seem to have. `needed`: what the setting has to be; 0 if the proxy does
    not send X-Forwarded-For and has to be told to first. `posts`: how many of those looked at came so."""

    peer: str
    needed: int
    posts: int

    @property
    def code(self) -> str:
        return "proxy_unknown" if self.needed else "proxy_says_nothing"

    @property
    def words(self) -> str:
        seen = f"Forms come in from {self.peer}, which is a proxy and no visitor"
        lost = "Rates and bursts are not watched, so a flood goes unnoticed."
        if self.needed:
            return f"{seen}. {lost} Set LEADHUB_TRUSTED_PROXIES={self.needed} and restart."
        return (
            f"{seen}, and it does not send X-Forwarded-For. {lost} Let it send that header, then set"
            " LEADHUB_TRUSTED_PROXIES=1 and restart."
        )


def unknown_proxy(connection: Connection, trusted_proxies: int, now: datetime) -> UnknownProxy | None:
    """What the newest posts of forms say about the way they came; None if all is well or nothing is known.

    Under the setting as it is now: a correction is believed at once. Costs a few rows a source.
    """
    rows = connection.execute(text(_NEWEST), {"most": _LOOKED_AT, "since": now - _FRESH}).all()
    found: list[tuple[str, int]] = []
    decided = False
    for row in rows:
        if not row.remote_ip or network_of(row.remote_ip):
            needed = None  # a visitor's own address
        else:
            needed = hops_needed(row.chain or "", row.other or "")
            if needed is None:
                continue  # a colleague, or a proxy inside that speaks of nobody outside
        is_wrong = needed is not None and (needed == 0 or needed > trusted_proxies)
        if not decided and not is_wrong:
            return None
        decided = True
        if is_wrong and needed is not None:
            found.append((row.remote_ip, needed))
    return UnknownProxy(*found[0], len(found)) if found else None


def hops_needed(chain: str, other: str) -> int | None:
    """How many proxies must be believed to see a visitor of the open network in X-Forwarded-For (`chain`).

    0 if only another header (`other`) tells of one, which the hub does not read; None if none does.
    """
    hops = [hop.strip() for hop in chain.split(",") if hop.strip()]
    for count, hop in enumerate(reversed(hops[-_MOST_HOPS:]), 1):
        if _is_outside(hop):
            return count
    words = other.lower().replace(";", ",").split(",")
    return 0 if any(_is_outside(word.strip().removeprefix("for=").strip('"')) for word in words) else None


def _is_outside(hop: str) -> bool:
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    return network_of(hop) != ""
