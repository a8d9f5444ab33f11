"""A source's own mapping: versions, the bench, a dry run, unmapped fields. The bench shows what people wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import Field

from connectors.kit.preset.file import BYTES
from crm_core.base.values import StorableText, Text, rfc3339
from ingest.mapping.preview import MOST_EVENTS, bench, dry_run
from ingest.mapping.unmapped_fields import acknowledge, list_fields
from ingest.mapping.versions import MappingVersion, get_version, list_versions, publish, roll_back, save_draft
from webhooks.api.parameters import Filters
from webhooks.api.route import Ask, Body, Route
from webhooks.api.schemas import mappings as shapes

MappingText = Annotated[StorableText, Field(max_length=BYTES, description=f"at most {BYTES} bytes in UTF-8")]


class DraftBody(Body):
    text: MappingText = Field(description="YAML or JSON, as docs/mapping.md says")
    note: Text = Field("", max_length=500)


class RollBackBody(Body):
    version: int | None = Field(ge=1, le=2**31, description="null: the connector's own rules alone")


class BenchQuery(Filters):
    limit: Annotated[int, Field(ge=1, le=MOST_EVENTS)] = 20


class DryRunBody(Body):
    text: MappingText = Field(description="empty: the connector's own rules alone")
    limit: int = Field(MOST_EVENTS, ge=1, le=MOST_EVENTS, description="of the last events")


class FieldsBody(Body):
    form: Text | None = Field(None, max_length=300, description="null: every form")
    field: Text | None = Field(None, max_length=300, description="null: every field")


def shape(version: MappingVersion) -> dict[str, Any]:
    """As the API shows a version; the command line and the console take it from here."""
    return {
        "version": version.version,
        "state": version.state,
        "text": version.text,
        "note": version.note,
        "author": version.author,
        "created_at": rfc3339(version.created_at),
        "published_at": rfc3339(version.published_at),
    }


def _list(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        return {"items": [shape(one) for one in list_versions(connection, ask.id("source"))], "next": None}


def _draft(ask: Ask) -> Mapping[str, Any]:
    body = cast(DraftBody, ask.body)
    source_id = ask.id("source")
    with ask.engine.begin() as connection:
        version = save_draft(connection, ask.principal, source_id, body.text, body.note)
        return shape(get_version(connection, source_id, version))


def _publish(ask: Ask) -> Mapping[str, Any]:
    source_id, version = ask.id("source"), ask.id("mapping", "version")
    with ask.engine.begin() as connection:
        publish(connection, ask.principal, source_id, version)
        return shape(get_version(connection, source_id, version))


def _roll_back(ask: Ask) -> Mapping[str, Any]:
    source_id = ask.id("source")
    with ask.engine.begin() as connection:
        version = roll_back(connection, ask.principal, source_id, cast(RollBackBody, ask.body).version)
        return {"published": shape(get_version(connection, source_id, version)) if version else None}


def _bench(ask: Ask) -> Mapping[str, Any]:
    return bench(ask.engine, ask.principal, ask.config, ask.id("source"), cast(BenchQuery, ask.query).limit)


def _dry_run(ask: Ask) -> Mapping[str, Any]:
    body = cast(DryRunBody, ask.body)
    return dry_run(ask.engine, ask.principal, ask.config, ask.id("source"), body.text, body.limit)


def _fields(ask: Ask) -> Mapping[str, Any]:
    with ask.engine.begin() as connection:
        return {"items": list_fields(connection, ask.id("source")), "next": None}


def _acknowledge(ask: Ask) -> Mapping[str, Any]:
    body = cast(FieldsBody, ask.body)
    source_id = ask.id("source")
    with ask.engine.begin() as connection:
        return {"acknowledged": acknowledge(connection, ask.principal, source_id, body.form, body.field)}


ROUTES = (
    Route("GET", "/sources/<id>/mappings", "sources.read", _list, "All versions of a source's own mapping",
          shapes.MappingPage),
    Route("POST", "/sources/<id>/mappings", "sources.write", _draft, "Check a mapping and keep it as the draft",
          shapes.MappingVersion, body=DraftBody, status=201),
    Route("POST", "/sources/<id>/mappings/rollback", "sources.write", _roll_back,
          "Publish an earlier version again, or none", shapes.RolledBack, body=RollBackBody),
    Route("POST", "/sources/<id>/mappings/<version>/publish", "sources.write", _publish,
          "Read what arrives by this version from now on", shapes.MappingVersion),
    Route("GET", "/sources/<id>/bench", "events.raw", _bench,
          "The last events: what arrived, what is understood, what the draft would understand", shapes.Bench,
          query=BenchQuery),
    Route("POST", "/sources/<id>/bench/dry-run", "events.raw", _dry_run,
          "What would become of the last events under a mapping; changes nothing", shapes.DryRun, body=DryRunBody),
    Route("GET", "/sources/<id>/fields", "sources.read", _fields, "Fields that arrive and nobody has mapped",
          shapes.SourceFieldPage),
    Route("POST", "/sources/<id>/fields/acknowledge", "sources.write", _acknowledge,
          "These fields are known and need no mapping", shapes.Acknowledged, body=FieldsBody),
)  # fmt: skip
