"""Pairs of contacts that may be one person, for a human to decide."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from crm_core.access import Principal, may
from crm_core.errors import NotFound
from crm_core.models import Contact, Suggestion
from crm_core.reading.paging import DEFAULT_LIMIT, Page, Position, newest_first, page
from crm_core.reading.values import Filters, named, rfc3339

_A = aliased(Contact, name="a")
_B = aliased(Contact, name="b")


class SuggestionFilters(Filters):
    state: Literal["open", "same", "different"] | None = None


def list_suggestions(
    connection: Connection,
    principal: Principal,
    filters: SuggestionFilters,
    limit: int = DEFAULT_LIMIT,
    after: Position | None = None,
) -> Page[dict[str, Any]]:
    """Newest first. A pair may span two owners, so only roles that see every contact may ask."""
    if not may(principal, "suggestions.read"):
        raise NotFound("suggestions", "There are no suggestions.")
    statement = (
        select(
            Suggestion.id, Suggestion.state, Suggestion.why, Suggestion.at,
            _A.id.label("a_id"), _A.name.label("a_name"), _B.id.label("b_id"), _B.name.label("b_name"),
        )
        .join(_A, _A.id == Suggestion.a_id)
        .join(_B, _B.id == Suggestion.b_id)
    )  # fmt: skip
    if filters.state is not None:
        statement = statement.where(Suggestion.state == filters.state)
    rows = connection.execute(newest_first(statement, None, Suggestion.id, after, limit)).all()

    def shape(shown: Any) -> list[dict[str, Any]]:
        return [
            {
                "id": str(row.id),
                "state": row.state,
                "a": named(row.a_id, row.a_name),
                "b": named(row.b_id, row.b_name),
                "why": row.why,
                "at": rfc3339(row.at),
            }
            for row in shown
        ]

    return page(rows, limit, shape, lambda row: (None, row.id))
