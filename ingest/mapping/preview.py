"""What arrived and what was understood of it, for the last events of a source: under the rules in force, and under others.

Reads and rehearses only; every rehearsal is rolled back. Holds what people wrote, so nothing of it goes into a log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import NotFound
from crm_core.sources.models import InboundEvent, Source
from ingest.mapping.preview_fields import ArrivedField, arrived
from ingest.mapping.understood import Reading, difference, read_event, with_rules
from ingest.mapping.versions import checked, in_state
from ingest.processing.process import Processor
from ingest.processing.replay import event_rows, outcomes, portions
from ingest.sources.settings import LoadedSource

EVENTS_SHOWN = history.Action("source.bench")

MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class PreviewEvent:
    """The event that a row of a preview is about."""

    event: str  # its uid
    received_at: datetime
    state: str
    outcome: str | None
    lead_id: int | None


@dataclass(frozen=True, slots=True)
class BenchItem(PreviewEvent):
    """`arrived`: field by field with what it was taken for. `draft…`: the same under the draft, None where there is none."""

    arrived: Sequence[ArrivedField]
    understood: Reading
    draft_arrived: Sequence[ArrivedField] | None
    draft: Reading | None
    differs: Sequence[str]  # names of what the draft understands otherwise


@dataclass(frozen=True, slots=True)
class Bench:
    items: Sequence[BenchItem]  # newest first
    published: int | None  # versions
    draft: int | None


@dataclass(frozen=True, slots=True)
class EndedReading(Reading):
    outcome: str  # or the state of an event without one


@dataclass(frozen=True, slots=True)
class RehearsedReading(EndedReading):
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DryRunItem(PreviewEvent):
    before: EndedReading
    after: RehearsedReading
    differs: Sequence[str]
    creates_lead: bool


@dataclass(frozen=True, slots=True)
class DryRun:
    """All events are counted, by their outcome as it is and as it would be; those that differ are listed, newest first."""

    events: int
    changed: int
    leads: int  # that would be created
    before: Mapping[str, int]
    after: Mapping[str, int]
    items: Sequence[DryRunItem]


def bench(
    engine: Engine, principal: Principal, config: HubConfig, source_id: int, limit: int = 20, text: str | None = None
) -> Bench:
    """The last events as they are understood now and under the draft: `text` if given, else the saved one. NotFound, Invalid."""
    demand(principal, "events.raw")
    with engine.begin() as connection:
        _known(connection, source_id)
        published, draft = in_state(connection, source_id, "published"), in_state(connection, source_id, "draft")
        rules = checked(text) if text is not None else draft.rules if draft else None
        ids = _last(connection, source_id, limit)
        _note_look(connection, principal, source_id, ids)
    with closing(Processor(config)) as processor:
        source = processor.source(source_id)
        other = with_rules(source, rules) if rules is not None else None
        newest_first = (row for part in reversed([*portions(processor, ids)]) for row in reversed(event_rows(processor, part)))
        items = [_bench_item(row, source, other) for row in newest_first]
    return Bench(items, published.version if published else None, draft.version if draft else None)


def _bench_item(row: Mapping[str, Any], source: LoadedSource, other: LoadedSource | None) -> BenchItem:
    now = read_event(source, row)
    then = read_event(other, row) if other else None
    return BenchItem(
        *_head(row),
        arrived=arrived(source, row, now.inquiries),
        understood=now,
        draft_arrived=arrived(other, row, then.inquiries) if other and then else None,
        draft=then,
        differs=difference(now, then) if then else (),
    )


def dry_run(
    engine: Engine, principal: Principal, config: HubConfig, source_id: int, text: str, limit: int = MOST_EVENTS
) -> DryRun:
    """What would become of the last events under this text ("" or "{}": the connector's own rules). NotFound; Invalid for a
    text that is wrong."""
    demand(principal, "events.raw")
    rules = checked(text) if text.strip() else {}
    with engine.begin() as connection:
        _known(connection, source_id)
        ids = _last(connection, source_id, limit)
        _note_look(connection, principal, source_id, ids)
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    leads = 0
    changed: list[DryRunItem] = []
    with closing(Processor(config)) as processor:
        source = processor.source(source_id)
        other = with_rules(source, rules)
        for part in reversed([*portions(processor, ids)]):
            for one in _compare(processor, source, other, event_rows(processor, part)):
                before[one.before.outcome] += 1
                after[one.after.outcome] += 1
                leads += one.creates_lead
                if one.differs:
                    changed.append(one)
    return DryRun(len(ids), len(changed), leads, before, after, changed)


def _compare(
    processor: Processor, source: LoadedSource, other: LoadedSource, rows: Sequence[Mapping[str, Any]]
) -> Iterator[DryRunItem]:
    """What would become of these events, the last one first."""
    settled = [row for row in rows if row["state"] not in ("waiting", "working")]
    after = outcomes(processor, settled, lambda _: other)
    for row in reversed(rows):
        was = row["outcome"] or row["state"]
        name, reason, lead_id = after.get(row["id"], (was, {}, row["lead_id"]))
        before, then = read_event(source, row), read_event(other, row)
        yield DryRunItem(
            *_head(row),
            before=EndedReading(before.inquiries, before.ignored, before.problem, was),
            after=RehearsedReading(then.inquiries, then.ignored, then.problem, name, reason),
            differs=difference(before, then) + (["outcome"] if was != name else []),
            creates_lead=lead_id is not None and lead_id != row["lead_id"] and name in ("created", "repeat"),
        )


def _head(row: Mapping[str, Any]) -> tuple[str, datetime, str, str | None, int | None]:
    """The fields of a `PreviewEvent`."""
    return row["uid"], row["received_at"], row["state"], row["outcome"], row["lead_id"]


def _known(connection: Connection, source_id: int) -> None:
    if connection.execute(select(Source.id).where(Source.id == source_id)).first() is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.", source_id=source_id)


def _note_look(connection: Connection, principal: Principal, source_id: int, ids: Sequence[int]) -> None:
    """What people wrote is about to be shown: who looks at how much of it, up to which event."""
    if ids:
        history.record(connection, principal, EVENTS_SHOWN, source_id, {"events": len(ids), "newest": str(max(ids))})


def _last(connection: Connection, source_id: int, limit: int) -> list[int]:
    newest = (
        select(InboundEvent.id)
        .where(InboundEvent.source_id == source_id, InboundEvent.erased_at.is_(None))
        .order_by(InboundEvent.id.desc())
        .limit(max(1, min(limit, MOST_EVENTS)))
    )
    return list(connection.execute(newest).scalars())
