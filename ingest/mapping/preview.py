"""What arrived and what was understood of it, for the last events of a source: under the rules in force, and under others.

Reads and rehearses only; every rehearsal is rolled back. Holds what people wrote, so nothing of it goes into a log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, select

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import NotFound
from crm_core.base.values import rfc3339
from crm_core.intake import ParsedEvent
from crm_core.parsed import Ignored, Inquiry, Pointer
from crm_core.sources.models import InboundEvent, Source
from ingest.journal.claim import Failure
from ingest.mapping.preview_fields import arrived
from ingest.mapping.versions import checked, in_state
from ingest.processing.process import Processor
from ingest.processing.replay import event_rows, outcomes, portions, read_rows
from ingest.sources.settings import LoadedSource

EVENTS_SHOWN = history.Action("source.bench")

MOST_EVENTS = 100
#: What two readings are compared by.
COMPARED = ("name", "phones", "emails", "company", "message", "title", "form", "messengers", "is_test", "fields", "page_url")

#: What the rules of the published mapping mean here: "as it is now".
Rules = Mapping[str, Any] | None


def bench(
    engine: Engine, principal: Principal, config: HubConfig, source_id: int, limit: int = 20, text: str | None = None
) -> dict[str, Any]:
    """The last events, newest first: {"items":[{"event",…,"inquiries":[…]}],"published","draft"}.

    Each event: what arrived field by field with what it was taken for, the inquiries as they are understood now, both
    under the draft (`text` if given, else the saved draft, else None), and the names of what differs. NotFound, Invalid.
    """
    demand(principal, "events.raw")
    with engine.begin() as connection:
        _known(connection, source_id)
        published, draft = in_state(connection, source_id, "published"), in_state(connection, source_id, "draft")
        rules = checked(text) if text is not None else draft.rules if draft else None
        ids = _last(connection, source_id, limit)
        _note_look(connection, principal, source_id, ids)
    with closing(Processor(config)) as processor:
        source = processor.source(source_id)
        items = []
        other = with_rules(source, rules) if rules is not None else None
        newest_first = (row for part in reversed([*portions(processor, ids)]) for row in reversed(event_rows(processor, part)))
        for row in newest_first:
            now = reading(source, row)
            then = reading(other, row) if other else None
            items.append(
                _head(row)
                | {
                    "arrived": arrived(source, row, now["inquiries"]),
                    "understood": now,
                    "draft_arrived": arrived(other, row, then["inquiries"]) if other and then else None,
                    "draft": then,
                    "differs": difference(now, then) if then else [],
                }
            )
    return {
        "items": items,
        "published": published.version if published else None,
        "draft": draft.version if draft else None,
    }


def dry_run(
    engine: Engine, principal: Principal, config: HubConfig, source_id: int, text: str, limit: int = MOST_EVENTS
) -> dict[str, Any]:
    """What would become of the last events under this text ("" or "{}": the connector's own rules).

    {"events","changed","leads","before":{outcome:n},"after":{outcome:n},"items":[{"event",…,"before","after","differs",
    "creates_lead"}]}: all events are counted, those that differ are listed. Invalid for a text that is wrong.
    """
    demand(principal, "events.raw")
    rules = checked(text) if text.strip() else {}
    with engine.begin() as connection:
        _known(connection, source_id)
        ids = _last(connection, source_id, limit)
        _note_look(connection, principal, source_id, ids)
    report: dict[str, Any] = {"events": len(ids), "changed": 0, "leads": 0, "before": {}, "after": {}, "items": []}
    with closing(Processor(config)) as processor:
        source = processor.source(source_id)
        other = with_rules(source, rules)
        for part in reversed([*portions(processor, ids)]):
            _compare(processor, source, other, event_rows(processor, part), report)
    return report


def _compare(
    processor: Processor, source: LoadedSource, other: LoadedSource, rows: Sequence[Mapping[str, Any]], report: dict[str, Any]
) -> None:
    """Adds to the report what would become of these events."""
    settled = [row for row in rows if row["state"] not in ("waiting", "working")]
    after = outcomes(processor, settled, lambda _: other)
    for row in reversed(rows):
        was = row["outcome"] or row["state"]
        name, reason, lead_id = after.get(row["id"], (was, {}, row["lead_id"]))
        before, then = reading(source, row), reading(other, row)
        creates = lead_id is not None and lead_id != row["lead_id"] and name in ("created", "repeat")
        differs = difference(before, then) + (["outcome"] if was != name else [])
        report["before"][was] = report["before"].get(was, 0) + 1
        report["after"][name] = report["after"].get(name, 0) + 1
        report["leads"] += creates
        if differs:
            report["changed"] += 1
            report["items"].append(
                _head(row)
                | {
                    "before": before | {"outcome": was},
                    "after": then | {"outcome": name, "reason": reason},
                    "differs": differs,
                    "creates_lead": creates,
                }
            )


def reading(source: LoadedSource, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a source makes of an event: {"inquiries":[…],"ignored": code or None,"problem":{"code","message"} or None}."""
    [result] = read_rows([row], lambda _: source)
    if isinstance(result, Failure):
        return {"inquiries": [], "ignored": None, "problem": {"code": result.code, "message": result.message}}
    assert isinstance(result, ParsedEvent)
    ignored = next((one.code for one in result.parsed_items if isinstance(one, Ignored)), None)
    ignored = ignored or next(("pointer" for one in result.parsed_items if isinstance(one, Pointer)), None)
    inquiries = [_shown(one) for one in result.parsed_items if isinstance(one, Inquiry)]
    return {"inquiries": inquiries, "ignored": None if inquiries else ignored, "problem": None}


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The names of what differs between two readings of an event."""
    if (one["problem"] or one["ignored"]) != (other["problem"] or other["ignored"]):
        return ["outcome"]
    if len(one["inquiries"]) != len(other["inquiries"]):
        return ["inquiries"]
    pairs = list(zip(one["inquiries"], other["inquiries"], strict=True))
    return [name for name in COMPARED if any(a[name] != b[name] for a, b in pairs)]


def with_rules(source: LoadedSource, rules: Rules) -> LoadedSource:
    """The source as if this were its published mapping; {}: as if it had none."""
    return replace(source, mapping=rules or None, mapping_version=0)


def _shown(inquiry: Inquiry) -> dict[str, Any]:
    marks = inquiry.attribution
    return {
        "name": inquiry.name,
        "phones": list(inquiry.phones),
        "emails": list(inquiry.emails),
        "company": inquiry.company,
        "message": inquiry.message,
        "title": inquiry.title,
        "form": inquiry.form_name or inquiry.form_id,
        "line": inquiry.line,
        "is_test": inquiry.is_test,
        "messengers": dict(inquiry.messengers),
        "fields": dict(inquiry.fields),
        "page_url": marks.page_url,
        "referrer": marks.referrer,
        "marks": {**marks.utm, **marks.click_ids, **marks.client_ids},
        "consents": [{"purpose": one.purpose, "given": one.given, "field": one.field_name} for one in inquiry.consents],
        "files": [one.name or one.url for one in inquiry.files],
        "warnings": list(inquiry.warnings),
    }


def _head(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event": row["uid"],
        "received_at": rfc3339(row["received_at"]),
        "state": row["state"],
        "outcome": row["outcome"],
        "lead": str(row["lead_id"]) if row["lead_id"] is not None else None,
    }


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
