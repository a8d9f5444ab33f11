"""Changing a source: its name, sites, line and pool, and the settings that its connector's model makes a form of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from sqlalchemy import Connection

from crm_core.base.errors import HubError, Invalid
from ingest.mailbox.source_check import check_source, note_check, would_be
from ingest.sources.changes import change_source
from ingest.sources.settings import LoadedSource
from ingest.sources.sources import SourceRow, change_settings, load_source, set_state
from webhooks.console.shell import errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered
from webhooks.console.sources import source_check, source_fields
from webhooks.console.sources.connector_choice import title_of
from webhooks.console.sources.setup_form import changed_settings, fields_of
from webhooks.console.sources.source_rows import find
from webhooks.console.sources.source_setup import pools


def form(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        row, source = _read(context, connection, source_id)
    return _page(context, row, source, source_fields.stored_fields(row), _settings(source), {}, None)


def change(context: RequestContext, source_id: int) -> PageAnswer:
    """All or nothing: a wrong setting leaves the name as it was too."""
    typed = source_fields.typed_fields()
    with context.engine.begin() as connection:
        row, source = _read(context, connection, source_id)
    settings = changed_settings(source.connector, request.form, _settings(source)) if source else {}
    wrong = source_fields.wrong_fields(context.language, typed)
    later = entered("save", 10) == "later"
    try:
        if wrong:
            raise Invalid("settings_invalid", "Some settings do not fit.", fields=wrong)
        columns = source_fields.changed_columns(row, typed, _asked(context, row, source))
        tried = would_be(context.engine, context.principal, context.config, source_id, settings)
        result = check_source(tried, context.config) if tried and not later else None
        if result is not None and not result.ok:
            checked = source_check.shown(context, tried, result)
            again = _settings(source) | settings
            return _page(context, row, source, typed, again, source_check.beside(checked), None, checked), 422
        with context.engine.begin() as connection:
            change_source(connection, context.principal, source_id, columns)
            if settings:
                change_settings(connection, context.principal, context.config, source_id, settings)
            if tried is not None:
                note_check(connection, source_id, tried, result, context.now)
            if later:
                set_state(connection, context.principal, source_id, "paused")
    except Invalid as error:
        told = error.data.get("fields")
        again = _settings(source) | settings
        return _page(
            context, row, source, typed, again, told if isinstance(told, dict) else {}, errors.problem_of(context, error)
        ), 422
    return context.go("source", "source_changed" if columns or settings else "source_unchanged", source_id=source_id)


def _read(context: RequestContext, connection: Connection, source_id: int) -> tuple[SourceRow, LoadedSource | None]:
    """The row, and the settings unless its connector was uninstalled: then only the rest can be changed."""
    row = find(connection, context, source_id)
    try:
        return row, load_source(connection, context.config, source_id)
    except HubError:
        return row, None


def _settings(source: LoadedSource | None) -> dict[str, Any]:
    return source.settings.model_dump(mode="json") if source else {}


def _asked(context: RequestContext, row: SourceRow, source: LoadedSource | None) -> list[str]:
    return [one.name for one in source_fields.fields(
        context.language, {}, {}, has_hosts=_has_hosts(row, source), pools=pools(context), has_line=True
    )]  # fmt: skip


def _has_hosts(row: SourceRow, source: LoadedSource | None) -> bool:
    return row.channel == "form" and not (source and source.connector.pulls)


def _page(
    context: RequestContext, row: SourceRow, source: LoadedSource | None, typed: Mapping[str, str], settings: Mapping[str, Any],
    wrong: Mapping[str, str], problem: errors.Problem | None, checked: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    general = source_fields.fields(
        context.language, typed, wrong, has_hosts=_has_hosts(row, source), pools=pools(context), has_line=True
    )
    return context.page(
        "sources/change_source.html",
        source={"id": row.id, "name": row.name},
        title=title_of(row.connector, context.language),
        fields=general + (fields_of(source.connector, context.language, settings, wrong, exists=True) if source else []),
        problem=problem,
        checked=checked,
        unsaved=True,
    )
