"""Versions of the routing rules as people see them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from crm_core.base.errors import NotFound
from crm_core.base.paging import AnyRow
from crm_core.routing.models import RoutingVersion

#: What a hub that set nothing goes by.
EMPTY: Final[Mapping[str, Any]] = {"settings": {}, "ranges": {}, "rules": []}
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class VersionView:
    """`version` 0 is that of a hub that set nothing."""

    version: int
    state: str
    author: str
    note: str
    created_at: datetime | None
    activated_at: datetime | None
    retired_at: datetime | None
    body: Mapping[str, Any]
    fingerprint: str  # what changing it asks for


def fingerprint(body: Mapping[str, Any], note: str) -> str:
    """Of what a version says: two that say the same have the same."""
    return hashlib.sha256(json.dumps([body, note], sort_keys=True).encode()).hexdigest()[:32]


def active_version(connection: Connection) -> VersionView:
    row = connection.execute(select(RoutingVersion.__table__).where(RoutingVersion.state == "active")).one_or_none()
    return _view(row) if row is not None else VersionView(0, "active", "hub", "", None, None, None, EMPTY, fingerprint(EMPTY, ""))


def get_version(connection: Connection, version: int) -> VersionView:
    row = connection.execute(select(RoutingVersion.__table__).where(RoutingVersion.version == version)).one_or_none()
    if row is None:
        raise NotFound("version_unknown", f"There is no version {version} of the routing rules.")
    return _view(row)


def list_versions(connection: Connection) -> list[VersionView]:
    """The newest first, as many as somebody would look through."""
    rows = connection.execute(select(RoutingVersion.__table__).order_by(RoutingVersion.version.desc()).limit(_MOST))
    return [_view(row) for row in rows]


def _view(row: AnyRow) -> VersionView:
    return VersionView(
        row.version,
        row.state,
        row.author,
        row.note,
        row.created_at,
        row.activated_at,
        row.retired_at,
        {**EMPTY, **row.body},
        fingerprint(row.body, row.note),
    )
