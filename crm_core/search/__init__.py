"""Finding clients, leads, and what they wrote, as people type: any order of words, either script, any spelling of a phone."""

from crm_core.search.finding import found_in
from crm_core.search.indexing import catch_up, mark
from crm_core.search.query import LONGEST, SearchQuery, read_query

__all__ = ["LONGEST", "SearchQuery", "catch_up", "found_in", "mark", "read_query"]
