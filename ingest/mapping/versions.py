"""A source's own mapping in versions: drafted, published, retired, and gone back to.

At most one version is published, at most one is the draft. A published text is never changed: going back publishes the
old text anew. What is wrong in a text is refused with its line; nothing that is wrong can be published.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from connectors.kit import Connector, registry
from connectors.kit.preset import file
from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import HubError, Invalid, Misconfigured, NotFound
from crm_core.forms.models import SourceMapping
from crm_core.sources.models import Source
from ingest.journal.raw_event import safe_text
from ingest.mapping.unmapped_fields import forget_profiles

_LONGEST_NOTE = 500
_MOST_LISTED = 200

MAPPING_DRAFTED = history.Action("mapping.draft", of="source")
MAPPING_PUBLISHED = history.Action("mapping.publish", of="source")
MAPPING_ROLLED_BACK = history.Action("mapping.rollback", of="source")


@dataclass(frozen=True, slots=True)
class MappingVersion:
    version: int
    state: str  # draft | published | retired
    text: str  # YAML
    note: str
    author: str
    created_at: datetime
    published_at: datetime | None
    rules: Mapping[str, Any]


def checked(text: str) -> dict[str, Any]:
    """The rules that a text says. Invalid, with the line in words and in `data["line"]` where it is known."""
    if safe_text(text) != text:
        raise Invalid("mapping_wrong", "The text holds characters that cannot be stored.", fields=["text"])
    try:
        return file.check_rules(text)
    except (Misconfigured, Invalid) as error:
        raise Invalid("mapping_wrong", error.message, fields=["text"], **_line(error)) from None


def save_draft(connection: Connection, principal: Principal, source_id: int, text: str, note: str = "") -> int:
    """The draft's version: the one that is there is written anew, else there is a new one. Raises Invalid, NotFound."""
    demand(principal, "sources.write")
    rules = checked(text)
    _lock(connection, source_id)
    values = {
        "text": text, "rules": rules, "note": safe_text(note).strip()[:_LONGEST_NOTE], "author": principal.actor,
        "created_at": func.clock_timestamp(),
    }  # fmt: skip
    version = connection.execute(
        update(SourceMapping)
        .where(SourceMapping.source_id == source_id, SourceMapping.state == "draft")
        .values(**values)
        .returning(SourceMapping.version)
    ).scalar()
    if version is None:
        version = _next(connection, source_id)
        connection.execute(insert(SourceMapping).values(source_id=source_id, version=version, **values))
    history.record(connection, principal, MAPPING_DRAFTED, source_id, {"version": version})
    return int(version)


def publish(connection: Connection, principal: Principal, source_id: int, version: int) -> None:
    """From now on, everywhere within the seconds that settings are kept, events are read by it. A second click changes
    nothing. NotFound; Invalid for a version that was retired (go back to it instead) or that is no longer right."""
    demand(principal, "sources.write")
    _lock(connection, source_id)
    found = get_version(connection, source_id, version)
    if found.state == "published":
        return
    if found.state == "retired":
        raise Invalid("mapping_retired", f"Version {version} was retired. Go back to it instead.", fields=["version"])
    rules = checked(found.text)
    _retire(connection, source_id)
    connection.execute(
        update(SourceMapping)
        .where(SourceMapping.source_id == source_id, SourceMapping.version == version)
        .values(state="published", rules=rules, published_at=func.clock_timestamp())
    )
    _has_changed(connection, source_id, rules)
    history.record(connection, principal, MAPPING_PUBLISHED, source_id, {"version": version})


def roll_back(connection: Connection, principal: Principal, source_id: int, version: int | None) -> int | None:
    """Publishes an earlier version's text anew, as a new version, which is returned. None: the connector's own rules
    alone again. The draft stays. NotFound; Invalid for a draft, and for a text that is no longer right."""
    demand(principal, "sources.write")
    _lock(connection, source_id)
    if version is None:
        retired = _retire(connection, source_id)
        if retired is not None:
            _has_changed(connection, source_id, {})
            history.record(connection, principal, MAPPING_ROLLED_BACK, source_id, {"from": retired, "to": None})
        return None
    found = get_version(connection, source_id, version)
    if found.state == "draft":
        raise Invalid("mapping_is_draft", f"Version {version} is a draft. Publish it instead.", fields=["version"])
    if found.state == "published":
        return version
    rules = checked(found.text)
    was = _retire(connection, source_id)
    new = _next(connection, source_id)
    connection.execute(
        insert(SourceMapping).values(
            source_id=source_id, version=new, state="published", text=found.text, rules=rules, author=principal.actor,
            note=f"= {version}", created_at=func.clock_timestamp(), published_at=func.clock_timestamp(),
        )
    )  # fmt: skip
    _has_changed(connection, source_id, rules)
    history.record(connection, principal, MAPPING_ROLLED_BACK, source_id, {"from": was, "to": version, "as": new})
    return new


def list_versions(connection: Connection, source_id: int) -> list[MappingVersion]:
    """Newest first. NotFound if there is no such source."""
    _connector(connection, source_id)
    rows = connection.execute(_statement(source_id).order_by(SourceMapping.version.desc()).limit(_MOST_LISTED))
    return [MappingVersion(*row) for row in rows]


def get_version(connection: Connection, source_id: int, version: int) -> MappingVersion:
    row = connection.execute(_statement(source_id).where(SourceMapping.version == version)).one_or_none()
    if row is None:
        raise NotFound("mapping_unknown", f"This source has no mapping version {version}.")
    return MappingVersion(*row)


def in_state(connection: Connection, source_id: int, state: str) -> MappingVersion | None:
    """The published one, or the draft."""
    row = connection.execute(_statement(source_id).where(SourceMapping.state == state)).one_or_none()
    return MappingVersion(*row) if row is not None else None


def diff(before: str, after: str) -> list[str]:
    """The lines that differ, unified, with three lines around each place; empty if nothing does."""
    return [line.rstrip("\n") for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")][2:]


def takes_mapping(connector: Connector) -> bool:
    return connector.map is not None


def _statement(source_id: int) -> Any:
    return select(
        SourceMapping.version, SourceMapping.state, SourceMapping.text, SourceMapping.note, SourceMapping.author,
        SourceMapping.created_at, SourceMapping.published_at, SourceMapping.rules,
    ).where(SourceMapping.source_id == source_id)  # fmt: skip


def _connector(connection: Connection, source_id: int) -> Connector | None:
    """None if nothing installed provides it."""
    name = connection.execute(select(Source.connector).where(Source.id == source_id)).scalar()
    if name is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.", source_id=source_id)
    try:
        return registry.get(name)
    except HubError:
        return None


def _lock(connection: Connection, source_id: int) -> None:
    """One change at a time. Not FOR UPDATE: the door's inserts refer to this row and must not wait for it."""
    connection.execute(select(Source.id).where(Source.id == source_id).with_for_update(key_share=True))
    connector = _connector(connection, source_id)
    if connector is None or not takes_mapping(connector):
        raise Invalid("mapping_not_taken", "The connector of this source takes no mapping of its own.", fields=["source"])


def _next(connection: Connection, source_id: int) -> int:
    newest = select(func.max(SourceMapping.version)).where(SourceMapping.source_id == source_id)
    return int(connection.execute(newest).scalar() or 0) + 1


def _retire(connection: Connection, source_id: int) -> int | None:
    return connection.execute(
        update(SourceMapping)
        .where(SourceMapping.source_id == source_id, SourceMapping.state == "published")
        .values(state="retired")
        .returning(SourceMapping.version)
    ).scalar()


def _has_changed(connection: Connection, source_id: int, rules: Mapping[str, Any]) -> None:
    """What was learned of the fields under other rules says nothing any more."""
    forget_profiles(connection, source_id, rules)


def _line(error: HubError) -> dict[str, Any]:
    return {"line": error.data["line"]} if "line" in error.data else {}
