"""Who can take a lead now, and whose client calls: what routing reads of owners, pools and clients. Changes no ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from crm_core.access import Principal, may
from crm_core.access.visibility import select_any, select_visible
from crm_core.base.errors import NotFound
from crm_core.base.values import Named
from crm_core.batch.rows import Cursor
from crm_core.contacts.models import Contact
from crm_core.identity.phones import read_phones
from crm_core.people.availability import Availability, load_availability
from crm_core.people.models import Owner
from crm_core.routing.config import RoutingConfig, read_config
from crm_core.routing.models import OwnerExclusion
from crm_core.routing.rules import MemberState, OwnerState, PoolState, RoutingState

_POOLS: Final = (
    "SELECT id, name, is_default, seq, strategy, now() AS now,"
    " (SELECT json_build_array(version, created_at) FROM routing_version WHERE state = 'active') AS version, EXISTS (SELECT 1 FROM owner_exclusion) AS has_exclusions"
    "  FROM pool WHERE id = ANY(%s) OR is_default ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a decision needs, as it is now; the pools are locked."""

    state: RoutingState
    config: RoutingConfig
    has_exclusions: bool  # some client and some owner may never meet


class Configs:
    """The active version, compiled once a process and known by its number and when it was saved. Versions never change."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: tuple[tuple[int, str], str, RoutingConfig] = ((0, ""), "", RoutingConfig())

    def of(self, cursor: Cursor, active: list[Any] | None, zone: str) -> RoutingConfig:
        """The config of that version (its number, when it was saved); it is read where it is not the one known. None: there is none."""
        if active is None:
            return _NO_CONFIG
        known, key = self._known, (int(active[0]), str(active[1]))
        if known[:2] != (key, zone):
            version = key[0]
            row = cursor.execute("SELECT body FROM routing_version WHERE version = %s", (version,)).fetchone()
            known = (key, zone, read_config(row["body"] if row else {}, version, ZoneInfo(zone)))
            with self._lock:
                self._known = known
        return known[2]

    def last(self) -> RoutingConfig:
        """That of the last batch: what the next will most likely be decided by."""
        return self._known[2]


_NO_CONFIG: Final = RoutingConfig()
CONFIGS: Final = Configs()


def read_routing(cursor: Cursor, pool_ids: Iterable[int], zone: str | None, *, lock: bool = True) -> Read:
    """`zone` is the hub's; None leaves the rules out. Locks the pools (those that the rules name and the default one, too) by id, and reads their ledgers and everybody's
    availability. For a hub without rules that is three statements, whatever else is set."""
    named = set(pool_ids) | (_pools_of(CONFIGS.last()) if zone is not None else set())
    rows = _read_pools(cursor, named, lock)
    config = CONFIGS.of(cursor, rows[0]["version"], zone) if zone is not None else _NO_CONFIG
    if missing := _pools_of(config) - {row["id"] for row in rows}:  # activated a moment ago
        rows = _read_pools(cursor, named | missing, lock)
    pools = {row["id"]: PoolState(row["id"], row["name"], row["seq"], strategy=row["strategy"]) for row in rows}
    default = next(row["id"] for row in rows if row["is_default"])
    cursor.execute(
        "SELECT pool_id, owner_id, weight, entitled, assigned, last_seq, paused FROM pool_member"
        " WHERE pool_id = ANY(%s) ORDER BY owner_id",
        (list(pools),),
    )
    for row in cursor.fetchall():
        pools[row["pool_id"]].members.append(
            MemberState(row["owner_id"], row["weight"], row["entitled"], row["assigned"], row["last_seq"], row["paused"])
        )
    found = load_availability(cursor)
    open_leads = _open_leads(cursor, pools.values())
    owners = {one.id: owner_state(one, open_leads.get(one.id)) for one in found.values()}
    duty = next((one.id for one in found.values() if one.duty), None)
    return Read(RoutingState(owners, pools, default, duty, rows[0]["now"]), config, rows[0]["has_exclusions"])


def _read_pools(cursor: Cursor, pool_ids: Collection[int], lock: bool) -> list[dict[str, Any]]:
    cursor.execute(_POOLS + (" FOR UPDATE" if lock else ""), (list(pool_ids),))
    return cursor.fetchall()


def _pools_of(config: RoutingConfig) -> set[int]:
    return {target.pool_id for rule in config.rules for target in rule.targets if target.pool_id is not None}


def _open_leads(cursor: Cursor, pools: Iterable[PoolState]) -> dict[int, int]:
    """Of the members of pools that go by it; nothing is asked where there is none."""
    members = {member.owner_id for pool in pools if pool.strategy == "least_open" for member in pool.members}
    if not members:
        return {}
    cursor.execute(
        "SELECT owner_id, count(*) AS n FROM lead WHERE owner_id = ANY(%s) AND state = 'open' GROUP BY owner_id", (list(members),)
    )
    return {row["owner_id"]: row["n"] for row in cursor.fetchall()}


def owner_state(one: Availability, open_leads: int | None = None) -> OwnerState:
    return OwnerState(
        one.id, one.name, one.extension, one.active, one.absent_until, one.deputy_id, one.paused_until, one.on_shift,
        one.next_on_shift, one.languages, one.skills, one.regions, one.max_open,
        one.open_leads if open_leads is None else open_leads, one.max_per_day, one.given_today,
    )  # fmt: skip


def exclusions_of(cursor: Cursor, root_ids: Collection[int]) -> Mapping[int, frozenset[int]]:
    """Owners who may never have them, by contact. Of a merged contact those of all that were merged."""
    cursor.execute(
        "SELECT m.root_id, array_agg(e.owner_id) AS owners FROM owner_exclusion e JOIN contact m ON m.id = e.contact_id"
        " WHERE m.root_id = ANY(%s) GROUP BY m.root_id",
        (list(root_ids),),
    )
    return {row["root_id"]: frozenset(row["owners"]) for row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class ExcludedOwner:
    """One colleague who never gets this client."""

    owner: Named
    why: str  # for those who may assign; the words may be about the colleague
    by: str
    at: datetime


def list_excluded_owners(connection: Connection, principal: Principal, contact_id: int) -> list[ExcludedOwner]:
    """Oldest first; of a merged contact those of all that were merged. NotFound for whom the principal may not see."""
    root = connection.execute(
        select_visible(Contact, principal, Contact.root_id).where(Contact.id == contact_id)
    ).scalar_one_or_none()
    if root is None:
        raise NotFound("contact_unknown", f"There is no contact {contact_id}.")
    rows = connection.execute(
        select_any(OwnerExclusion.owner_id, Owner.name, OwnerExclusion.why, OwnerExclusion.actor, OwnerExclusion.at,
                   because="the contact was seen")
        .join(Owner, Owner.id == OwnerExclusion.owner_id)
        .join(Contact, Contact.id == OwnerExclusion.contact_id)
        .where(Contact.root_id == root)
        .order_by(OwnerExclusion.at, OwnerExclusion.owner_id)
    )  # fmt: skip
    reads_why = may(principal, "leads.assign")
    return [
        ExcludedOwner(Named(row.owner_id, row.name), row.why if reads_why else "", row.actor, row.at) for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answerer:
    """Whose client calls, for an exchange that asks while the phone rings."""

    contact: dict[str, str] | None  # {"id","name"}
    owner: dict[str, str] | None  # {"id","name","extension"}
    targets: tuple[str, ...]  # extensions in the order in which they should ring
    reason: str


def who_answers(
    connection: Connection, caller: str, region: str, pool_id: int | None = None, now: datetime | None = None
) -> Answerer:
    """The caller's own manager if they can be rung, or their deputy; else the extensions of the pool, else nothing. Changes no
    ledger."""
    owners = {one.id: owner_state(one) for one in load_availability(connection, now).values()}
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
            "SELECT root.id, root.name, coalesce(l.owner_id, root.owner_id) AS owner_id, l.owner_id IS NOT NULL AS by_lead,"
            " root.owner_id AS client_owner_id, company.owner_id AS company_owner_id"
            "  FROM identifier i JOIN contact_identifier ci ON ci.identifier_id = i.id AND ci.retired_at IS NULL"
            "  JOIN contact c ON c.id = ci.contact_id JOIN contact root ON root.id = c.root_id"
            "  LEFT JOIN LATERAL (SELECT owner_id FROM lead WHERE contact_id = root.id AND state = 'open'"
            "                      AND owner_id IS NOT NULL ORDER BY id DESC LIMIT 1) l ON true"
            "  LEFT JOIN contact of ON of.id = root.company_id LEFT JOIN contact company ON company.id = of.root_id"
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
    of_company = owners.get(best.company_owner_id) if best.company_owner_id is not None else None
    if (owner is None or not owner.active) and of_company is not None and of_company.active:
        # A colleague of clients that somebody has: as the router would give them.
        named = {"id": str(of_company.id), "name": of_company.name, "extension": of_company.extension}
        for one, reason in ((of_company, "owner_of_the_company"), (owners.get(of_company.deputy_id or 0), "deputy_of_the_owner")):
            if one is not None and one.away() is None and one.extension:
                return Answerer(contact, named, (one.extension,), reason)
        return Answerer(contact, named, pool_targets, "owner_cannot_be_rung")
    if owner is None:
        return Answerer(contact, None, pool_targets, "known_caller_without_owner")
    named = {"id": str(owner.id), "name": owner.name, "extension": owner.extension}
    if owner.away() is None and owner.extension:
        return Answerer(contact, named, (owner.extension,), "owner_of_the_open_lead" if best.by_lead else "owner_of_the_contact")
    # Whoever holds the open lead is away: the client's own owner, or who covers, before everybody.
    others = (
        (best.client_owner_id, "owner_of_the_contact"), (owner.deputy_id, "deputy_of_the_owner"),
        (best.company_owner_id, "owner_of_the_company"),
    )  # fmt: skip
    for other_id, reason in others:
        other = owners.get(other_id) if other_id is not None else None
        if other is not None and other.away() is None and other.extension:
            return Answerer(contact, named, (other.extension,), reason)
    return Answerer(contact, named, pool_targets, "owner_cannot_be_rung")
