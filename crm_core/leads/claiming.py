"""Taking a lead that waits for whoever comes first, and giving one's own back. Of two who take it at once, one has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, true, update

from crm_core.access import Principal, demand, may
from crm_core.access.visibility import select_any
from crm_core.base import history, reasons
from crm_core.base.errors import Conflict, Forbidden, Invalid, NotFound
from crm_core.contacts.models import Contact
from crm_core.leads.assignment import give_to, pick_from
from crm_core.leads.locking import hold_lead, refuse_version
from crm_core.leads.models import Lead
from crm_core.people.models import Assignment, Owner, Pool, PoolMember

CLAIMED = history.Action("lead.claim", touch="assignment")
RETURNED = history.Action("lead.return", touch="assignment")

#: Why a lead is given back → whether the pool gives its turn back: the share of whoever had it was no use to them.
RETURN_CODES: Final = {"not_mine": True, "wrong_contact": True, "conflict": True, "no_time": False, "other": False}


@dataclass(frozen=True, slots=True)
class WaitingLead:
    """A lead that may be taken. Nothing of the client: who takes it first sees it."""

    id: int
    title: str
    channel: str
    line: str
    pool_id: int | None
    pool_name: str
    received_at: datetime
    version: int


def tray_of(connection: Connection, principal: Principal, most: int = 200) -> Sequence[WaitingLead]:
    """What the principal may take, the longest waiting first: of their own pools, for a head of all."""
    rows = connection.execute(
        select_any(
            Lead.id, Lead.title, Lead.channel, Lead.line, Lead.pool_id, Pool.name.label("pool_name"), Lead.received_at,
            Lead.version, because="who may take it sees that it waits, and nothing of the client",
        )
        .outerjoin(Pool, Pool.id == Lead.pool_id)
        .where(Lead.owner_id.is_(None), Lead.state == "open", _may_take(principal))
        .order_by(Lead.received_at, Lead.id)
        .limit(most)
    ).all()  # fmt: skip
    sees_titles = may(principal, "leads.assign")
    return [
        WaitingLead(
            row.id, row.title if sees_titles else "", row.channel, row.line, row.pool_id, row.pool_name or "", row.received_at,
            row.version,
        )
        for row in rows
    ]  # fmt: skip


def _may_take(principal: Principal) -> ColumnElement[bool]:
    """A head takes any for themselves; everybody else those of their pools, and those of no pool at all."""
    if may(principal, "leads.assign"):
        return true()
    mine = select(PoolMember.pool_id).where(PoolMember.owner_id == principal.owner_id, ~PoolMember.paused)
    return or_(Lead.pool_id.in_(mine), Lead.pool_id.is_(None))


def claim_lead(connection: Connection, principal: Principal, lead_id: int, now: datetime, version: int | None = None) -> None:
    """The lead is the principal's, and the client with it if they are nobody's. Taken again by whoever has it, nothing happens.

    Raises Forbidden; NotFound for one that does not wait for them; Conflict: `no_owner` or one who left, `lead_taken` naming who was
    first, `claim_limit` where they have as many open leads as they may, old `version`.
    """
    demand(principal, "leads.claim")
    owner = _claimant(connection, principal)
    contact_id = connection.execute(
        select_any(Lead.contact_id, because="nothing is told of it").where(Lead.id == lead_id)
    ).scalar_one_or_none()
    unknown = NotFound("lead_unknown", f"There is no lead {lead_id}.")
    if contact_id is None:
        raise unknown
    root_id = select(Contact.root_id).where(Contact.id == contact_id).scalar_subquery()
    connection.execute(select(Contact.id).where(Contact.id == root_id).with_for_update(key_share=True))
    lead = connection.execute(
        select_any(*Lead.__table__.columns, because="who may take it is asked next").where(Lead.id == lead_id).with_for_update()
    ).one()
    if lead.owner_id == owner.id and lead.state == "open":
        return
    allowed = connection.execute(
        select_any(Lead.id, because="asked for oneself").where(Lead.id == lead_id, _may_take(principal))
    ).one_or_none()
    if allowed is None or lead.state != "open":
        raise unknown
    if lead.owner_id is not None:
        first = connection.execute(select(Owner.name).where(Owner.id == lead.owner_id)).scalar_one()
        raise Conflict("lead_taken", f"{first} was first and has this lead now.", owner=first)
    refuse_version(lead, version)
    _refuse_beyond_limit(connection, owner.id, owner.max_open)
    trace = {"code": "claimed", "steps": [], "by": principal.actor}
    give_to(connection, principal, CLAIMED, lead, owner.id, lead.pool_id, "claimed", trace, now)


def _claimant(connection: Connection, principal: Principal) -> Row[int, str, bool, int | None]:
    """The principal's own row, locked: of two leads that they take at once, the second sees the first."""
    row = None
    if principal.owner_id is not None:
        row = connection.execute(
            select(Owner.id, Owner.name, Owner.active, Owner.max_open)
            .where(Owner.id == principal.owner_id)
            .with_for_update(key_share=True)
        ).one_or_none()
    if row is None or not row.active:
        raise Conflict("no_owner", "Only somebody who owns leads can take one: give this user an owner.")
    return row


def _refuse_beyond_limit(connection: Connection, owner_id: int, most: int | None) -> None:
    if most is None:
        return
    have = connection.scalar(
        select_any(func.count(), because="one's own are counted").select_from(Lead).where(Lead.owner_id == owner_id, Lead.state == "open")
    )  # fmt: skip
    if (have or 0) >= most:
        raise Conflict("claim_limit", f"You have {have} open leads, and {most} is the most.", have=have, most=most)


def return_lead(
    connection: Connection, principal: Principal, lead_id: int, code: str, why: str, now: datetime, version: int | None = None
) -> None:
    """Back to the pool that gave it, which picks somebody who has not returned it yet; where nobody can take it, it waits. `code` is one of RETURN_CODES.

    For some codes the pool gives the turn back, once. Raises Forbidden for a lead of somebody else (a head may), NotFound,
    Invalid (code, reason), Conflict (old `version`, nobody has it, it is closed).
    """
    demand(principal, "leads.return")
    if code not in RETURN_CODES:
        raise Invalid("return_code", f"The reason is one of: {', '.join(RETURN_CODES)}.", fields=["code"])
    why = reasons.needed(why)
    lead = hold_lead(connection, principal, lead_id, version)
    if lead.state != "open":
        raise Conflict("lead_closed", "This lead is closed; open it again first.")
    if lead.owner_id is None:
        raise Conflict("nobody_has_it", "Nobody has this lead: it waits already.")
    if lead.owner_id != principal.owner_id and not may(principal, "leads.assign"):
        raise Forbidden("lead_of_another", "Only whoever has the lead can give it back.")
    before = lead.owner_id
    decision = pick_from(connection, lead.pool_id, lead.contact_id, without={before, *_gave_back(connection, lead_id)})
    trace = {**decision.trace, "code": "returned", "return_code": code, "why": why, "by": principal.actor, "before": str(before)}
    if RETURN_CODES[code]:
        _give_turn_back(connection, lead_id, before, now)
    give_to(connection, principal, RETURNED, lead, decision.owner_id, decision.pool_id, "returned", trace, now, why)


def _gave_back(connection: Connection, lead_id: int) -> list[int]:
    """Who returned this lead before: it does not come back to them by itself."""
    returned = select(Assignment.trace["before"].as_integer()).where(Assignment.lead_id == lead_id, Assignment.kind == "returned")
    return list(connection.scalars(returned))


def _give_turn_back(connection: Connection, lead_id: int, owner_id: int, now: datetime) -> None:
    """Of the last turn in which a pool picked them for this lead, once. Under the pool's lock, as every move of its ledger."""
    turn = connection.execute(
        select(Assignment.id, Assignment.pool_id)
        .where(
            Assignment.lead_id == lead_id, Assignment.owner_id == owner_id, Assignment.kind.in_(("pool", "cover")),
            Assignment.pool_id.is_not(None), Assignment.refunded_at.is_(None),
        )
        .order_by(Assignment.id.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    if turn is None:
        return
    connection.execute(select(Pool.id).where(Pool.id == turn.pool_id).with_for_update())
    connection.execute(update(Assignment).where(Assignment.id == turn.id).values(refunded_at=now, refunded_why="returned"))
    connection.execute(
        update(PoolMember)
        .where(PoolMember.pool_id == turn.pool_id, PoolMember.owner_id == owner_id)
        .values(assigned=func.greatest(PoolMember.assigned - 1, 0))
    )
