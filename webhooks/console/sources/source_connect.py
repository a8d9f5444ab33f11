"""Step three of a new source: its addresses, what to do at the provider, and the first event as it comes in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from connectors.kit import Connector
from connectors.kit.guide import guide_of
from crm_core.base.errors import HubError
from crm_core.leads.queries import get_lead
from ingest.journal.queries import EventView, list_events
from ingest.sources.sources import SourceRow, load_source
from webhooks.console.events.reasons import words_of
from webhooks.console.shell import clock
from webhooks.console.shell.request_context import PageAnswer, RequestContext
from webhooks.console.sources import connector_choice, source_status
from webhooks.console.sources.connector_choice import title_of
from webhooks.console.sources.source_rows import find
from webhooks.console.sources.trials import trial_of

#: After so long without an event something is wrong with the address or the provider; most send within five seconds.
HELP_AFTER_SECONDS = 180
#: The first few events are shown as "what was understood"; a source with more is a source that works.
_FIRST = 5


def page(context: RequestContext, source_id: int, *, secret: str = "") -> PageAnswer:
    """`secret`: made by the hub for the provider to sign with, shown this once."""
    with context.engine.begin() as connection:
        row = find(connection, context, source_id)
        connector = load_source(connection, context.config, source_id).connector
        connect = panel(context, connection, row, connector)
    return context.page(
        "sources/new_source.html",
        choice=connector_choice.step(context, connector),
        step=3,
        title=title_of(row.connector, context.language),
        kind=row.channel,
        source={"id": row.id, "name": row.name},
        status=source_status.shown(context, source_status.states_by_id(context)[source_id]),
        connect=connect,
        secret=secret,
    )


def panel(context: RequestContext, connection: Connection, row: SourceRow, connector: Connector | None) -> dict[str, Any]:
    """For `source_connect.html`: empty addresses where nobody may see them or the hub fetches."""
    url = row.url if context.may("sources.address") else ""
    route = url.replace("/in/", "/route/", 1) if url and row.channel == "call" else ""
    events = list_events(connection, source_id=row.id, limit=_FIRST + 1).items
    waited = max(0.0, (context.now - row.created_at).total_seconds())
    trial = trial_of(connector, context.now) if connector and url and context.may("sources.write") else None
    return {
        "url": url,
        "route": route,
        "title": title_of(row.connector, context.language),
        "guide": words(context, connector) if connector else {},
        "mailto": _letter(context, row, url, route) if url else "",
        "waits": not events and row.state == "active",
        "waited": clock.stopwatch(waited),
        "is_late": waited > HELP_AFTER_SECONDS,
        "first": _first(context, connection, row, events[-1]) if 0 < len(events) <= _FIRST else None,
        "trial": trial,
    }


def words(context: RequestContext, connector: Connector) -> dict[str, Any]:
    """{"steps","check"} in the reader's language; the connector's own words, else those for any of its kind."""
    guide, locale = guide_of(connector), context.language.locale
    own_check = guide.check.in_(locale) if guide and guide.check else ()
    usual = [context.language(f"connect.check_{number}") for number in (1, 2, 3)]
    return {"steps": guide.steps.in_(locale) if guide else (), "check": own_check or usual}


def _letter(context: RequestContext, row: SourceRow, url: str, route: str) -> str:
    """A letter to a colleague who has the provider's cabinet: subject and text, to nobody yet (RFC 6068)."""
    text = context.language("connect.letter", address=url) + (
        "\n" + context.language("connect.letter_route", address=route) if route else ""
    )
    subject = context.language("connect.letter_subject", name=row.name)
    return f"mailto:?subject={quote(subject)}&body={quote(text)}"


def _first(context: RequestContext, connection: Connection, row: SourceRow, event: EventView) -> dict[str, Any]:
    """The first event: how soon it came, what became of it, and what was understood of the person."""
    after = (event.received_at - row.created_at).total_seconds()
    return {
        "id": event.uid,
        "event": event,
        "after": clock.span(max(0.0, after), context.language),
        "words": words_of(context, event),
        "pending": event.is_pending,
        "ok": event.state == "done",
        "lead": event.lead_id,
        "understood": _understood(context, connection, event),
    }


def _understood(context: RequestContext, connection: Connection, event: EventView) -> list[tuple[str, str]]:
    """(what, value) of the lead that came of it, for whoever may see that lead."""
    if not event.lead_id or not context.may("leads.read"):
        return []
    try:
        lead = get_lead(connection, context.principal, event.lead_id)
    except HubError:
        return []
    found = [
        ("name", lead.contact.name),
        ("phone", ", ".join(lead.contact.phones)),
        ("email", ", ".join(lead.contact.emails)),
        ("message", lead.message[:200]),
    ]
    kept = len(lead.fields)
    rows = [(context.language.code("connect_part", name), value) for name, value in found if value]
    return rows + ([(context.language.code("connect_part", "fields"), context.language.number(kept))] if kept else [])
