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
from webhooks.console.shell.request_context import Answer, Desk, entered

_LONGEST_TEXT = BYTES + 1  # one more than may be saved, so that a longer one is refused and not cut


def text(desk: Desk, source_id: int) -> Answer:
    """Checks, tries or saves what stands in the editor. What is wrong stays there, with its line named."""
    written, act = entered("text", _LONGEST_TEXT) + "\n", entered("act", 10)
    written = written if written.strip() else ""
    try:
        checked(written)
        if act == "try":
            return mapping.shown(desk, source_id, written, report=dry_run(desk.engine, desk.config, source_id, written, actor=desk.principal))
        if act == "check":
            return mapping.shown(desk, source_id, written, is_right=True)
        with desk.engine.begin() as connection:
            save_draft(connection, source_id, written, desk.principal, entered("note", 500))
    except Invalid as error:
        said = mapping_wrong(desk.language, error.message) if error.code == "mapping_wrong" else errors.detail_of(desk, error)
        return mapping.shown(desk, source_id, written, problem=said), 422
    return desk.go("mapping", "mapping_saved", source_id=source_id)


def click(desk: Desk, source_id: int) -> Answer:
    """"This field is the phone": the draft with that line in it. It begins from what is published, else from nothing."""
    with desk.engine.begin() as connection:
        found = in_state(connection, source_id, "draft") or in_state(connection, source_id, "published")
        changed = assign(
            found.text if found else "", entered("source", 200), entered("role", 20),
            _base(desk, connection, source_id, entered("event", 40)),
        )  # fmt: skip
        save_draft(connection, source_id, changed.text, desk.principal, found.note if found and found.state == "draft" else "")
    done = "mapping_clicked_comments" if changed.lost_comments else "mapping_clicked"
    return desk.go("mapping", done, source_id=source_id)


def publish_draft(desk: Desk, source_id: int) -> Answer:
    with desk.engine.begin() as connection:
        publish(connection, source_id, _version("version"), desk.principal)
    return desk.go("mapping", "mapping_published", source_id=source_id)


def go_back(desk: Desk, source_id: int) -> Answer:
    with desk.engine.begin() as connection:
        roll_back(connection, source_id, _version("version") if entered("version", 20) else None, desk.principal)
    return desk.go("mapping", "mapping_rolled_back", source_id=source_id)


def seen(desk: Desk, source_id: int) -> Answer:
    with desk.engine.begin() as connection:
        acknowledge(connection, source_id, desk.principal)
    return desk.go("mapping", "fields_seen", source_id=source_id)


def _base(desk: Desk, connection: Any, source_id: int, uid: str) -> Any:
    """The rules that this event is read by where the mapping says nothing."""
    source = load_source(connection, desk.config, source_id)
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
