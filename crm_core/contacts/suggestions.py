"""Pairs of contacts that may be one person, for a human to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select
from sqlalchemy.orm import aliased

from crm_core.access import Principal, may
from crm_core.access.visibility import select_any
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, AnySelect, Page, Position, newest_first, page
from crm_core.base.values import Named
from crm_core.contacts.merge_review_intake import BECAME_SHARED
from crm_core.contacts.models import Contact, Suggestion

_A = aliased(Contact, name="a")
_B = aliased(Contact, name="b")
#: So long a pair that somebody wants to think about stays out of the queue.
_LATER = timedelta(days=1)
#: Found by an inquiry that named both, which says more than any score.
_SHOWN_BY_INQUIRY = 100.0


@dataclass(frozen=True, slots=True)
class SuggestionView:
    id: int
    state: str  # open | same | different
    a: Named
    b: Named
    why: Mapping[str, Any]
    at: datetime
    bits: float | None  # how likely, where it was scored: log2 of the odds
    decided_at: datetime | None
    decided_by: str
    merge: int | None = None  # the two are one: this merge rested on a value that many use by now


def list_suggestions(
    connection: Connection,
    principal: Principal,
    state: str | None = None,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[SuggestionView]:
    """Newest first. A pair may span two owners, so only roles that see every contact may ask."""
    if not may(principal, "suggestions.read"):
        raise NotFound("suggestions", "There are no suggestions.")
    statement = (
        select_any(
            Suggestion.id, Suggestion.state, Suggestion.why, Suggestion.at, Suggestion.bits, Suggestion.decided_at,
            Suggestion.decided_by,
            _A.id.label("a_id"), _A.name.label("a_name"), _B.id.label("b_id"), _B.name.label("b_name"),
            because="who may ask sees every contact",
        )
        .join(_A, _A.id == Suggestion.a_id)
        .join(_B, _B.id == Suggestion.b_id)
    )  # fmt: skip
    if state is not None:
        statement = statement.where(Suggestion.state == state)
    rows = connection.execute(newest_first(statement, None, Suggestion.id, after, limit)).all()
    return page(
        rows, limit,
        lambda shown: [
            SuggestionView(
                row.id, row.state, Named(row.a_id, row.a_name), Named(row.b_id, row.b_name), row.why, row.at, row.bits,
                row.decided_at, row.decided_by, _merge_of(row.why),
            )
            for row in shown
        ],
        lambda row: (None, row.id),
    )  # fmt: skip


def _merge_of(why: Mapping[str, Any]) -> int | None:
    return int(why["merge"]) if why.get("rule") == BECAME_SHARED else None


def waiting_suggestions(connection: Connection, principal: Principal, now: datetime, limit: int) -> list[SuggestionView]:
    """The queue: undecided pairs of two persons that are still two, the surest first. They stand with their roots."""
    if not may(principal, "suggestions.read"):
        raise NotFound("suggestions", "There are no suggestions.")
    rows = connection.execute(_waiting(now).order_by(_SURENESS.desc(), Suggestion.id).limit(limit))
    return [
        SuggestionView(
            row.id,
            row.state,
            Named(row.a_id, row.a_name),
            Named(row.b_id, row.b_name),
            row.why,
            row.at,
            row.bits,
            None,
            "",
            _merge_of(row.why),
        )
        for row in rows
    ]


def count_waiting(connection: Connection, now: datetime, most: int) -> int:
    """How long that queue is, counted up to `most`."""
    queue = _waiting(now).limit(most).subquery()
    return connection.scalar(select(func.count()).select_from(queue)) or 0


_SURENESS = func.coalesce(Suggestion.bits, case((Suggestion.why["rule"].astext == "alias", 0.0), else_=_SHOWN_BY_INQUIRY))


def _waiting(now: datetime) -> AnySelect:
    one, other = aliased(Contact), aliased(Contact)
    is_merge = Suggestion.why["rule"].astext == BECAME_SHARED
    return (
        select_any(
            Suggestion.id, Suggestion.state, Suggestion.why, Suggestion.at, Suggestion.bits,
            _A.id.label("a_id"), _A.name.label("a_name"), _B.id.label("b_id"), _B.name.label("b_name"),
            because="who may ask sees every contact",
        )
        .join(one, one.id == Suggestion.a_id)
        .join(other, other.id == Suggestion.b_id)
        .join(_A, _A.id == case((is_merge, one.id), else_=one.root_id))
        .join(_B, _B.id == case((is_merge, other.id), else_=other.root_id))
        # Of a merge both are shown as they were called; it waits for as long as it is none that was undone.
        .where(Suggestion.state == "open", case((is_merge, one.root_id == other.root_id), else_=_A.id != _B.id), _A.erased_at.is_(None), _B.erased_at.is_(None))
        .where(Suggestion.postponed_at.is_(None) | (Suggestion.postponed_at <= now - _LATER))
    )  # fmt: skip
