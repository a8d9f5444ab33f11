"""A new source on one page: what it is, three fields with all others folded, then connecting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import request

from connectors.kit import Connector, registry
from connectors.mail.imap.servers import known_server, server_of
from crm_core.base.errors import Invalid
from crm_core.people.queries import list_pools
from ingest.mailbox.source_check import check_source, note_check
from ingest.sources.settings import check_settings
from ingest.sources.sources import add_source, set_state
from webhooks.console.shell import errors
from webhooks.console.shell.choices import Options
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered
from webhooks.console.sources import connector_choice, source_check, source_connect, source_fields
from webhooks.console.sources.connector_choice import title_of
from webhooks.console.sources.setup_form import SetupField, fields_of, given_settings


def choose(context: RequestContext) -> PageAnswer:
    return context.page("sources/new_source.html", choice=connector_choice.step(context, None), step=1)


def form(context: RequestContext, connector: str) -> PageAnswer:
    found = registry.get(connector)
    name = "" if found.pulls else title_of(connector, context.language)
    return _page(context, found, {"source_name": name}, {}, {}, None)


def add(context: RequestContext, connector: str) -> PageAnswer:
    found = registry.get(connector)
    typed, given = source_fields.typed_fields(), given_settings(found, request.form)
    if found.pulls and not typed["source_name"]:
        typed["source_name"] = str(given.get("user", ""))[:200]  # a mailbox is known by its address
    wrong = source_fields.wrong_fields(context.language, typed)
    later = entered("save", 10) == "later"
    try:
        if wrong:
            raise Invalid("settings_invalid", "Some settings do not fit.", fields=wrong)
        settings = check_settings(found, given) if found.pulls else None
        result = check_source(settings, context.config) if settings and not later else None
        if settings is not None and result is not None and not result.ok:
            checked = source_check.shown(context, settings, result)
            return _page(context, found, typed, given, source_check.beside(checked), None, checked), 422
        with context.engine.begin() as connection:
            source = add_source(
                connection, context.principal, context.config, connector, typed["source_name"], given,
                source_fields.hosts_of(typed["source_hosts"]),
                pool_id=int(typed["source_pool"]) if typed["source_pool"] else None,
            )  # fmt: skip
            if settings is not None:
                note_check(connection, source.id, settings, result, context.now)
            if later:
                set_state(connection, context.principal, source.id, "paused")
    except Invalid as error:
        told = error.data.get("fields")
        wrong = told if isinstance(told, dict) else {}
        return _page(context, found, typed, given, wrong, errors.problem_of(context, error)), 422
    if source.secret:  # shown this once: it is not on the page that one would be sent to
        return source_connect.page(context, source.id, secret=source.secret)
    return context.go("source" if found.pulls or later else "connect_source", "source_added", source_id=source.id)


def pools(context: RequestContext) -> Options:
    """The pools, if there is more than one to choose from."""
    with context.engine.begin() as connection:
        found = list_pools(connection)
    if len(found) < 2:
        return []
    return [("", context.language("source.default_pool")), *((str(pool.id), pool.name) for pool in found)]


def _page(
    context: RequestContext, connector: Connector, typed: Mapping[str, str], given: Mapping[str, Any], wrong: Mapping[str, str], problem: errors.Problem | None,
    checked: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    has_hosts = connector.channel == "form" and not connector.pulls
    general = source_fields.fields(context.language, typed, wrong, has_hosts=has_hosts, pools=pools(context))
    own = fields_of(connector, context.language, given, wrong)
    fields = _address_first(general, own) if connector.pulls else _name_first(general, own)
    return context.page(
        "sources/new_source.html",
        choice=connector_choice.step(context, connector),
        step=2,
        title=title_of(connector.name, context.language),
        kind=connector.channel,
        fields=fields,
        folded=[field.label for field in fields if field.extra],
        problem=problem,
        checked=checked,
        unsaved=True,
        pulls=connector.pulls,
        mail_server=_mail_server(context, str(given.get("user", "")), str(given.get("host", ""))) if connector.pulls else None,
        guide=source_connect.words(context, connector),
    )


def _name_first(general: list[SetupField], own: list[SetupField]) -> list[SetupField]:
    return general[:1] + [field for field in own if not field.extra] + general[1:] + [field for field in own if field.extra]


def _address_first(general: list[SetupField], own: list[SetupField]) -> list[SetupField]:
    """A mailbox is known by its address, so that its name may stay empty."""
    general = [replace(field, required=False) if field.name == "source_name" else field for field in general]
    return [field for field in own if not field.extra] + general + [field for field in own if field.extra]


def _mail_server(context: RequestContext, address: str, host: str) -> dict[str, Any]:
    """What is known of the mailbox's server: found by the address, and where its provider makes app passwords."""
    found = known_server(host) if host else server_of(address)
    return {
        "found": context.language("mail_server.found", host=found.host) if found and not host else "",
        "app_password": found.app_password if found else "",
        "refuses": bool(found and not found.takes_passwords),
    }
