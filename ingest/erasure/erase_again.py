"""Repeats erasures in a database that was restored from a backup made before them. Changes nothing that it knows already.

Persons are found again by the uids of their events, which no other history of this hub ever reuses, and by digests of
identifiers that belong to one person alone. Whatever cannot be repeated stops the restore: nobody comes back unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import Misconfigured
from crm_core.erasure.commands import digest_of_identifier, empty_unlinked_calls
from ingest.erasure.erasure_log import ErasureLine, fingerprint
from ingest.erasure.person_events import empty_unlinked_events, erase_contact
from ingest.journal import transitions

ERASURE_REPEATED = history.Action("erasure.repeat", of="events")
HUB_RESTORED = history.Action("hub.restore")

_WHY = "repeated after a restore"


@dataclass(frozen=True, slots=True)
class Repeated:
    """How many erasures were repeated and what they emptied; `files` are hashes that may be without any owner now."""

    erasures: int = 0
    contacts: int = 0
    events: int = 0
    files: tuple[str, ...] = ()


def repeat(engine: Engine, config: HubConfig, lines: Sequence[ErasureLine], principal: Principal, now: datetime) -> Repeated:
    """All erasures that this database does not know. No worker may be at it. Misconfigured if one cannot be repeated."""
    demand(principal, "contacts.erase")
    with engine.begin() as connection:
        known = _known(connection)
        wanted = [line for line in lines if line.id not in known]
        if not wanted:
            return Repeated()
        _require_key(config, wanted)
        digests = {digest for line in wanted if not line.calls for digest in line.identifiers}
        uids = sorted({uid for line in wanted for uid in line.events})
        # First what had not become anything yet: a worker would make the person anew out of it.
        events = _dismiss_waiting(connection, uids, now)
        files: set[str] = set()
        roots = _roots(connection, config, uids, digests)
        for root_id in roots:
            erased = erase_contact(connection, principal, root_id, _WHY, config.secret_key, now)
            events += erased.events
            files |= set(erased.files)
        ids = connection.scalars(text("SELECT id FROM inbound_event WHERE uid = ANY(:uids)"), {"uids": uids}).all()
        # What names the person in a provider's key went with the erasure; here nobody can tell any more, so all keys go.
        events += empty_unlinked_events(connection, ids, lambda _key: True, now)
        _empty_calls(connection, config, {digest for line in wanted if line.calls for digest in line.identifiers})
        _require_gone(connection, uids)
        for erasure_id in sorted({line.id for line in wanted}):
            history.record(connection, principal, ERASURE_REPEATED, None, {"erasure": erasure_id, "why": _WHY})
    return Repeated(len({line.id for line in wanted}), len(roots), events, tuple(sorted(files)))


def note_restore(connection: Connection, principal: Principal, repeated: Repeated) -> None:
    """The first row of the audit after a backup took the place of what was there."""
    history.record(connection, principal, HUB_RESTORED, None, {"erasures": repeated.erasures, "events": repeated.events})


def _known(connection: Connection) -> set[str]:
    rows = connection.scalars(
        text(
            "SELECT data->>'erasure' FROM audit_entry WHERE action IN ('contact.erase', 'events.erase', 'erasure.repeat')"
            " AND data ? 'erasure'"
        )
    )
    return set(rows)


def _require_key(config: HubConfig, lines: Sequence[ErasureLine]) -> None:
    """Digests of another key fit nothing; events alone would find most and not all."""
    own = fingerprint(config.secret_key)
    if any(line.identifiers and line.key != own for line in lines):
        raise Misconfigured(
            "erasures_of_another_key",
            "The list of erasures was written under another LEADHUB_SECRET_KEY than the one this restore uses, so those "
            "persons cannot be found again. Restore with the key of that time.",
        )


def _dismiss_waiting(connection: Connection, uids: Sequence[str], now: datetime) -> int:
    ids = connection.scalars(
        text("SELECT id FROM inbound_event WHERE uid = ANY(:uids) AND state IN ('waiting', 'working') FOR UPDATE"),
        {"uids": list(uids)},
    ).all()
    return transitions.erase_pending(connection, ids, now)


def _roots(connection: Connection, config: HubConfig, uids: Sequence[str], digests: set[str]) -> list[int]:
    """Contacts, not erased yet, that these events belong to, or whose own identifiers these are."""
    roots = set(
        connection.scalars(
            text(
                "SELECT c.root_id FROM inbound_event e LEFT JOIN lead l ON l.id = e.lead_id"
                "  LEFT JOIN touch t ON t.event_id = e.id"
                "  JOIN contact c ON c.id IN (e.contact_id, l.contact_id, t.contact_id) WHERE e.uid = ANY(:uids)"
            ),
            {"uids": list(uids)},
        )
    )
    rows = connection.execute(
        text(
            "SELECT i.kind, i.value, min(c.root_id) AS root_id FROM identifier i"
            "  JOIN contact_identifier ci ON ci.identifier_id = i.id AND ci.retired_at IS NULL"
            "  JOIN contact c ON c.id = ci.contact_id GROUP BY i.id, i.kind, i.value HAVING count(DISTINCT c.root_id) = 1"
        )
    )
    if digests:
        roots |= {row.root_id for row in rows if digest_of_identifier(config.secret_key, row.kind, row.value).hex() in digests}
    left = connection.scalars(
        text("SELECT DISTINCT root_id FROM contact WHERE root_id = ANY(:roots) AND erased_at IS NULL"), {"roots": sorted(roots)}
    )
    return sorted(left)


def _empty_calls(connection: Connection, config: HubConfig, digests: set[str]) -> None:
    if not digests:
        return
    phones = connection.scalars(text("SELECT DISTINCT remote FROM call WHERE contact_id IS NULL AND remote <> ''")).all()
    empty_unlinked_calls(
        connection, [phone for phone in phones if digest_of_identifier(config.secret_key, "phone", phone).hex() in digests]
    )


def _require_gone(connection: Connection, uids: Sequence[str]) -> None:
    left = connection.scalars(
        text("SELECT uid FROM inbound_event WHERE uid = ANY(:uids) AND erased_at IS NULL"), {"uids": list(uids)}
    ).all()
    if left:
        raise Misconfigured(
            "erasure_not_repeated",
            f"{len(left)} events of erased persons could not be emptied again, so nothing was restored.",
            events=[str(uid) for uid in left],
        )
