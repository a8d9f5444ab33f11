"""Pairs of contacts that may be one person, for a human to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from crm_core.access import Principal, may
from crm_core.access.visibility import select_any
from crm_core.base.errors import NotFound
from crm_core.base.paging import DEFAULT_LIMIT, Page, Position, newest_first, page
from crm_core.base.values import Named
from crm_core.contacts.models import Contact, Suggestion

_A = aliased(Contact, name="a")
_B = aliased(Contact, name="b")


@dataclass(frozen=True, slots=True)
class SuggestionView:
    id: int
    state: str  # open | same | different
    a: Named
    b: Named
    why: Mapping[str, Any]
    at: datetime


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
            Suggestion.id, Suggestion.state, Suggestion.why, Suggestion.at,
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
            SuggestionView(row.id, row.state, Named(row.a_id, row.a_name), Named(row.b_id, row.b_name), row.why, row.at)
            for row in shown
        ],
        lambda row: (None, row.id),
    )  # fmt: skip
