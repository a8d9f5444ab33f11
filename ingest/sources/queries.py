"""Sources as somebody sees them: each with how it does, its address only for who may hand it out, secrets masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_core.access import Principal, may
from crm_core.base.config import HubConfig
from crm_core.base.errors import Misconfigured, NotFound
from ingest.sources.settings import shown_settings
from ingest.sources.sources import SourceRow, list_sources, load_source
from ingest.sources.states import SourceState, source_states


@dataclass(frozen=True, slots=True)
class SourceView:
    id: int
    name: str
    connector: str
    channel: str
    state: str  # what a person decided: active | paused
    status: SourceState
    line: str
    pool_id: int | None
    allowed_hosts: Sequence[str]
    url: str | None  # None for connectors that fetch, and for who may not hand it out: it is the key to post leads
    created_at: datetime
    last_event_at: datetime | None


@dataclass(frozen=True, slots=True)
class SourceCard:
    source: SourceView
    settings: Mapping[str, Any] | None  # as the connector names them, secrets masked; None if it is not installed any more


def view_sources(connection: Connection, principal: Principal, config: HubConfig, now: datetime) -> list[SourceView]:
    """All of them, by id."""
    rows = list_sources(connection, config)
    states = {one.source_id: one for one in source_states(connection, config, now)}
    shows_address = may(principal, "sources.address")
    # One that was removed between the two looks has no state any more, and is not there.
    return [_view(row, states[row.id], shows_address) for row in rows if row.id in states]


def view_source(connection: Connection, principal: Principal, config: HubConfig, source_id: int, now: datetime) -> SourceCard:
    """One with its settings. Raises NotFound."""
    found = next((one for one in view_sources(connection, principal, config, now) if one.id == source_id), None)
    if found is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.")
    try:
        settings = shown_settings(load_source(connection, config, source_id))
    except (NotFound, Misconfigured):
        return SourceCard(found, None)
    return SourceCard(found, settings)


def _view(row: SourceRow, status: SourceState, shows_address: bool) -> SourceView:
    return SourceView(
        row.id, row.name, row.connector, row.channel, row.state, status, row.line, row.pool_id, row.allowed_hosts,
        (row.url or None) if shows_address else None, row.created_at, row.last_event_at,
    )  # fmt: skip
