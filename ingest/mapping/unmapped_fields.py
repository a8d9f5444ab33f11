"""Fields that a form sends and nobody has mapped: what was learned, what a person has seen, and when to forget it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, text, update

from connectors.kit.preset.paths import matches
from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import NotFound
from crm_core.forms.models import SourceField, SourceWatch
from crm_core.sources.models import Source
from ingest.alerts.alerts import end_alert
from ingest.journal.raw_event import safe_text

FIELDS_ACKNOWLEDGED = history.Action("fields.acknowledge", of="source")

_MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class UnmappedField:
    form: str
    field: str
    seen: int
    first_seen_at: datetime
    last_seen_at: datetime
    event: str | None  # uid: where it was first seen
    acknowledged_at: datetime | None


def subject_of(form: str, field: str) -> str:
    """How an alert names a field of a form."""
    return f"{form} · {field}" if form else field


def list_fields(connection: Connection, source_id: int, *, fresh: bool = False) -> list[UnmappedField]:
    """Those that nobody has acknowledged first. `fresh`: only these. NotFound if there is no such source."""
    if connection.execute(select(Source.id).where(Source.id == source_id)).first() is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.", source_id=source_id)
    rows = connection.execute(
        text(
            "SELECT f.form_id, f.field, f.seen, f.first_seen_at, f.last_seen_at, f.acknowledged_at, e.uid"
            "  FROM source_field f LEFT JOIN inbound_event e ON e.id = f.event_id"
            " WHERE f.source_id = :source AND (NOT :fresh OR f.acknowledged_at IS NULL)"
            " ORDER BY f.acknowledged_at IS NOT NULL, f.last_seen_at DESC, f.form_id, f.field LIMIT :most"
        ),
        {"source": source_id, "fresh": fresh, "most": _MOST_LISTED},
    )
    return [
        UnmappedField(row.form_id, row.field, row.seen, row.first_seen_at, row.last_seen_at, row.uid, row.acknowledged_at)
        for row in rows
    ]


def acknowledge(
    connection: Connection, principal: Principal, source_id: int, form: str | None = None, field: str | None = None
) -> int:
    """A person has seen these fields and they need no mapping; their alerts end. Returns how many were new to them."""
    demand(principal, "sources.write")
    if connection.execute(select(Source.id).where(Source.id == source_id)).first() is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.", source_id=source_id)
    wanted = [SourceField.source_id == source_id, SourceField.acknowledged_at.is_(None)]
    wanted += [SourceField.form_id == safe_text(form)] if form is not None else []
    wanted += [SourceField.field == safe_text(field)] if field is not None else []
    rows = connection.execute(
        update(SourceField).where(*wanted).values(acknowledged_at=text("clock_timestamp()"))
        .returning(SourceField.form_id, SourceField.field)
    ).all()  # fmt: skip
    for row in rows:
        end_alert(connection, source_id, "new_field", subject_of(row.form_id, row.field), by=principal.actor)
    if rows:
        history.record(connection, principal, FIELDS_ACKNOWLEDGED, source_id, {"count": len(rows)})
    return len(rows)


def forget_profiles(connection: Connection, source_id: int, rules: Mapping[str, Any]) -> None:
    """Under other rules other fields are left over: which of them used to be there is learned anew.

    Fields that the rules now take or leave out are no longer unmapped: they go, and their alerts end.
    """
    sources = [one for rule in rules.get("fields", {}).values() for one in (*rule.get("from", ()), *rule.get("join", ()))]
    gone = [one.removeprefix("$.").removeprefix("@name:") for one in sources if one.startswith(("$.", "@name:"))]
    gone += [one.removeprefix("$.") for one in rules.get("extra", {}).get("drop", ())]
    # First of all, as a look of the watch takes it before it writes fields and alerts.
    profile = connection.execute(select(SourceWatch.profile).where(SourceWatch.source_id == source_id).with_for_update()).scalar()
    rows = connection.execute(select(SourceField.form_id, SourceField.field).where(SourceField.source_id == source_id))
    for row in rows.all():
        if any(matches(row.field, pattern) for pattern in gone):
            connection.execute(
                delete(SourceField).where(
                    SourceField.source_id == source_id, SourceField.form_id == row.form_id, SourceField.field == row.field
                )
            )
            end_alert(connection, source_id, "new_field", subject_of(row.form_id, row.field))
    if profile and profile.get("forms"):
        for form in profile["forms"].values():
            form.pop("fields", None)
            form.pop("gone", None)
        connection.execute(update(SourceWatch).where(SourceWatch.source_id == source_id).values(profile=profile))
    end_alert(connection, source_id, "field_gone")
