"""Adding a source: choose a connector, fill in the form that its configuration model makes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from flask import request

from connectors.kit import Connector, registry
from crm_core.errors import Invalid
from ingest.source_check import check_source, note_check
from ingest.source_settings import check_settings
from ingest.sources import add_source, set_state
from webhooks.console import errors, source_check, source_fields
from webhooks.console.desk import Answer, Desk, entered
from webhooks.console.setup_form import fields_of, given_settings
from webhooks.console.sources import title_of

_LONGEST_SUMMARY = 140
_CHANNEL_ORDER = ("form", "call", "mail")


def choose(desk: Desk) -> Answer:
    connectors = sorted(registry.discover().values(), key=lambda one: _CHANNEL_ORDER.index(one.channel))
    return desk.page(
        "choose_connector.html",
        groups=[
            (channel, [{"name": one.name, "title": title_of(one.name, desk.language), "summary": _summary(desk, one)} for one in group])
            for channel, group in groupby(connectors, key=lambda one: one.channel)
        ],
    )


def form(desk: Desk, connector: str) -> Answer:
    found = registry.get(connector)
    return _page(desk, found, {"source_name": title_of(connector, desk.language)}, {}, {}, "")


def add(desk: Desk, connector: str) -> Answer:
    found = registry.get(connector)
    typed, given = source_fields.typed_fields(), given_settings(found, request.form)
    wrong = source_fields.wrong_fields(desk.language, typed)
    later = entered("save", 10) == "later"
    try:
        if wrong:
            raise Invalid("settings_invalid", "Some settings do not fit.", fields=wrong)
        settings = check_settings(found, given) if found.pulls else None
        result = check_source(settings, desk.config) if settings and not later else None
        if settings is not None and result is not None and not result.ok:
            checked = source_check.shown(desk, settings, result)
            return _page(desk, found, typed, given, _beside(checked), "", checked), 422
        with desk.engine.begin() as connection:
            source = add_source(
                connection, desk.config, connector, typed["source_name"], given,
                source_fields.hosts_of(typed["source_hosts"]), actor=desk.principal.actor,
            )  # fmt: skip
            if settings is not None:
                note_check(connection, source.id, settings, result, desk.now)
            if later:
                set_state(connection, source.id, "paused", actor=desk.principal.actor)
    except Invalid as error:
        told = error.data.get("fields")
        return _page(desk, found, typed, given, told if isinstance(told, dict) else {}, errors.detail_of(desk, error)), 422
    return desk.go("source", "source_added", source_id=source.id)


def _beside(checked: Mapping[str, Any]) -> dict[str, str]:
    """The failure of a check, told beside the field that it most likely is about."""
    return {checked["field"]: checked["title"]} if checked["field"] else {}


def _page(
    desk: Desk, connector: Connector, typed: Mapping[str, str], given: Mapping[str, Any], wrong: Mapping[str, str], problem: str,
    checked: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    has_hosts = connector.channel == "form" and not connector.pulls
    return desk.page(
        "add_source.html",
        title=title_of(connector.name, desk.language),
        fields=source_fields.fields(desk.language, typed, wrong, has_hosts=has_hosts)
        + fields_of(connector, desk.language, given, wrong),
        problem=problem,
        checked=checked,
        unsaved=True,
        docs=_plain(connector.docs),
        summary=_summary(desk, connector),
    )


def _summary(desk: Desk, connector: Connector) -> str:
    """What it is for, in the reader's language where it is known, else the first lines of its documentation."""
    if desk.language.knows("connector", connector.name):
        return desk.language.code("connector", connector.name)
    lines = [line for line in connector.docs.splitlines() if line.strip() and not line.startswith("#")]
    return " ".join(lines)[:_LONGEST_SUMMARY]


def _plain(docs: str) -> str:
    """What the connector is for: its documentation up to the first section, without marks. The rest is for the terminal."""
    body = docs.split("\n## ", maxsplit=1)[0].split("\n", 1)
    text = body[1] if body[0].startswith("# ") and len(body) > 1 else docs.split("\n## ", maxsplit=1)[0]
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(part for part in paragraphs if part).replace("`", "").replace("**", "")
