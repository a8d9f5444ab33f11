"""Changing how a form is read: by a click on a field, in the text, by publishing, by going back."""

from __future__ import annotations

from typing import Any

from connectors.kit.preset.file import BYTES
from crm_core.base.errors import HubError, Invalid
from ingest.journal.queries import request_of
from ingest.mapping.preview import dry_run
from ingest.mapping.preview_fields import base_rules
from ingest.mapping.text import assign
from ingest.mapping.unmapped_fields import acknowledge
from ingest.mapping.versions import checked, in_state, publish, roll_back, save_draft
from ingest.sources.sources import load_source
from webhooks.console.mapping import mapping
from webhooks.console.mapping.mapping_errors import mapping_wrong
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_LONGEST_TEXT = BYTES + 1  # one more than may be saved, so that a longer one is refused and not cut


def text(context: RequestContext, source_id: int) -> PageAnswer:
    """Checks, tries or saves what stands in the editor. What is wrong stays there, with its line named."""
    written, act = entered("text", _LONGEST_TEXT) + "\n", entered("act", 10)
    written = written if written.strip() else ""
    try:
        checked(written)
        if act == "try":
            return mapping.shown(
                context, source_id, written, report=dry_run(context.engine, context.principal, context.config, source_id, written)
            )
        if act == "check":
            return mapping.shown(context, source_id, written, is_right=True)
        with context.engine.begin() as connection:
            save_draft(connection, context.principal, source_id, written, entered("note", 500))
    except Invalid as error:
        said = errors.problem_of(context, error)
        if error.code == "mapping_wrong":
            said = errors.Problem(mapping_wrong(context.language, error.message), error.code)
        return mapping.shown(context, source_id, written, problem=said), 422
    return context.go("mapping", "mapping_saved", source_id=source_id)


def click(context: RequestContext, source_id: int) -> PageAnswer:
    """ "This field is the phone": the draft with that line in it. It begins from what is published, else from nothing."""
    with context.engine.begin() as connection:
        found = in_state(connection, source_id, "draft") or in_state(connection, source_id, "published")
        changed = assign(
            found.text if found else "", entered("source", 200), entered("role", 20),
            _base(context, connection, source_id, entered("event", 40)),
        )  # fmt: skip
        save_draft(connection, context.principal, source_id, changed.text, found.note if found and found.state == "draft" else "")
    done = "mapping_clicked_comments" if changed.lost_comments else "mapping_clicked"
    return context.go("mapping", done, source_id=source_id)


def publish_draft(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        publish(connection, context.principal, source_id, _version("version"))
    return context.go("mapping", "mapping_published", source_id=source_id)


def go_back(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        roll_back(connection, context.principal, source_id, _version("version") if entered("version", 20) else None)
    return context.go("mapping", "mapping_rolled_back", source_id=source_id)


def seen(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        acknowledge(connection, context.principal, source_id)
    return context.go("mapping", "fields_seen", source_id=source_id)


def _base(context: RequestContext, connection: Any, source_id: int, uid: str) -> Any:
    """The rules that this event is read by where the mapping says nothing."""
    source = load_source(connection, context.config, source_id)
    try:
        request = request_of(connection, uid)
    except HubError:
        return source.connector.rules or {}
    return base_rules(source.connector, request)


def _version(name: str) -> int:
    typed = entered(name, 20)
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 18):
        raise Invalid("version_unknown", "There is no such version.", fields=["version"])
    return int(typed)
