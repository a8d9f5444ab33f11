"""A query as a part of another statement: ids of the documents in which all of it occurs."""

from __future__ import annotations

from sqlalchemy import Select, cast, select
from sqlalchemy.dialects.postgresql import TSQUERY

from crm_core.search.models import SearchDocument
from crm_core.search.query import SearchQuery


def found_in(kind: str, query: SearchQuery, *, whole: bool = False) -> Select[int]:
    """Ids of contacts, leads or touches. `query` has terms; `whole`: words as they are, not as beginnings."""
    wanted = query.whole_words if whole else query.tsquery
    return select(SearchDocument.row_id).where(
        SearchDocument.kind == kind, SearchDocument.words.bool_op("@@")(cast(wanted, TSQUERY))
    )
