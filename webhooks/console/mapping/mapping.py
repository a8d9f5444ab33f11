"""How a form is read: what arrived and what was understood, the text that says so, its history. Shows what people wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request

from crm_core.access.actors import names_of
from crm_core.base.errors import HubError
from ingest.mapping.preview import MOST_EVENTS, BenchItem, DryRun, DryRunItem, bench
from ingest.mapping.text import IGNORE, ROLES, write
from ingest.mapping.understood import Reading, Understood
from ingest.mapping.unmapped_fields import list_fields
from ingest.mapping.versions import diff, in_state, list_versions, takes_mapping
from ingest.sources.settings import LoadedSource
from ingest.sources.sources import load_source
from webhooks.console.events.reasons import end_of
from webhooks.console.leads.owner_reasons import actor
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext
from webhooks.console.shell.values import as_text, flat
from webhooks.console.sources.connector_choice import title_of
from webhooks.console.sources.source_rows import find

_EVENTS = 10
#: Roles offered first; the others are a step further away.
_MAIN_ROLES = ("phone", "email", "name", "message", "company")
_MORE_ROLES = tuple(role for role in ROLES if role not in _MAIN_ROLES)
#: Parts of an inquiry in the order in which they are read, with what `differs` calls them.
_PARTS = ("name", "phones", "emails", "company", "message", "title", "form", "page_url", "referrer")


def page(context: RequestContext, source_id: int) -> PageAnswer:
    return shown(context, source_id)


def shown(
    context: RequestContext, source_id: int, text: str | None = None, problem: errors.Problem | None = None, report: DryRun | None = None,
    *, is_right: bool = False,
) -> str:  # fmt: skip
    """The page; `text` is what stands in the editor if it is not the draft, `report` what a dry run of it told."""
    with context.engine.begin() as connection:
        row = find(connection, context, source_id)
        source = _loaded(context, connection, source_id)
        versions = list_versions(connection, source_id)
        published, draft = (in_state(connection, source_id, state) for state in ("published", "draft"))
        fields = list_fields(connection, source_id, fresh=True)
        names = names_of(connection, [one.author for one in versions])
    takes = source is not None and takes_mapping(source.connector)
    limit = MOST_EVENTS if request.args.get("all") else _EVENTS
    if source is not None and row.channel == "form":
        written = text if text is not None and not problem else None
        items = bench(context.engine, context.principal, context.config, source_id, limit, written).items
    else:
        items = ()
    in_editor = text if text is not None else draft.text if draft else published.text if published else ""
    return context.page(
        "mapping/mapping.html",
        source={"id": str(row.id), "name": row.name, "connector_title": title_of(row.connector, context.language)},
        takes=takes,
        published=published,
        draft=draft,
        text=in_editor,
        problem=problem,
        is_right=is_right,
        lines=max(12, min(40, in_editor.count("\n") + 4)),
        own=write(_readable(source)) if source and _readable(source) else "",
        changes=diff(published.text if published else "", draft.text) if draft else [],
        versions=[{"row": one, "by": actor(context, one.author, names)} for one in versions],
        fields=fields,
        items=[_item(context, item) for item in items],
        report=_report(context, report) if report else None,
        main_roles=_MAIN_ROLES,
        more_roles=_MORE_ROLES,
        ignore=IGNORE,
        shows_all=limit == MOST_EVENTS,
        can_write=takes and context.may("sources.write"),
        can_replay=context.may("events.replay"),
    )


def _loaded(context: RequestContext, connection: Any, source_id: int) -> LoadedSource | None:
    try:
        return load_source(connection, context.config, source_id)
    except HubError:
        return None


def _readable(source: LoadedSource) -> dict[str, Any]:
    """The connector's own rules, as far as a source's mapping may say the same."""
    sections = ("split", "unwrap", "skip_if", "test_if", "fields", "extra", "read_names")
    return {name: value for name, value in (source.connector.rules or {}).items() if name in sections}


def _item(context: RequestContext, item: BenchItem) -> dict[str, Any]:
    now, then = item.understood, item.draft
    return {
        "event": item.event, "received_at": item.received_at, "state": item.state, "outcome": item.outcome,
        "lead": item.lead_id, "differs": item.differs,
        "head": _head(now),
        "now": _reading(context, now, ()),
        "then": _reading(context, then, item.differs) if then and item.differs else None,
        "fields": item.draft_arrived if then and item.draft_arrived is not None else item.arrived,
    }  # fmt: skip


def _head(reading: Reading) -> str:
    """What names the event in a list: the person, else how he is reached, else what he says."""
    for one in reading.inquiries:
        for value in (one.name, *one.phones, *one.emails, one.message):
            if value:
                return value[:80]
    return ""


def _reading(context: RequestContext, reading: Reading, differs: Sequence[str]) -> dict[str, Any]:
    """{"problem": sentence or "","inquiries":[[(label, text, is changed)]]}."""
    problem = ""
    if reading.problem:
        problem = reading.problem.message
        if context.language.locale != "en" and context.language.knows("problem", reading.problem.code):
            problem = context.language.code("problem", reading.problem.code)
    elif reading.ignored:
        problem = context.language("bench.ignored", code=reading.ignored)
    return {"problem": problem, "inquiries": [_facts(context, one, differs) for one in reading.inquiries]}


def _facts(context: RequestContext, inquiry: Understood, differs: Sequence[str]) -> list[tuple[str, str, bool]]:
    facts = [
        (context.language(f"inquiry.{part}"), as_text(getattr(inquiry, part)), part in differs)
        for part in _PARTS
        if getattr(inquiry, part) or part in ("name", "phones", "emails") or part in differs
    ]
    facts += [(name, str(value), "messengers" in differs) for name, value in inquiry.messengers.items()]
    facts += [(name, str(value), False) for name, value in inquiry.marks.items()]
    facts += [
        (
            context.language.code("consent_purpose", one.purpose),
            context.language("form.yes" if one.given else "form.no"),
            False,
        )
        for one in inquiry.consents
    ]
    facts += [(context.language("inquiry.file"), name, False) for name in inquiry.files]
    if inquiry.is_test:
        facts.append((context.language.code("outcome", "test"), context.language("form.yes"), "is_test" in differs))
    kept = ", ".join(name for name, _ in flat(inquiry.fields))
    return facts + ([(context.language("inquiry.fields"), kept, "fields" in differs)] if kept or "fields" in differs else [])


def _report(context: RequestContext, report: DryRun) -> dict[str, Any]:
    """A dry run's differences, line by line: what it was and what it would be."""
    items = [
        {
            "event": item.event,
            "received_at": item.received_at,
            "before_event": end_of(item.before.outcome, {}),
            "after_event": end_of(item.after.outcome, {}),
            "lines": _lines(context, item),
        }
        for item in report.items
    ]
    return {"events": report.events, "changed": report.changed, "leads": report.leads, "items": items}


def _lines(context: RequestContext, item: DryRunItem) -> list[tuple[str, str, str]]:
    before, after = (
        [{label: text for label, text, _ in _facts(context, one, item.differs)} for one in reading.inquiries]
        for reading in (item.before, item.after)
    )
    kept = context.language("inquiry.fields")
    lines = []
    for number in range(max(len(before), len(after))):
        old = before[number] if number < len(before) else {}
        new = after[number] if number < len(after) else {}
        for label in [*old, *(one for one in new if one not in old)]:
            was, would = old.get(label, ""), new.get(label, "")
            if label == kept:  # only the names that leave or come
                names, others = was.split(", "), would.split(", ")
                was = ", ".join(name for name in names if name not in others)
                would = ", ".join(name for name in others if name not in names)
            if was != would:
                lines.append((label, was, would))
    return lines
