"""One source's row, for the pages that are about it."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.base.errors import NotFound
from ingest.sources.sources import SourceRow, list_sources
from webhooks.console.shell.request_context import RequestContext


def find(connection: Connection, context: RequestContext, source_id: int) -> SourceRow:
    for row in list_sources(connection, context.config):
        if row.id == source_id:
            return row
    raise NotFound("source_unknown", f"There is no source {source_id}.")
