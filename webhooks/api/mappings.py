"""A source's own mapping: versions, the bench, a dry run, unmapped fields. The bench shows what people wrote."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, Field

from connectors.kit.preset.file import BYTES
from ingest.mapping.preview import MOST_EVENTS, bench, dry_run
from ingest.mapping.unmapped_fields import acknowledge, list_fields
from ingest.mapping.versions import get_version, list_versions, publish, roll_back, save_draft
from webhooks.api.parameters import Filters, StorableText, Text
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Page, Shape


class MappingVersion(Shape):
    version: int
    state: Literal["draft", "published", "retired"]
    text: str = Field(description="YAML")
    note: str
    author: str
    created_at: AwareDatetime
    published_at: AwareDatetime | None


class RolledBack(Shape):
    published: MappingVersion | None


class Trouble(Shape):
    code: str
    message: str


class UnderstoodConsent(Shape):
    purpose: str
    given: bool
    field: str


class Understood(Shape):
    name: str
    phones: list[str] = Field(description="as written")
    emails: list[str]
    company: str
    message: str
    title: str
    form: str
    line: str
    is_test: bool
    messengers: dict[str, str]
    fields: dict[str, Any] = Field(description="what nobody understood, kept")
    page_url: str
    referrer: str
    marks: dict[str, str]
    consents: list[UnderstoodConsent]
    files: list[str]
    warnings: list[str]


class Reading(Shape):
    inquiries: list[Understood]
    ignored: str | None = Field(description="code of why it is no inquiry")
    problem: Trouble | None = Field(description="why it cannot be read")


class RehearsedReading(Reading):
    outcome: str = Field(description="outcome, or the state of an event without one")
    reason: dict[str, Any] = Field(default_factory=dict)


class ArrivedField(Shape):
    path: str
    source: str = Field(description="what a mapping calls it; empty where none can name it")
    name: str
    label: str
    type: str
    value: str = Field(description="its beginning")
    role: str
    how: Literal["mapped", "name", "value", "kept", "left", "unread"]
    inquiry: int = Field(description="which of the event's inquiries")


class BenchEvent(Shape):
    event: Id
    received_at: AwareDatetime
    state: str
    outcome: str | None
    lead: Id | None = Field(validation_alias="lead_id")


class BenchItem(BenchEvent):
    arrived: list[ArrivedField]
    understood: Reading
    draft_arrived: list[ArrivedField] | None
    draft: Reading | None
    differs: list[str]


class Bench(Shape):
    items: list[BenchItem]
    published: int | None
    draft: int | None


class DryRunItem(BenchEvent):
    before: RehearsedReading
    after: RehearsedReading
    differs: list[str]
    creates_lead: bool


class DryRun(Shape):
    events: int
    changed: int
    leads: int = Field(description="how many would be created")
    before: dict[str, int]
    after: dict[str, int]
    items: list[DryRunItem]


class SourceField(Shape):
    form: str
    field: str
    seen: int
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    event: Id | None = Field(description="where it was first seen")
    acknowledged_at: AwareDatetime | None


class Acknowledged(Shape):
    acknowledged: int


class MappingPage(Page[MappingVersion]):
    pass


class SourceFieldPage(Page[SourceField]):
    pass


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


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_versions(connection, ask.id("source")), "next": None}


def _draft(ask: Ask) -> object:
    body = cast(DraftBody, ask.body)
    source_id = ask.id("source")
    with ask.engine.begin() as connection:
        version = save_draft(connection, ask.principal, source_id, body.text, body.note)
        return get_version(connection, source_id, version)


def _publish(ask: Ask) -> object:
    source_id, version = ask.id("source"), ask.id("mapping", "version")
    with ask.engine.begin() as connection:
        publish(connection, ask.principal, source_id, version)
        return get_version(connection, source_id, version)


def _roll_back(ask: Ask) -> object:
    source_id = ask.id("source")
    with ask.engine.begin() as connection:
        version = roll_back(connection, ask.principal, source_id, cast(RollBackBody, ask.body).version)
        return {"published": get_version(connection, source_id, version) if version else None}


def _bench(ask: Ask) -> object:
    return bench(ask.engine, ask.principal, ask.config, ask.id("source"), cast(BenchQuery, ask.query).limit)


def _dry_run(ask: Ask) -> object:
    body = cast(DryRunBody, ask.body)
    return dry_run(ask.engine, ask.principal, ask.config, ask.id("source"), body.text, body.limit)


def _fields(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_fields(connection, ask.id("source")), "next": None}


def _acknowledge(ask: Ask) -> object:
    body = cast(FieldsBody, ask.body)
    source_id = ask.id("source")
    with ask.engine.begin() as connection:
        return {"acknowledged": acknowledge(connection, ask.principal, source_id, body.form, body.field)}


ROUTES = (
    Route("GET", "/sources/<id>/mappings", "sources.read", _list, "All versions of a source's own mapping",
          MappingPage),
    Route("POST", "/sources/<id>/mappings", "sources.write", _draft, "Check a mapping and keep it as the draft",
          MappingVersion, body=DraftBody, status=201),
    Route("POST", "/sources/<id>/mappings/rollback", "sources.write", _roll_back,
          "Publish an earlier version again, or none", RolledBack, body=RollBackBody),
    Route("POST", "/sources/<id>/mappings/<version>/publish", "sources.write", _publish,
          "Read what arrives by this version from now on", MappingVersion),
    Route("GET", "/sources/<id>/bench", "events.raw", _bench,
          "The last events: what arrived, what is understood, what the draft would understand", Bench,
          query=BenchQuery),
    Route("POST", "/sources/<id>/bench/dry-run", "events.raw", _dry_run,
          "What would become of the last events under a mapping; changes nothing", DryRun, body=DryRunBody),
    Route("GET", "/sources/<id>/fields", "sources.read", _fields, "Fields that arrive and nobody has mapped",
          SourceFieldPage),
    Route("POST", "/sources/<id>/fields/acknowledge", "sources.write", _acknowledge,
          "These fields are known and need no mapping", Acknowledged, body=FieldsBody),
)  # fmt: skip
