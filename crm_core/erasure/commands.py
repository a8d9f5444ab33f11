"""Erases a person: everything that names him is emptied, rows and counts stay, so that the ledger still balances.

What stays: that something arrived, when, through which source, what became of it, and campaign names. Digests of his
identifiers prove the deed and let nobody read them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, text

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Conflict
from crm_core.batch.locks import lock_number
from crm_core.contacts.queries import visible_root
from crm_core.contacts.reach import members_of
from crm_core.erasure.tables import emptied, statements

CONTACT_ERASED = history.Action("contact.erase")

_PURPOSE = b"erased person"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was emptied; `files` are hashes of contents that may now be without any owner."""

    contact_id: int
    events: int
    leads: int
    files: tuple[str, ...]
    strays: int = 0  # events of nobody that named him, emptied as well
    on_their_way: int = 0  # that name him too and were left, because the workers had them
    unsearched: Mapping[str, int] = field(default_factory=dict)  # events that could not be looked through, by why
    event_ids: tuple[int, ...] = ()

    @property
    def file_count(self) -> int:
        return len(self.files)


def own_identifiers(connection: Connection, principal: Principal, contact_id: int) -> list[tuple[str, str]]:
    """(kind, value) of what belongs to this person alone. A reception's number or an office's address names others too,
    and what names them is not his to erase. Raises NotFound."""
    root_id = visible_root(connection, principal, contact_id)
    rows = connection.execute(
        text(
            "SELECT DISTINCT i.kind, i.value FROM identifier i JOIN contact_identifier ci ON ci.identifier_id = i.id"
            " JOIN contact c ON c.id = ci.contact_id WHERE c.root_id = :root AND i.strength IN ('strong', 'weak')"
            "   AND NOT EXISTS (SELECT 1 FROM contact_identifier o JOIN contact oc ON oc.id = o.contact_id"
            "                    WHERE o.identifier_id = i.id AND o.retired_at IS NULL AND oc.root_id <> :root)"
        ),
        {"root": root_id},
    )
    return [(row.kind, row.value) for row in rows]


def empty_mails_of_nobody(connection: Connection, event_ids: Sequence[int]) -> None:
    """Messages that these events brought and that belong to no contact."""
    connection.execute(
        text(f"UPDATE mail_message SET {emptied('mail_message')} WHERE event_id = ANY(:events) AND contact_id IS NULL"),
        {"events": list(event_ids)},
    )


def empty_unlinked_calls(connection: Connection, phones: Sequence[str]) -> int:
    """Calls of these numbers (E.164) that never led to a contact, such as one that only rang."""
    return connection.execute(
        text(f"UPDATE call SET {emptied('call')} WHERE contact_id IS NULL AND remote = ANY(:phones)"),
        {"phones": list(phones)},
    ).rowcount


def digest_of_identifier(secret_key: str, kind: str, value: str) -> bytes:
    """HMAC-SHA-256 of a canonical identifier under the hub's key."""
    key = hashlib.sha256(_PURPOSE + secret_key.encode()).digest()
    return hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class Held:
    """A person under the locks that keep the intake from taking anything of theirs in."""

    root_id: int
    identifiers: tuple[tuple[str, str], ...]  # (kind, value)
    members: tuple[int, ...]  # contacts
    call_ids: tuple[int, ...]


def hold_person(connection: Connection, principal: Principal, contact_id: int) -> Held:
    """Raises NotFound, or Conflict if the person was merged with another meanwhile."""
    demand(principal, "contacts.erase")
    root_id = visible_root(connection, principal, contact_id)
    identifiers = _locked_identifiers(connection, root_id)
    members = members_of(connection, root_id)
    calls = calls_of(connection, members, [value for kind, value in identifiers if kind == "phone"])
    return Held(root_id, tuple(identifiers), tuple(members), tuple(calls))


def erase_held(
    connection: Connection, principal: Principal, held: Held, event_ids: Sequence[int], why: str, secret_key: str,
    now: datetime, erasure_id: str = "",
) -> Erased:  # fmt: skip
    """Erases everything of a held person but the journal's rows, which `ingest.erasure.person_events` empties in the same
    transaction: `event_ids`. `erasure_id` is what the list of erasures outside of the database calls this one."""
    root_id, members = held.root_id, list(held.members)
    _forget_submissions(connection, members, root_id)
    for kind, value in held.identifiers:
        connection.execute(
            text("INSERT INTO tombstone (kind, digest, contact_id, at) VALUES (:kind, :digest, :contact, :now)"),
            {"kind": kind, "digest": digest_of_identifier(secret_key, kind, value), "contact": root_id, "now": now},
        )
    files = connection.scalars(
        text("SELECT DISTINCT sha256 FROM attachment WHERE contact_id = ANY(:members) AND sha256 <> ''"),
        {"members": members},
    ).all()
    values = {"members": members, "calls": list(held.call_ids), "now": now}
    counts = {table: connection.execute(text(statement), values).rowcount for table, statement in statements()}
    leads = counts["lead"]
    history.record(
        connection, principal, CONTACT_ERASED, root_id,
        {"why": why, "events": len(event_ids), "leads": leads} | ({"erasure": erasure_id} if erasure_id else {}),
    )  # fmt: skip
    return Erased(root_id, len(event_ids), leads, tuple(files), event_ids=tuple(event_ids))


def _locked_identifiers(connection: Connection, root_id: int) -> list[tuple[str, str]]:
    """The person's identifiers, locked as the intake locks them, so that nothing of his is taken in meanwhile."""
    query = text(
        "SELECT DISTINCT i.kind, i.value FROM identifier i JOIN contact_identifier ci ON ci.identifier_id = i.id"
        " JOIN contact c ON c.id = ci.contact_id WHERE c.root_id = :root"
    )
    names = sorted({lock_number(f"{row.kind}:{row.value}") for row in connection.execute(query, {"root": root_id})})
    if names:
        connection.execute(text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:names AS bigint[])) AS k"), {"names": names})
    held = connection.scalars(text("SELECT id FROM contact WHERE root_id = :root ORDER BY id FOR UPDATE"), {"root": root_id})
    if root_id not in held.all():
        raise Conflict("events_on_their_way", "This person was merged with another just now. Try again in a moment.")
    return [(row.kind, row.value) for row in connection.execute(query, {"root": root_id})]


def calls_of(connection: Connection, members: Sequence[int], phones: Sequence[str]) -> list[int]:
    """His own, and those of his numbers that never led to a contact, such as one that only rang."""
    return list(
        connection.scalars(
            text(
                "SELECT id FROM call WHERE contact_id = ANY(:members)"
                " UNION SELECT id FROM call WHERE contact_id IS NULL AND remote = ANY(:phones)"
            ),
            {"members": list(members), "phones": list(phones)},
        )
    )


def _forget_submissions(connection: Connection, members: Sequence[int], root_id: int) -> None:
    connection.execute(
        text(
            "INSERT INTO tombstone (kind, digest, contact_id)"
            " SELECT DISTINCT 'submission', convert_to(fingerprint, 'UTF8'), CAST(:root AS bigint) FROM touch"
            " WHERE contact_id = ANY(:members) AND fingerprint <> ''"
        ),
        {"members": list(members), "root": root_id},
    )
