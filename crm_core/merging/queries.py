"""Merges: those of one contact, and those that a filter names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from crm_core.access import Principal, demand
from crm_core.access.visibility import select_any, select_visible
from crm_core.base.values import Named
from crm_core.contacts.models import Contact, MergeEvent
from crm_core.contacts.queries import visible_root
from crm_core.contacts.reach import members_of
from crm_core.leads.merge_rows import AUTOMATIC
from crm_core.sources.models import InboundEvent

_MOST_SHOWN = 200  # on one contact's card
_MOST_AT_ONCE = 10_000  # that one call takes apart

_Winner = aliased(Contact, name="winner")
_Loser = aliased(Contact, name="loser")


@dataclass(frozen=True, slots=True)
class MergeView:
    id: int
    winner: Named
    loser: Named
    loser_name: str  # as it was then
    actor: str  # "auto", or who did it
    rule: str  # machine-readable; by_hand
    evidence: Mapping[str, Any]
    event_id: int | None  # the inquiry that showed it
    at: datetime
    undone_at: datetime | None
    undone_by: str


@dataclass(frozen=True, slots=True)
class MergeFilter:
    """Which merges are meant; None: any."""

    since: datetime | None = None  # merged at or after
    until: datetime | None = None  # merged before
    rule: str | None = None  # of the evidence
    source: int | None = None  # whose inquiry showed it
    automatic: bool = True  # only what no person decided
    ids: Sequence[int] | None = None


def merges_of(connection: Connection, principal: Principal, contact_id: int) -> list[MergeView]:
    """Of everything that answers as this contact, undone ones too, the newest first. Raises NotFound."""
    demand(principal, "contacts.read")
    root_id = visible_root(connection, principal, contact_id)
    members = members_of(connection, root_id)
    rows = connection.execute(
        select_any(
            *MergeEvent.__table__.columns, _Winner.name.label("winner_name"), _Loser.name.label("loser_now"),
            because="the root was seen",
        )
        .join(_Winner, _Winner.id == MergeEvent.winner_id)
        .join(_Loser, _Loser.id == MergeEvent.loser_id)
        .where(MergeEvent.winner_id.in_(members) | MergeEvent.loser_id.in_(members))
        .order_by(MergeEvent.id.desc())
        .limit(_MOST_SHOWN)
    )  # fmt: skip
    return [
        MergeView(
            row.id, Named(row.winner_id, row.winner_name), Named(row.loser_id, row.loser_now),
            row.moved.get("loser_name") or row.loser_now, row.actor, str((row.evidence or {}).get("rule") or ""),
            row.evidence or {}, row.event_id, row.at, row.undone_at, row.undone_by,
        )
        for row in rows
    ]  # fmt: skip


def merge_ids(connection: Connection, principal: Principal, wanted: MergeFilter) -> list[int]:
    """Those that are not undone, the newest first; what the principal may not see is left out."""
    statement = (
        select_any(MergeEvent.id, because="narrowed to the roots that the principal may see")
        .join(_Winner, _Winner.id == MergeEvent.winner_id)
        .where(MergeEvent.undone_at.is_(None), _Winner.root_id.in_(select_visible(Contact, principal, Contact.id)))
    )
    if wanted.ids is not None:
        statement = statement.where(MergeEvent.id.in_(wanted.ids))
    if wanted.automatic:
        statement = statement.where(MergeEvent.actor == AUTOMATIC)
    if wanted.since is not None:
        statement = statement.where(MergeEvent.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(MergeEvent.at < wanted.until)
    if wanted.rule is not None:
        statement = statement.where(MergeEvent.evidence["rule"].astext == wanted.rule)
    if wanted.source is not None:
        statement = statement.where(
            MergeEvent.event_id.in_(select(InboundEvent.id).where(InboundEvent.source_id == wanted.source))
        )
    return list(connection.scalars(statement.order_by(MergeEvent.id.desc()).limit(_MOST_AT_ONCE)))
