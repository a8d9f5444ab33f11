"""Who can take a lead now, and whose client calls: what routing reads of owners, pools and clients. Changes no ledger."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from crm_core.identity.phones import read_phones
from crm_core.routing.rules import OwnerState

OWNERS_SQL = """
    SELECT o.id, o.name, o.extension, o.active, o.duty,
           (SELECT max(a.until_at) FROM absence a
             WHERE a.owner_id = o.id AND a.from_at <= now() AND a.until_at > now()) AS absent_until
      FROM owner o
"""


@dataclass(frozen=True, slots=True)
class Answerer:
    """Whose client calls, for an exchange that asks while the phone rings."""

    contact: dict[str, str] | None  # {"id","name"}
    owner: dict[str, str] | None  # {"id","name","extension"}
    targets: tuple[str, ...]  # extensions in the order in which they should ring
    reason: str


def who_answers(connection: Connection, caller: str, region: str, pool_id: int | None = None) -> Answerer:
    """The caller's own manager if he can be rung, else the extensions of the pool, else nothing. Changes no ledger."""
    owners = {
        row.id: OwnerState(row.id, row.name, row.extension, row.active, row.absent_until)
        for row in connection.execute(text(OWNERS_SQL))
    }
    pool_targets = tuple(
        owners[row.owner_id].extension
        for row in connection.execute(
            text(
                "SELECT m.owner_id FROM pool_member m JOIN pool p ON p.id = m.pool_id"
                " WHERE (p.id = :pool OR (CAST(:pool AS bigint) IS NULL AND p.is_default)) AND NOT m.paused AND m.weight > 0"
                " ORDER BY m.assigned - m.entitled, m.last_seq, m.owner_id"
            ),
            {"pool": pool_id},
        )
        if row.owner_id in owners and owners[row.owner_id].excluded() is None and owners[row.owner_id].extension
    )
    keys = read_phones(caller, region, kind="ani")
    if not keys:
        return Answerer(None, None, pool_targets, "hidden_or_internal_caller")
    found = connection.execute(
        text(
            "SELECT root.id, root.name, coalesce(l.owner_id, root.owner_id) AS owner_id, l.owner_id IS NOT NULL AS by_lead"
            "  FROM identifier i JOIN contact_identifier ci ON ci.identifier_id = i.id AND ci.retired_at IS NULL"
            "  JOIN contact c ON c.id = ci.contact_id JOIN contact root ON root.id = c.root_id"
            "  LEFT JOIN LATERAL (SELECT owner_id FROM lead WHERE contact_id = root.id AND state = 'open'"
            "                      AND owner_id IS NOT NULL ORDER BY id DESC LIMIT 1) l ON true"
            " WHERE i.kind = 'phone' AND i.value = :value AND i.strength IN ('strong', 'weak')"
            " ORDER BY ci.exclusive DESC, root.id LIMIT 2"
        ),
        {"value": keys[0].value},
    ).all()
    if not found:
        return Answerer(None, None, pool_targets, "unknown_caller")
    best = found[0]
    contact = {"id": str(best.id), "name": best.name}
    owner = owners.get(best.owner_id) if best.owner_id is not None else None
    if owner is None:
        return Answerer(contact, None, pool_targets, "known_caller_without_owner")
    named = {"id": str(owner.id), "name": owner.name, "extension": owner.extension}
    if owner.excluded() is not None or not owner.extension:
        return Answerer(contact, named, pool_targets, "owner_cannot_be_rung")
    return Answerer(contact, named, (owner.extension,), "owner_of_the_open_lead" if best.by_lead else "owner_of_the_contact")
