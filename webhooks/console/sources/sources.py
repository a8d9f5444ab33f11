"""Sources: what is connected, how it does, and one with its address, settings and last events."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import request
from sqlalchemy import Connection

from connectors.mail.imap import ImapConfig
from crm_core.base.errors import HubError
from ingest.journal.queries import EventCard, get_event, list_events
from ingest.sources.put_off import MailPutOff, mails_put_off
from ingest.sources.settings import LoadedSource, shown_settings
from ingest.sources.sources import SourceRow, list_sources, load_source
from webhooks.console.events.reasons import words_of
from webhooks.console.queues import received_today
from webhooks.console.shell.choices import tabs
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen
from webhooks.console.shell.values import as_text
from webhooks.console.sources import source_status
from webhooks.console.sources.connector_choice import title_of
from webhooks.console.sources.setup_form import choice_words, setting_words
from webhooks.console.sources.snippets import curl_line, html_form
from webhooks.console.sources.source_connect import panel
from webhooks.console.sources.source_rows import find
from webhooks.console.sources.source_site import shown as site_of
from webhooks.console.sources.trials import trial_of

_LAST_EVENTS = 10


def index(context: RequestContext) -> PageAnswer:
    with context.engine.begin() as connection:
        rows = list_sources(connection, context.config)
        counts = {count.source_id: count.received for count in received_today.counts(connection, context)}
    states = source_status.states_by_id(context)
    only_trouble = chosen("state").get("state") == "trouble"
    items = [
        _shown(context, row) | {"today": counts.get(row.id, 0), "status": source_status.shown(context, states[row.id])}
        for row in sorted(rows, key=lambda row: (not states[row.id].in_trouble, row.id))
        if row.id in states and (states[row.id].in_trouble or not only_trouble)
    ]
    return context.page(
        "sources/sources.html",
        items=items,
        tabs=tabs(context, "sources", "state", ("trouble",), "source_tab", {}),
        only_trouble=only_trouble,
        troubled=sum(1 for one in states.values() if one.in_trouble),
        today=received_today.day(context).isoformat(),
        can_write=context.may("sources.write"),
    )


def _mail_words(context: RequestContext, mail: MailPutOff) -> str:
    return context.language.code("problem", mail.code) if context.language.knows("problem", mail.code) else mail.message


def card(context: RequestContext, source_id: int, checked: Mapping[str, Any] | None = None) -> PageAnswer:
    """One source; `checked`: what trying its connection just brought (`source_check.shown`)."""
    may_see_address = context.may("sources.address")
    with context.engine.begin() as connection:
        row = find(connection, context, source_id)
        events = list_events(connection, source_id=source_id, limit=_LAST_EVENTS).items
        source = _loaded(connection, context, source_id)
        tried = _tried(connection)
        waiting_mails = mails_put_off(connection, context.principal, source_id) if row.channel == "mail" else ()
        url = row.url if may_see_address else ""
        site = site_of(connection, context, source_id, url if row.channel == "form" else "")
        connect = panel(context, connection, row, source.connector if source else None)
    trial = trial_of(source.connector, context.now) if source and url and context.may("sources.write") else None
    return context.page(
        "sources/source.html",
        source=_shown(context, row),
        status=source_status.shown(context, source_status.states_by_id(context)[source_id]),
        settings=_settings(context, source) if source else [],
        events=events,
        words=partial(words_of, context),
        url=url,
        connect=connect,
        curl=curl_line(url, row.connector, context.now) if url else "",
        snippet=html_form(url, context.language) if url and row.channel == "form" else "",
        pulls=source is not None and source.connector.pulls,
        trial=trial,
        can_check=source is not None and isinstance(source.settings, ImapConfig) and context.may("sources.write"),
        checked=checked,
        tried=tried,
        waiting_mails=waiting_mails,
        mail_words=partial(_mail_words, context),
        site=site,
        can_write=context.may("sources.write"),
        can_map=source is not None and source.connector.map is not None and context.may("events.raw"),
    )


def _loaded(connection: Connection, context: RequestContext, source_id: int) -> LoadedSource | None:
    """None if its connector was uninstalled: the source is shown all the same, the queues page says why."""
    try:
        return load_source(connection, context.config, source_id)
    except HubError:
        return None


def _settings(context: RequestContext, source: LoadedSource) -> list[tuple[str, str]]:
    """Settings in words with secrets as dots."""
    return [
        (
            setting_words(context.language, source.connector, name, "label"),
            choice_words(context.language, name, value) if isinstance(value, str) else _told(context, value),
        )
        for name, value in shown_settings(source).items()
        if value not in ("", None, [], {})
    ]


def _told(context: RequestContext, value: Any) -> str:
    if isinstance(value, bool):
        return context.language("form.yes" if value else "form.no")
    return context.language.number(int(value)) if isinstance(value, float) and value.is_integer() else as_text(value)


def _tried(connection: Connection) -> EventCard | None:
    """The event of the trial that was just sent."""
    uid = request.args.get("tried", "")
    if not uid:
        return None
    return get_event(connection, uid)


def _shown(context: RequestContext, row: SourceRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "channel": row.channel,
        "state": row.state,
        "connector_title": title_of(row.connector, context.language),
        "line": row.line,
        "allowed_hosts": row.allowed_hosts,
        "created_at": row.created_at,
        "last_event_at": row.last_event_at,
    }
