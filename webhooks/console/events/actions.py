"""Sending events through again, after a look at what would change; and a person's word that one needs no lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import request, url_for

from crm_core.base.errors import Invalid
from ingest.journal.queries import dismiss as dismiss_event
from ingest.journal.queries import get_event
from ingest.journal.raw_event import safe_text
from ingest.processing.affected import affected, affected_events
from ingest.processing.replay import MOST_SHOWN, ReplayReport, Selection, replay
from webhooks.console.events.reasons import end_of, words_of
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered
from webhooks.waking import wake_all

_STATES = ("attention", "needs_attention", "rejected")


def preview(context: RequestContext) -> PageAnswer:
    selection, named = _selection(context, request.args)
    report = _sent(context, selection, dry_run=True)
    items = [_shown(context, change) for change in report.changes]
    changed = report.changed
    if "affected" in named:
        items += _otherwise(context, int(named["source"]), report)
        changed = report.selected
    elif "event" in named and not items:
        with context.engine.begin() as connection:
            source_id = get_event(connection, named["event"]).source.id
        items = _otherwise(context, source_id, report, named["event"])
        changed = len(items)
    return context.page(
        "events/replay.html",
        report=report,
        total=report.selected,
        changed=changed,
        items=items,
        selection=named,
        back=_back(named),
    )


def replay_now(context: RequestContext) -> PageAnswer:
    selection, named = _selection(context, request.form)
    _sent(context, selection, dry_run=False)
    wake_all(context.config)
    if "affected" in named:
        return context.go("events", "replayed", source=named["source"])
    if selection.uids:
        return context.go("event", "replayed", event_id=selection.uids[0])
    return context.go("events", "replayed")


def dismiss(context: RequestContext, event_id: str) -> PageAnswer:
    with context.engine.begin() as connection:
        dismiss_event(connection, context.principal, event_id, entered("why", 500), context.now)
    return context.go("event", "dismissed", event_id=event_id)


def _sent(context: RequestContext, selection: Selection, *, dry_run: bool) -> ReplayReport:
    if selection.is_search and not selection.uids:
        return ReplayReport(dry_run=dry_run)  # nothing is affected any more
    return replay(context.engine, context.principal, context.config, selection, dry_run)


def _selection(context: RequestContext, values: Mapping[str, str]) -> tuple[Selection, dict[str, str]]:
    """What is to be sent through again, and the fields that say so in a form: one event, all that stand still, or those
    of a source that are understood otherwise since its mapping was changed."""
    source = values.get("source", "")
    if values.get("affected") and re.fullmatch(r"[1-9][0-9]{0,17}", source):
        uids = affected(context.engine, context.config, int(source))
        return Selection(uids=tuple(uids), is_search=True), {"source": source, "affected": "1"}
    event, state = safe_text(values.get("event", "")), values.get("state", "")
    if event:
        return Selection(uids=(event,)), {"event": event}
    if state in _STATES:
        return Selection(state=state), {"state": state}
    raise Invalid("nothing_selected", "Name events, or at least one filter.", fields=["filter"])


def _shown(context: RequestContext, change: Mapping[str, Any]) -> dict[str, Any]:
    after = end_of(change["after"], change.get("reason") or {})
    return {
        "event": change["event"],
        "before": end_of(change["before"], {}),
        "after": after,
        "words": words_of(context, after),
    }


def _otherwise(context: RequestContext, source_id: int, report: ReplayReport, uid: str | None = None) -> list[dict[str, Any]]:
    """Events whose outcome stays and whose content would not."""
    told = {change["event"] for change in report.changes}
    return [
        {
            "event": one.uid,
            "before": end_of(one.was, {}),
            "after": end_of(one.was, {}),
            "words": context.language(
                "replay.otherwise", parts=", ".join(context.language(f"inquiry.{part}") for part in one.differs)
            ),
        }
        for one in affected_events(context.engine, context.config, source_id, uid=uid)
        if one.uid not in told and one.differs
    ][: MOST_SHOWN - len(told)]


def _back(named: Mapping[str, str]) -> str:
    if "event" in named:
        return url_for("console.event", event_id=named["event"])
    if "affected" in named:
        return url_for("console.mapping", source_id=named["source"])
    return url_for("console.events", state=named["state"])
